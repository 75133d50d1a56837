"""OCPP 1.6J as one entry of the table of versions."""

from __future__ import annotations

from ..behaviour import Composed
from ..certificates.services import certificates_16
from ..dialect import Dialect
from ..rpc import RULES_16
from ..schemas import Schemas
from ..security.rotation import rotation_16
from ..service import Service
from ..settings import Desk
from .actions import INBOUND
from .adapter import Adapter16
from .file_status import FileStatus16
from .services import core_services
from .verbs import Verbs16

__all__ = ["dialect"]


def dialect() -> Dialect:
    """The parts of OCPP 1.6."""
    schemas = Schemas("v16")

    def behaviour(station: str, desk: Desk) -> Composed:
        services: list[Service] = [
            *core_services(station, desk),
            *certificates_16(station, desk),
            FileStatus16(station, desk),
            *rotation_16(station, desk),
        ]
        return Composed(services, schemas)

    return Dialect(
        version="1.6",
        subprotocol="ocpp1.6",
        rules=RULES_16,
        schemas=schemas,
        boot="BootNotification",
        inbound=INBOUND,
        behaviour=behaviour,
        adapter=Adapter16,
        verbs=Verbs16,
        always_answered=frozenset({"MeterValues", "StartTransaction", "StopTransaction"}),
    )
