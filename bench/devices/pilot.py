"""Pilot emulators in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Delay, Milliseconds, Seconds, Share
from .base import Calibrated, DeviceSection, FindFile

__all__ = ["PilotLine", "PilotSection"]


class PilotSection(DeviceSection, Calibrated):
    """What the rules need to know of any pilot emulator.

    Its calibration covers the duty cycle and the delay of the output sense. What it can do the device says itself
    when it is opened; here it stands for the doctor, who asks no device.
    """

    role: ClassVar[Role] = "pilot"

    duty_accuracy: Share = Field(default=0.5, gt=0)
    cp_resolution: Milliseconds = Field(default=1.0, ge=0)
    clock_error: Milliseconds = Field(default=2.0, ge=0)
    output_sense: Delay = (0.0, 10.0)
    lock_sense: Delay = None
    token_reader: bool = True
    mains_relay: int | None = Field(default=None, ge=1, description="its relay that switches the station's supply")


class PilotLine(PilotSection):
    """A control pilot emulator that speaks the pilot line protocol (docs/pilot-protocol.md)."""

    driver: Literal["pilot.line"]
    baud: int = 115200
    watchdog: Seconds = Field(default=2.0, ge=0.2, le=10)

    def options(self, find: FindFile) -> dict[str, Any]:
        return {"baud": self.baud, "watchdog_ms": round(self.watchdog * 1e3), "mains_relay": self.mains_relay}

    def emulator(self) -> dict[str, Any]:
        return {"kind": "pilot.line"}
