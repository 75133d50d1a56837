"""Meters of the twin on any wire, and cables in front of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilotbench.drivers.meter.map_file import load_map

from driver_rig import CONFIGS, Rig
from tcp_tap import TcpTap
from twin_client import TwinProcess
from wire_tap import WireTap

__all__ = ["MAPS", "MeterRig"]

MAPS = {
    "sdm630": "eastron-sdm630",
    "sdm72-v2": "eastron-sdm72-v2",
    "sdm72": "eastron-sdm72",
    "sdm120": "eastron-sdm120",
    "b23": "abb-b23-b24",
    "em24": "carlo-gavazzi-em24",
    "em340": "carlo-gavazzi-em340",
    "em24-e1": "carlo-gavazzi-em24-e1",
    "iem3155": "schneider-iem3155",
    "pac2200": "siemens-pac2200",
    "umg604": "janitza-umg604",
    "sunspec-203": "sunspec",
    "sunspec-213": "sunspec",
}
"""Meter of the twin -> the map that reads it."""


class MeterRig:
    """A rig whose twin has the meters `meters` (name -> settings of the emulator); `wire` is how all are reached."""

    def __init__(
        self, rig: Rig, twin: Callable[..., TwinProcess], meters: dict[str, dict[str, Any]], wire: str = "rtu"
    ) -> None:
        self.rig = rig
        self.meters = meters
        self.wire = wire
        devices = {name: {"kind": "meter.modbus", "wire": wire, **settings} for name, settings in meters.items()}
        rig.use(twin(devices=devices, meter={"refresh_ms": 50}))
        self._taps: list[TcpTap] = []

    def port(self, name: str = "meter") -> str:
        return self.rig.twin.ready[name]

    def tap(self, name: str = "meter", **options: Any) -> WireTap | TcpTap:
        """A cable in front of a meter; with `device=None` in front of nobody."""
        if self.wire == "rtu":
            return self.rig.tap(name, **options)
        device = options.pop("device") if "device" in options else self.port(name)
        tap = TcpTap(device, scheme="tcp" if self.wire == "tcp" else "rtu+tcp", **options)
        self._taps.append(tap)
        return tap

    def driver(self, port: str, of: str = "meter", **options: Any) -> Any:
        """A driver with the right map for a meter of the twin, unless it is given another."""
        settings = self.meters[of]
        known = load_map(CONFIGS / "meters" / f"{MAPS[settings.get('model', 'sdm630')]}.toml")
        return self.rig.driver(
            "meter.modbus",
            port,
            **{"register_map": known, "name": of, "unit": settings.get("unit", 1), **options},
        )

    def fault(self, name: str, on: bool = True, **more: Any) -> None:
        """Begin or end a fault of a meter, and wait until the twin says so."""
        self.rig.twin.control(type="fault", name=name, on=on, **more)
        self.rig.twin.wait("fault")

    def close(self) -> None:
        for tap in self._taps:
            tap.close()
