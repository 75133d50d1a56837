"""OCPP 2.1 as one entry of the table of versions."""

from __future__ import annotations

from ..certificates.services import certificates_21
from ..dialect import Dialect
from ..rpc import RULES_21
from ..service import Service
from ..settings import Desk
from ..v2x.actions import INBOUND_21
from ..v2x.dialect import dialect_2x
from ..v2x.monitoring import MonitoringModel21
from .adapter import Adapter21
from .services import services_21
from .verbs import Verbs21

__all__ = ["dialect"]


def dialect() -> Dialect:
    """The parts of OCPP 2.1."""
    return dialect_2x(
        "2.1",
        "v21",
        rules=RULES_21,
        inbound=INBOUND_21,
        services=_services,
        adapter=Adapter21,
        verbs=Verbs21,
        tolerable=frozenset({"NotifyMonitoringReport:monitor.variableMonitoring.eventNotificationType"}),
    )


def _services(station: str, desk: Desk) -> list[Service]:
    return [*services_21(station, desk), *certificates_21(station, desk), MonitoringModel21(station, desk)]
