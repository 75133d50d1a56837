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
    uncertainties: ClassVar[tuple[str, ...]] = ("accuracy", "resolution", "current_accuracy", "refresh", "answer")

    place: Literal["output", "supply"] = Field(
        default="output",
        description="what it measures: the outlet, or the station's supply. Of the outlet it says nothing there",
    )
    poll: Seconds = Field(default=0.25, gt=0, description="how often it is read")
    refresh: Seconds = Field(default=0.5, ge=0, description="how old a value in its registers may be")
    answer: Milliseconds = Field(default=50.0, ge=0, description="from the request to the end of the answer")
    accuracy: Share = Field(gt=0, description="of the reading, k = 2")
    resolution: WattHours = Field(gt=0, description="step of its energy register")
    current_accuracy: Amps = Field(default=0.1, gt=0, description="k = 2")
    calibrated: date = Field(description="when")  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]
    calibration_due: date = Field(description="until when that counts")  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleVariableOverride]


EMULATED = {
    "eastron-sdm630": "sdm630",
    "eastron-sdm120": "sdm120",
    "eastron-sdm72": "sdm72",
    "eastron-sdm72-v2": "sdm72-v2",
    "abb-b23-b24": "b23",
    "carlo-gavazzi-em24": "em24",
    "carlo-gavazzi-em24-e1": "em24-e1",
    "carlo-gavazzi-em340": "em340",
    "schneider-iem3155": "iem3155",
    "siemens-pac2200": "pac2200",
    "janitza-umg604": "umg604",
    "sunspec": "sunspec-203",
}
"""Register map -> the meter that the twin has for it. For a laboratory's own map it has an SDM630."""


class MeterModbus(MeterSection):
    """An energy meter on Modbus RTU, Modbus TCP, or RTU over TCP, with its accuracy on this bench.

    `port`: a serial port, `tcp://host:port` (Modbus TCP), `rtu+tcp://host:port` or `socket://host:port` (RTU frames
    over TCP). Meters that share a port are units on one line. `unit`, `baud`, `parity` and `stop_bits` left out are as
    the register map says. `timeout`: the meter's slowest answer, left out reckoned from the line's speed.
    """

    driver: Literal["meter.modbus"]
    map: str = Field(description="register map, shipped or beside the bench file")
    unit: int | None = Field(default=None, ge=1, le=247, description="left out: as the map says")
    baud: int | None = Field(default=None, ge=300, le=4_000_000, description="bit/s; left out: as the map says")
    parity: Literal["N", "E", "O"] | None = Field(default=None, description="left out: as the map says")
    stop_bits: Literal[1, 2] | None = Field(default=None, description="left out: as the map says")
    timeout: Seconds | None = Field(
        default=None, gt=0, le=10, description="its slowest answer; left out: reckoned from the speed"
    )
    new_meter: bool = Field(default=False, description="accept a meter that shows nothing but zeros on a dead outlet")
    twin_wire: Literal["rtu", "tcp", "rtu+tcp"] = Field(default="rtu", description="how the twin's meter is reached")

    def options(self, find: FindFile) -> dict[str, Any]:
        from ...drivers.meter.map_file import load_map

        return {
            "register_map": load_map(find("meters", self.map, ".toml")),
            "unit": self.unit,
            "baud": self.baud,
            "parity": self.parity,
            "stop_bits": self.stop_bits,
            "timeout_s": self.timeout,
            "new_meter": self.new_meter,
            "at_supply": self.place == "supply",
            "poll_s": self.poll,
            "refresh_s": self.refresh,
        }

    def emulator(self) -> dict[str, Any]:
        model = EMULATED.get(self.map, "sdm630")
        return {"kind": "meter.modbus", "unit": self.unit or 1, "model": model, "wire": self.twin_wire}

    def data_files(self) -> list[tuple[str, str, str]]:
        return [("meters", self.map, ".toml")]

    @property
    def shares_port(self) -> bool:
        return True
