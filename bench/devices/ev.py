"""EV simulators in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Amps
from .base import DeviceSection, FindFile

__all__ = ["EvDbc", "EvSection"]


class EvSection(DeviceSection):
    """What the bench needs to know of any EV simulator."""

    role: ClassVar[Role] = "ev"

    max_current: Amps = Field(gt=0, le=80)


class EvDbc(EvSection):
    """An EV simulator on CAN, described by a DBC file."""

    driver: Literal["ev.dbc"]
    dbc: str
    bitrate: int = 500_000

    def options(self, find: FindFile) -> dict[str, Any]:
        return {"dbc": find("ev", self.dbc, ".dbc"), "bitrate": self.bitrate}

    def emulator(self) -> dict[str, Any]:
        return {"kind": "ev.slcan"}

    def data_files(self) -> list[tuple[str, str, str]]:
        return [("ev", self.dbc, ".dbc")]
