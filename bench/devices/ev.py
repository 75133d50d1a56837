"""EV simulators in a bench file."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from ...drivers.roles import Role
from ..quantities import Amps, Model, Seconds, Share, Volts
from .base import DeviceSection, FindFile

__all__ = ["EvChademo", "EvDbc", "EvSection"]


class EvSection(DeviceSection):
    """What the bench needs to know of any EV simulator."""

    role: ClassVar[Role] = "ev"

    max_current: Amps = Field(gt=0, le=80, description="what it asks for when nothing else is said")


class CanSection(EvSection):
    """One on CAN. `port`: a serial port with an SLCAN adapter, or `interface:channel`, such as `socketcan:can0`."""

    bitrate: int = Field(default=500_000, description="of the bus, bit/s")
    baud: int = Field(default=115200, description="of a serial SLCAN adapter")
    record_frames: bool = Field(default=False, description="every frame on the bus into the recording")

    def options(self, find: FindFile) -> dict[str, Any]:
        return {"bitrate": self.bitrate, "baud": self.baud, "record_frames": self.record_frames}


class Switch(Model):
    """A signal with two values, each a number or a name of the DBC file."""

    signal: str
    on: int | float | str = 1
    off: int | float | str = 0


class Checksum(Model):
    """One byte over all other bytes of its message."""

    signal: str
    kind: Literal["xor8", "sum8", "crc8-j1850"]


OnOff = str | Switch | None
Counters = str | list[str] | None
Checksums = Checksum | list[Checksum] | None


class SendSection(Model):
    """Role -> `Message.Signal`: what the EV simulator is told."""

    plugged: OnOff = None
    s2_closed: OnOff = None
    charge: OnOff = None
    max_current_a: str | None = None
    counter: Counters = None
    checksum: Checksums = None


class ReceiveSection(Model):
    """Role -> `Message.Signal`: what the EV simulator tells."""

    plugged: OnOff = None
    s2_wish: OnOff = None
    soc_pct: str | None = None
    current_a: str | None = None
    battery_v: str | None = None
    counter: Counters = None
    checksum: Checksums = None


class EvDbc(CanSection):
    """An EV simulator on CAN, described by a DBC file. Without `send` and `receive` it speaks `pilotbench-ev.dbc`."""

    driver: Literal["ev.dbc"]
    dbc: str = Field(description="DBC file, shipped or beside the bench file")
    send: SendSection | None = Field(
        default=None, description="role -> Message.Signal of what it is told, see docs/ev-on-can.md"
    )
    receive: ReceiveSection | None = Field(default=None, description="role -> Message.Signal of what it tells")
    fixed: dict[str, int | float | str] = Field(
        default_factory=dict[str, int | float | str], description="Message.Signal -> the value it always has"
    )
    timeout: Seconds = Field(default=0.5, gt=0, description="silence after which a message is missing")

    def options(self, find: FindFile) -> dict[str, Any]:
        return {
            **super().options(find),
            "dbc": find("ev", self.dbc, ".dbc"),
            "send": self.send.model_dump(exclude_none=True) if self.send else None,
            "receive": self.receive.model_dump(exclude_none=True) if self.receive else None,
            "fixed": self.fixed,
            "timeout_s": self.timeout,
        }

    def emulator(self) -> dict[str, Any]:
        return {"kind": "ev.slcan"}

    def data_files(self) -> list[tuple[str, str, str]]:
        return [("ev", self.dbc, ".dbc")]


class EvChademo(CanSection):
    """The vehicle's side of CHAdeMO. `max_current` is DC."""

    driver: Literal["ev.chademo"]
    max_current: Amps = Field(gt=0, le=255, description="DC")
    target_voltage: Volts = Field(default=410.0, gt=0, le=1000, description="the charger must not exceed it by 20 V")
    max_battery_voltage: Volts = Field(default=435.0, gt=0, le=1000, description="as the charger is told")
    min_battery_voltage: Volts = Field(default=200.0, gt=0, le=1000, description="as the charger is told")
    capacity_kwh: float = Field(default=40.0, gt=0, le=6553, description="of the battery, kWh")
    protocol: Literal[0, 1, 2, 3] = Field(default=2, description="0 before 0.9, 1 = 0.9, 2 = 1.0, 3 = 2.0")
    soc: Share = Field(default=40.0, ge=0, le=100, description="charge at the beginning")
    contactors: Literal["self", "bench"] = Field(
        default="self", description="who drives the vehicle's contactors: the driver in its sequence, or a test"
    )

    def options(self, find: FindFile) -> dict[str, Any]:
        from ...drivers.ev.chademo_frames import Traits

        traits = Traits(
            protocol=self.protocol,
            min_battery_v=round(self.min_battery_voltage),
            max_battery_v=round(self.max_battery_voltage),
            target_v=round(self.target_voltage),
            capacity_kwh=self.capacity_kwh,
            max_current_a=int(self.max_current),
        )
        return {
            **super().options(find),
            "vehicle": traits,
            "soc_pct": self.soc,
            "contactors": self.contactors,
        }

    def emulator(self) -> dict[str, Any]:
        return {"kind": "ev.chademo"}
