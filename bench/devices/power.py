"""Supplies, loads and relay boards in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from ...drivers.roles import Duty, Role
from ..quantities import Amps, Seconds, Volts
from .base import DeviceSection, FindFile

__all__ = ["LoadScpi", "PowerRelay", "SupplyScpi"]


class _Scpi(DeviceSection):
    """A SCPI instrument on a serial port or `tcp://host:port`.

    `commands`: what its command set has otherwise than the standard (docs/power.md); `setup`: what it is told once.
    `settle`: how old a value may be that it measures.
    """

    baud: int = Field(default=9600, ge=300, le=4_000_000, description="bit/s, of a serial port")
    parity: Literal["N", "E", "O"] = Field(default="N", description="of a serial port")
    commands: dict[str, str] = Field(
        default_factory=dict[str, str], description="what this instrument calls otherwise, see docs/power.md"
    )
    setup: list[str] | None = Field(default=None, description="what it is told once; left out: as docs/power.md says")
    poll: Seconds = Field(default=0.5, ge=0.05, le=60, description="how often it is read")
    timeout: Seconds = Field(default=1.0, ge=0.02, le=10, description="its slowest answer")
    settle: Seconds = Field(default=0.3, ge=0, le=10, description="how old a measured value may be")

    def options(self, find: FindFile) -> dict[str, Any]:
        return {
            "baud": self.baud,
            "parity": self.parity,
            "commands": self.commands,
            "setup": self.setup,
            "poll_s": self.poll,
            "timeout_s": self.timeout,
            "settle_s": self.settle,
        }

    def emulator(self) -> dict[str, Any]:
        return {"kind": self.kind}


class SupplyScpi(_Scpi):
    """A power supply or AC source that feeds the station.

    `voltage` (rms of an AC source) and `current` (its limit): what it is set to and switched on with when the bench
    starts. Without them it stays off until a test switches it on.
    """

    role: ClassVar[Role] = "supply"

    driver: Literal["supply.scpi"]
    voltage: Volts | None = Field(
        default=None,
        gt=0,
        description="rms of an AC source: switched on with it when the bench starts; left out: stays off",
    )
    current: Amps | None = Field(default=None, gt=0, description="its limit; belongs to `voltage`")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.voltage is None) != (self.current is None):
            raise ValueError("voltage and current belong together; give both, or neither")
        return self

    def options(self, find: FindFile) -> dict[str, Any]:
        starts = None if self.voltage is None or self.current is None else (self.voltage, self.current)
        return {**super().options(find), "starts_with": starts}


class LoadScpi(_Scpi):
    """An electronic load at the outlet."""

    role: ClassVar[Role] = "load"

    driver: Literal["load.scpi"]


class PowerRelay(DeviceSection):
    """A relay board: number -> duty.

    `relays`: the numbers that the board itself uses (coil address from 0, lcus from 1, numato from 0), with their duty
    mains, pe, rcd, dc-leak or aux. `inverted`: those wired through their normally-closed contact. `unit`, `parity`,
    `stop_bits` and `write_several` (function 15 for 5) are of a Modbus board, which may share its port with meters.
    `e_stop_input`: address of its discrete input with the contact of the emergency stop.
    """

    role: ClassVar[Role] = "relay"

    driver: Literal["power.relay"]
    board: Literal["modbus", "lcus", "numato"] = Field(default="modbus", description="make of the board")
    relays: dict[str, Duty] = Field(min_length=1, description="number on the board -> mains, pe, rcd, dc-leak or aux")
    inverted: list[int] = Field(
        default_factory=list[int], description="numbers wired through the normally-closed contact"
    )
    unit: int = Field(default=1, ge=1, le=247, description="of a Modbus board")
    baud: int | None = Field(
        default=None, ge=300, le=4_000_000, description="bit/s; left out: as the board is delivered"
    )
    parity: Literal["N", "E", "O"] = Field(default="N", description="of a Modbus board")
    stop_bits: Literal[1, 2] = Field(default=1, description="of a Modbus board")
    write_several: bool = Field(default=False, description="Modbus function 15 for 5")
    e_stop_input: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="discrete input with the emergency stop's contact, normally closed",
    )
    poll: Seconds = Field(default=1.0, ge=0.05, le=60, description="how often it is read back")
    timeout: Seconds = Field(default=0.5, ge=0.02, le=10, description="its slowest answer")

    @model_validator(mode="after")
    def _numbers(self) -> Self:
        for number in self.relays:
            if not number.isdecimal():
                raise ValueError(f'relays: {number!r} is no number of a relay; write 1 = "mains"')
        if self.e_stop_input is not None and self.board != "modbus":
            raise ValueError(f"e_stop_input is for a modbus board; a {self.board} board has no input that is read")
        unknown = [number for number in self.inverted if str(number) not in self.relays]
        if unknown:
            raise ValueError(f"inverted names relays that have no duty: {unknown}")
        return self

    def options(self, find: FindFile) -> dict[str, Any]:
        return {
            "board": self.board,
            "relays": {int(number): duty for number, duty in self.relays.items()},
            "inverted": self.inverted,
            "unit": self.unit,
            "baud": self.baud,
            "parity": self.parity,
            "stop_bits": self.stop_bits,
            "write_several": self.write_several,
            "e_stop_input": self.e_stop_input,
            "poll_s": self.poll,
            "timeout_s": self.timeout,
        }

    def emulator(self) -> dict[str, Any]:
        made: dict[str, Any] = {"kind": f"relay.{self.board}", "relays": self.relays, "inverted": self.inverted}
        if self.board == "modbus":
            made |= {"unit": self.unit, "estop_input": self.e_stop_input}
        return made

    @property
    def shares_port(self) -> bool:
        return self.board == "modbus"
