"""OCPP 2.1 as one entry of the table of versions."""

from __future__ import annotations

from ..behaviour import Composed
from ..certificates.services import certificates_21
from ..dialect import Dialect
from ..rpc import RULES_21
from ..schemas import Schemas
from ..security.rotation import rotation_2x
from ..service import Service
from ..settings import Desk
from ..v2x.actions import INBOUND_21
from ..v2x.awaited import AwaitedReports
from ..v2x.file_status import FileStatus2x
from ..v2x.monitoring import MonitoringModel21
from .adapter import Adapter21
from .services import services_21
from .verbs import Verbs21

__all__ = ["dialect"]


def dialect() -> Dialect:
    """The parts of OCPP 2.1."""
    schemas = Schemas("v21", "Request")

    def behaviour(station: str, desk: Desk) -> Composed:
        services: list[Service] = [
            *services_21(station, desk),
            *certificates_21(station, desk),
            FileStatus2x(station, desk),
            *rotation_2x(station, desk),
            MonitoringModel21(station, desk),
            AwaitedReports(station, desk),
        ]
        return Composed(services, schemas)

    return Dialect(
        version="2.1",
        subprotocol="ocpp2.1",
        rules=RULES_21,
        schemas=schemas,
        boot="BootNotification",
        inbound=INBOUND_21,
        behaviour=behaviour,
        adapter=Adapter21,
        verbs=Verbs21,
        sends=schemas.sends,
        waits=True,
        ids_for_ever=True,
        tolerable=frozenset({"NotifyMonitoringReport:monitor.variableMonitoring.eventNotificationType"}),
    )
