"""OCPP 2.0.1 as one entry of the table of versions."""

from __future__ import annotations

from ..certificates.services import certificates_201
from ..dialect import Dialect
from ..rpc import RULES_201
from ..service import Service
from ..settings import Desk
from ..v2x.actions import INBOUND_201
from ..v2x.dialect import dialect_2x
from ..v2x.monitoring import MonitoringModel
from ..v2x.services import services_201
from .adapter import Adapter201
from .verbs import Verbs201

__all__ = ["dialect"]


def dialect() -> Dialect:
    """The parts of OCPP 2.0.1."""
    return dialect_2x(
        "2.0.1",
        "v201",
        rules=RULES_201,
        inbound=INBOUND_201,
        services=_services,
        adapter=Adapter201,
        verbs=Verbs201,
    )


def _services(station: str, desk: Desk) -> list[Service]:
    return [*services_201(station, desk), *certificates_201(station, desk), MonitoringModel(station, desk)]
