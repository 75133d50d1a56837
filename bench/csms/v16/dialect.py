"""OCPP 1.6J as one entry of the table of versions."""

from __future__ import annotations

from ..dialect import Dialect
from ..rpc import RULES_16
from ..schemas import Schemas
from .actions import INBOUND
from .adapter import Adapter16
from .behaviour import Behaviour16
from .verbs import Verbs16

__all__ = ["dialect"]


def dialect() -> Dialect:
    """The parts of OCPP 1.6."""
    return Dialect(
        version="1.6",
        subprotocol="ocpp1.6",
        rules=RULES_16,
        schemas=Schemas("v16"),
        boot="BootNotification",
        inbound=INBOUND,
        behaviour=Behaviour16,
        adapter=Adapter16,
        verbs=Verbs16,
    )
