"""The twin's side of a bench file: an outlet for each of the station's, and an emulator for each device."""

from __future__ import annotations

from typing import Any

from .config import BenchFile
from .devices import MeterSection, PilotSection

__all__ = ["twin_instruments"]

NEVER_S = 1e6


def twin_instruments(file: BenchFile) -> dict[str, Any]:
    """The parts of the twin's configuration that the bench file decides: `outlets`, `devices`, `meter`."""
    station, twin = file.station, file.twin
    make = {"outlet": station.outlet, "rated_a": station.rated, "phases": station.phases}
    if station.ventilation:
        make["ventilation"] = True
    config: dict[str, Any] = {
        "outlets": [{"number": evse, "evse": make} for evse in range(1, station.evses + 1)],
        "devices": _devices(file),
    }
    meter = file.one(MeterSection)
    if meter is not None:
        config["meter"] = {"resolution_wh": meter[1].resolution, "refresh_ms": round(meter[1].refresh * 1e3)}
    if twin is not None and twin.pilot_boot:
        for _, pilot in file.every(PilotSection):
            config["devices"][_name(pilot.port)] |= {"boot_s": twin.pilot_boot}
    stop = file.device.get(file.safe.e_stop or "")
    if stop is not None and stop.kind == "pilot.line":
        config["devices"][_name(stop.port)] |= {"estop": True}
    if twin is not None and not twin.pilot_watchdog:
        for _, pilot in file.every(PilotSection):
            config["devices"][_name(pilot.port)] |= {"watchdog": False}
        for outlet in config["outlets"]:
            outlet["ev"] = {"command_timeout_s": NEVER_S}
    return config


def _devices(file: BenchFile) -> dict[str, dict[str, Any]]:
    """By the name of the port. Whoever comes second to a port is another unit on the bus of the first one."""
    made: dict[str, dict[str, Any]] = {}
    for name, device in file.device.items():
        port = _name(device.port)
        entry = {**device.emulator(), "evse": device.evse}
        if port in made:
            made[f"{port}.{name}"] = {**entry, "segment": port}
        else:
            made[port] = entry
    return made


def _name(port: str) -> str:
    return port.removeprefix("twin:")
