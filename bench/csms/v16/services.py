"""The subjects of OCPP 1.6 that have behaviour."""

from __future__ import annotations

from ..availability import Availability
from ..data_transfer import DataTransfers
from ..metering import Metering
from ..reservations import Reservations
from ..security_events import SecurityEvents
from ..service import Service
from ..settings import Desk
from .authorisation import Authorisation16, LocalLists16
from .provisioning import Boots16
from .smart_charging import SmartCharging16
from .transactions import Transactions16

__all__ = ["core_services"]


def core_services(station: str, desk: Desk) -> list[Service]:
    """What every station of 1.6 is served with, beside files and certificates."""
    return [
        Boots16(station, desk),
        Authorisation16(station, desk),
        LocalLists16(station, desk),
        Transactions16(station, desk),
        Metering(station, desk),
        Availability(station, desk),
        SmartCharging16(station, desk),
        Reservations(station, desk),
        SecurityEvents(station, desk),
        DataTransfers(station, desk),
    ]
