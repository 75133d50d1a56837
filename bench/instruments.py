"""The drivers of a bench, made from its file; nothing is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DeviceError
from .config import BenchFile, data_file
from .timeline import Gate, Timeline

if TYPE_CHECKING:
    from ..drivers.base import Driver

__all__ = ["make_instruments"]


def make_instruments(
    file: BenchFile,
    timeline: Timeline,
    gate: Gate,
    ports: dict[str, str],
    *,
    absent: Callable[[str, DeviceError], None] | None = None,
) -> list[Driver]:
    """One driver a device, in the order of the file. `ports` maps the twin's port names to where they are.

    `absent` is told the name of a device whose port is named by a USB number that nothing here has; that one is left
    out then.

    Raises:
        ConfigError: a data file or an option is wrong.
        DeviceError: a port is named by a USB number that nothing here has, and there is no `absent`.
    """
    from ..drivers import registry
    from ..drivers.meter.segments import share_segments
    from ..drivers.usb_ports import usb_port

    def find(folder: str, name: str, suffix: str) -> Path:
        return data_file(file, folder, name, suffix)

    made: list[Driver] = []
    for name, device in file.device.items():
        port = ports[device.port.removeprefix("twin:")] if device.port.startswith("twin:") else device.port
        try:
            path = usb_port(name, port)
        except DeviceError as error:
            if absent is None:
                raise
            absent(name, error)
            continue
        options = {"port": path, "evse": device.evse, **device.options(find)}
        if not device.reconnect:
            options["reconnect"] = False
        made.append(registry.create(device.kind, name, timeline.source(name), gate, **options))
    share_segments(made)
    return made
