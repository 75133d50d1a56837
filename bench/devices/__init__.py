"""The devices of a bench file, one model a driver."""

from __future__ import annotations

from typing import get_args

from .base import Calibrated, DeviceSection, FindFile
from .ev import EvChademo, EvDbc, EvSection
from .evse import EvseRapi
from .meter import MeterModbus, MeterSection
from .other import OtherDevice
from .pilot import PilotEvSim, PilotLine, PilotSection
from .power import LoadScpi, PowerRelay, SupplyScpi
from .token import TokenLine

__all__ = [
    "SECTIONS",
    "Calibrated",
    "DeviceSection",
    "EvChademo",
    "EvDbc",
    "EvSection",
    "EvseRapi",
    "FindFile",
    "LoadScpi",
    "MeterModbus",
    "MeterSection",
    "OtherDevice",
    "PilotEvSim",
    "PilotLine",
    "PilotSection",
    "PowerRelay",
    "SupplyScpi",
    "TokenLine",
    "section_of",
]

_BUILT_IN: tuple[type[DeviceSection], ...] = (
    PilotLine,
    PilotEvSim,
    MeterModbus,
    EvDbc,
    EvChademo,
    SupplyScpi,
    LoadScpi,
    PowerRelay,
    TokenLine,
    EvseRapi,
)

SECTIONS: dict[str, type[DeviceSection]] = {
    name: section for section in _BUILT_IN for name in get_args(section.model_fields["driver"].annotation)
}
"""Driver -> its table."""


def section_of(driver: str) -> type[DeviceSection]:
    """The table of a driver; that of a third-party driver takes any key."""
    return SECTIONS.get(driver, OtherDevice)
