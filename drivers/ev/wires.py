"""Which kind of CAN wire an address names."""

from __future__ import annotations

from pathlib import Path

from .address import CanAddress
from .wire import CanWire

__all__ = ["open_wire"]


def open_wire(
    device: str, address: CanAddress, *, bitrate: int, baud: int = 115200, state_dir: Path | None = None
) -> CanWire:
    """Open the bus at `address` with `bitrate` bit/s; `baud` is of a serial adapter. Imports what it needs, and waits.

    Raises:
        DeviceError: it cannot be opened; says why and what to do.
        ConfigError: a bit rate that this kind of adapter does not have.
    """
    match address.interface:
        case "slcan":
            from .slcan import SlcanWire

            return SlcanWire(device, address.channel, bitrate=bitrate, baud=baud, state_dir=state_dir)
        case "socketcand":
            from .socketcand import SocketcandWire

            return SocketcandWire(device, address)
        case _:
            from .python_can import LibraryWire

            return LibraryWire(device, address, bitrate=bitrate)
