"""OCPP 2.0.1 as one entry of the table of versions."""

from __future__ import annotations

from ..behaviour import Composed
from ..certificates.services import certificates_201
from ..dialect import Dialect
from ..rpc import RULES_201
from ..schemas import Schemas
from ..security.rotation import rotation_2x
from ..service import Service
from ..settings import Desk
from ..v2x.actions import INBOUND_201
from ..v2x.awaited import AwaitedReports
from ..v2x.file_status import FileStatus2x
from ..v2x.monitoring import MonitoringModel
from ..v2x.services import services_201
from .adapter import Adapter201
from .verbs import Verbs201

__all__ = ["dialect"]


def dialect() -> Dialect:
    """The parts of OCPP 2.0.1."""
    schemas = Schemas("v201", "Request")

    def behaviour(station: str, desk: Desk) -> Composed:
        services: list[Service] = [
            *services_201(station, desk),
            *certificates_201(station, desk),
            FileStatus2x(station, desk),
            *rotation_2x(station, desk),
            MonitoringModel(station, desk),
            AwaitedReports(station, desk),
        ]
        return Composed(services, schemas)

    return Dialect(
        version="2.0.1",
        subprotocol="ocpp2.0.1",
        rules=RULES_201,
        schemas=schemas,
        boot="BootNotification",
        inbound=INBOUND_201,
        behaviour=behaviour,
        adapter=Adapter201,
        verbs=Verbs201,
        sends=schemas.sends,
        waits=True,
        ids_for_ever=True,
        tolerable=frozenset(),
    )
