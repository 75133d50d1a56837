"""Ports of CAN adapters as a bench file names them: `interface:channel`, or a plain path for SLCAN."""

from __future__ import annotations

import re
from typing import NamedTuple

from ...bench.timeline import did_you_mean
from ...errors import ConfigError

__all__ = ["INTERFACES", "CanAddress", "can_address"]

INTERFACES: dict[str, str] = {
    "slcan": "a serial port, e.g. slcan:/dev/ttyACM0 (or the plain path, or socket://host:port)",
    "socketcan": "a network interface of this host, e.g. socketcan:can0",
    "socketcand": "a CAN interface of another host, e.g. socketcand:192.168.0.7:29536/can0",
    "pcan": "PEAK's driver library, e.g. pcan:PCAN_USBBUS1",
    "kvaser": "Kvaser's driver library, e.g. kvaser:0",
    "gs_usb": "candleLight adapters over USB, without a kernel driver, e.g. gs_usb:0",
    "vector": "Vector's driver library, e.g. vector:0",
    "ixxat": "HMS Ixxat's driver library, e.g. ixxat:0",
    "virtual": "a bus inside one process, for tests, e.g. virtual:bench",
}
"""Interfaces of python-can that may be named, with an example each."""

_NUMBERED = frozenset({"kvaser", "gs_usb", "vector", "ixxat"})


class CanAddress(NamedTuple):
    """Where a CAN bus is. `host` and `tcp_port` are of socketcand only."""

    interface: str
    channel: str
    host: str = ""
    tcp_port: int = 0

    @property
    def port(self) -> str:
        """What is locked and shown: for SLCAN the serial port itself."""
        if self.interface == "slcan":
            return self.channel
        if self.interface == "socketcand":
            return f"socketcand:{self.host}:{self.tcp_port}/{self.channel}"
        return f"{self.interface}:{self.channel}"

    @property
    def number(self) -> int | str:
        """The channel as the library wants it: some count."""
        return int(self.channel) if self.interface in _NUMBERED and self.channel.isdecimal() else self.channel


def can_address(text: str) -> CanAddress:
    """Read a port.

    Raises:
        ConfigError: an unknown interface, or no channel.
    """
    name, colon, channel = text.partition(":")
    if not colon or "/" in name or channel.startswith("//") or name in ("usb", "twin"):
        return CanAddress("slcan", text)
    if name not in INTERFACES:
        known = ", ".join(INTERFACES)
        raise ConfigError(
            f"port = {text!r}: unknown CAN interface {name!r}{did_you_mean(name, INTERFACES)}. Known: {known}."
        )
    if name == "socketcand":
        found = re.fullmatch(r"([^/]+):(\d{1,5})/([\w.-]+)", channel)
        if found is None:
            raise ConfigError(f"port = {text!r} is no socketcand address; write socketcand:host:port/interface.")
        return CanAddress(name, found[3], found[1], int(found[2]))
    if not channel:
        raise ConfigError(f"port = {text!r} names no channel; {name} is {INTERFACES[name]}.")
    return CanAddress(name, channel)
