"""The subjects of OCPP 2.1 that have behaviour: those of 2.0.1, some with more to them, and its own."""

from __future__ import annotations

from ..service import Service
from ..settings import Desk
from ..v2x.device_model import DeviceModel
from ..v2x.services import common_services
from .battery_swaps import BatterySwaps
from .dynamic import SmartCharging21
from .energy_resources import EnergyResources
from .event_streams import EventStreams
from .limits import TransactionBook21
from .payments import Payments

__all__ = ["services_21"]


def services_21(station: str, desk: Desk) -> list[Service]:
    """What every station of 2.1 is served with, beside files, certificates and monitoring."""
    model = DeviceModel(station, desk)
    book = TransactionBook21(station, desk, model)
    return [
        model,
        book,
        SmartCharging21(station, desk, book, model),
        *common_services(station, desk),
        EventStreams(station, desk),
        EnergyResources(station, desk),
        Payments(station, desk),
        BatterySwaps(station, desk),
    ]
