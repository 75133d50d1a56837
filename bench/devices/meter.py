"""Energy meters in a bench file."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Amps, Milliseconds, Seconds, Share, WattHours
from .base import Calibrated, DeviceSection, FindFile

__all__ = ["MeterModbus", "MeterSection"]


class MeterSection(DeviceSection, Calibrated):
    """What the rules need to know of any energy meter."""

    role: ClassVar[Role] = "meter"

    poll: Seconds = Field(default=0.25, gt=0)
    refresh: Seconds = Field(default=0.5, ge=0)
    answer: Milliseconds = Field(default=50.0, ge=0, description="from the request to the end of the answer")
    accuracy: Share = Field(gt=0)
    resolution: WattHours = Field(gt=0)
    current_accuracy: Amps = Field(default=0.1, gt=0)
    calibrated: date  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    calibration_due: date  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    certificate: str = ""


class MeterModbus(MeterSection):
    """An energy meter on Modbus, with its accuracy on this bench."""

    driver: Literal["meter.modbus"]
    map: str
    unit: int = Field(default=1, ge=1, le=247)
    baud: int = 9600
    parity: Literal["N", "E", "O"] = "N"

    def options(self, find: FindFile) -> dict[str, Any]:
        from ...drivers.meter.map_file import load_map

        return {
            "unit": self.unit,
            "register_map": load_map(find("meters", self.map, ".toml")),
            "baud": self.baud,
            "parity": self.parity,
            "poll_s": self.poll,
            "refresh_s": self.refresh,
        }

    def emulator(self) -> dict[str, Any]:
        return {"kind": "meter.modbus", "unit": self.unit}

    def data_files(self) -> list[tuple[str, str, str]]:
        return [("meters", self.map, ".toml")]

    @property
    def shares_port(self) -> bool:
        return True
