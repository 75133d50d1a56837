"""Pilot emulators in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Delay, Milliseconds, Seconds, Share
from .base import Calibrated, DeviceSection, FindFile

__all__ = ["PilotEvSim", "PilotLine", "PilotSection"]


class PilotSection(DeviceSection, Calibrated):
    """What the rules need to know of any pilot emulator.

    Its calibration covers the duty cycle and the delay of the output sense. What it can do the device says itself
    when it is opened; here it stands for the doctor, who asks no device.
    """

    role: ClassVar[Role] = "pilot"
    uncertainties: ClassVar[tuple[str, ...]] = (
        "duty_accuracy",
        "cp_resolution",
        "clock_error",
        "output_sense",
        "lock_sense",
    )

    duty_accuracy: Share = Field(default=0.5, gt=0, description="of the duty cycle, in percentage points")
    cp_resolution: Milliseconds = Field(
        default=1.0,
        ge=0,
        description="half-width of its stamps' own error; pilot.line says it itself, here for `rules doctor`",
    )
    clock_error: Milliseconds = Field(default=2.0, ge=0, description="of its clock on the bench's; as above")
    output_sense: Delay = Field(
        default=(0.0, 10.0),
        description="how much older than its event voltage at the outlet may be; none without such an input",
    )
    lock_sense: Delay = Field(default=None, description="the same of the socket's lock")
    token_reader: bool = Field(default=True, description="whether it can present a card")
    mains_relay: int | None = Field(default=None, ge=1, description="its relay that switches the station's supply")


class PilotLine(PilotSection):
    """A control pilot emulator that speaks the pilot line protocol (docs/pilot-protocol.md)."""

    driver: Literal["pilot.line"]
    baud: int = Field(default=115200, description="bit/s")
    watchdog: Seconds = Field(
        default=1.0, ge=0.2, le=10, description="it goes to A by itself when it is not spoken to for so long"
    )

    def options(self, find: FindFile) -> dict[str, Any]:
        return {"baud": self.baud, "watchdog_ms": round(self.watchdog * 1e3), "mains_relay": self.mains_relay}

    def emulator(self) -> dict[str, Any]:
        return {"kind": "pilot.line", "mains_relay": self.mains_relay}


class PilotEvSim(PilotSection):
    """An EV Sim Remote (docs/ev-sim.md): CP alone, reported once or twice a second, without a clock of its own.

    `pp_ohm`: how the plug is coded that lies in a socket meanwhile, for the twin; the device itself has no PP.
    """

    driver: Literal["pilot.ev_sim"]
    duty_accuracy: Share = Field(default=1.0, gt=0, description="of the duty cycle, in percentage points")
    cp_resolution: Milliseconds = Field(default=2200.0, ge=0, description="how long a change may stay unreported")
    output_sense: Delay = Field(default=None, description="it has none")
    token_reader: Literal[False] = Field(default=False, description="it has none")  # pyright: ignore[reportIncompatibleVariableOverride]
    mains_relay: None = Field(default=None, description="it has none")  # pyright: ignore[reportIncompatibleVariableOverride]
    pp_ohm: Literal[100, 220, 680, 1500] = Field(
        default=220, description="how the plug in the socket is coded, for the twin"
    )

    def emulator(self) -> dict[str, Any]:
        return {"kind": "pilot.ev_sim", "pp_ohm": float(self.pp_ohm)}
