"""Ports named by the USB serial number of what stands behind them: `usb:A50285BI`.

A device that is plugged in elsewhere, or after another one, keeps its number but not its path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ..errors import DeviceError

__all__ = ["USB", "usb_port"]

USB = "usb:"
BY_ID = Path("/dev/serial/by-id")


def usb_port(device: str, port: str) -> str:
    """The path of a port that is named by a serial number; any other port as it is.

    The path is the lasting link where the system makes one, so that it survives a replug.

    Raises:
        DeviceError: no device, or more than one, has that number; lists the numbers there are.
    """
    if not port.startswith(USB):
        return port
    from serial.tools.list_ports import comports

    wanted = port.removeprefix(USB)
    there: list[Any] = [info for info in cast("list[Any]", comports()) if info.serial_number]
    fitting = [str(info.device) for info in there if info.serial_number == wanted]
    if not fitting:
        numbers = ", ".join(sorted(f"{info.serial_number} ({info.device})" for info in there)) or "none"
        raise DeviceError(
            f"no USB serial port has the number {wanted!r}. Those there are: {numbers}. Plug it in, or correct `port`.",
            device=device,
            port=port,
        )
    if len(fitting) > 1:
        raise DeviceError(
            f"{len(fitting)} ports have the USB number {wanted!r} ({', '.join(fitting)}): name one of them by its link "
            "in /dev/serial/by-id.",
            device=device,
            port=port,
        )
    links = sorted(BY_ID.iterdir()) if BY_ID.is_dir() else []
    real = str(Path(fitting[0]).resolve())
    return next((str(link) for link in links if str(link.resolve()) == real), fitting[0])
