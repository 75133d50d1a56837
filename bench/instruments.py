"""The drivers of a bench, made from its file; nothing is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .config import BenchFile, data_file
from .timeline import Gate, Timeline

if TYPE_CHECKING:
    from ..drivers.base import Driver

__all__ = ["make_instruments"]


def make_instruments(file: BenchFile, timeline: Timeline, gate: Gate, ports: dict[str, str]) -> list[Driver]:
    """One driver a device, in the order of the file. `ports` maps the twin's port names to where they are.

    Raises:
        ConfigError: a data file or an option is wrong.
        DeviceError: a port is named by a USB number that nothing here has.
    """
    from ..drivers import registry
    from ..drivers.meter.segments import share_segments
    from ..drivers.usb_ports import usb_port

    def find(folder: str, name: str, suffix: str) -> Path:
        return data_file(file, folder, name, suffix)

    made: list[Driver] = []
    for name, device in file.device.items():
        port = ports[device.port.removeprefix("twin:")] if device.port.startswith("twin:") else device.port
        options = {"port": usb_port(name, port), "evse": device.evse, **device.options(find)}
        if not device.reconnect:
            options["reconnect"] = False
        made.append(registry.create(device.kind, name, timeline.source(name), gate, **options))
    share_segments(made)
    return made
