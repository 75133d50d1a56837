"""The subjects of OCPP 2.0.1 that have behaviour; 2.1 has them too, some with more to them."""

from __future__ import annotations

from ..availability import Availability
from ..data_transfer import DataTransfers
from ..metering import Metering
from ..reservations import Reservations2x
from ..security_events import SecurityEvents
from ..service import Service
from ..settings import Desk
from .authorisation import Authorisation2x, LocalLists2x
from .device_model import DeviceModel
from .provisioning import Boots2x
from .smart_charging import SmartCharging
from .told import CustomerInformation, DisplayMessages
from .transaction_book import TransactionBook

__all__ = ["common_services", "services_201"]


def common_services(station: str, desk: Desk) -> list[Service]:
    """What is the same in both versions."""
    return [
        Boots2x(station, desk),
        Authorisation2x(station, desk, desk.certificates.contract_status if desk.certificates else None),
        LocalLists2x(station, desk),
        Metering(station, desk),
        Availability(station, desk),
        Reservations2x(station, desk),
        SecurityEvents(station, desk),
        DisplayMessages(station, desk),
        CustomerInformation(station, desk),
        DataTransfers(station, desk),
    ]


def services_201(station: str, desk: Desk) -> list[Service]:
    """What every station of 2.0.1 is served with, beside files, certificates and monitoring."""
    model, book = DeviceModel(station, desk), TransactionBook(station, desk)
    return [model, book, SmartCharging(station, desk, book, model), *common_services(station, desk)]
