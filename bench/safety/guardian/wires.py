"""Wires as the guardian opens them: a serial port, here or behind RFC 2217, a TCP connection, a CAN interface.

No lock is asked for: whoever held the port is gone, and a lock that outlived him must not stand between
the guardian and the safe state.
"""

from __future__ import annotations

import socket
import struct
import time
from importlib import import_module
from typing import Any, Protocol, cast

from ....drivers.telnet import Telnet, address_of, escaped, set_up, settings_of
from .plan import Recipe, Wire

__all__ = ["OpenWire", "load_libraries", "open_wire"]

RFC2217 = "rfc2217://"
CONNECT_S = 1.0
WRITE_S = 0.5
CAN_FRAME = struct.Struct("=IB3x8s")
EXTENDED = 0x8000_0000


class OpenWire(Protocol):
    """Bytes out, and what came within a time. Raises OSError when it is gone."""

    def write(self, data: bytes) -> None: ...
    def read(self, within_s: float) -> bytes: ...


def load_libraries(recipes: tuple[Recipe, ...]) -> None:
    """Import what these wires need, so that nothing is left to import when it counts."""
    serial = [recipe.wire.address for recipe in recipes if recipe.wire.kind == "serial"]
    if any(not address.startswith(RFC2217) for address in serial):
        import_module("serial")


def open_wire(wire: Wire) -> OpenWire:
    """Open it.

    Raises:
        OSError: it is not there, or refuses.
    """
    if wire.kind == "tcp":
        return _Tcp(wire)
    if wire.kind == "can":
        return _Can(wire)
    if wire.address.startswith(RFC2217):
        return _Rfc2217(wire)
    return _Serial(wire)


class _Serial:
    def __init__(self, wire: Wire) -> None:
        import serial

        try:
            self._port: Any = cast(Any, serial).serial_for_url(
                wire.address,
                baudrate=wire.baud,
                bytesize=wire.bytesize,
                parity=wire.parity,
                stopbits=wire.stopbits,
                timeout=0,
                write_timeout=WRITE_S,
            )
        except ValueError as error:
            raise OSError(str(error)) from error

    def write(self, data: bytes) -> None:
        self._port.write(data)

    def read(self, within_s: float) -> bytes:
        self._port.timeout = within_s
        first = self._port.read(1)
        if not first:
            return b""
        self._port.timeout = 0
        return bytes(first + self._port.read(65536))


class _Tcp:
    def __init__(self, wire: Wire) -> None:
        host, _, port = wire.address.rpartition(":")
        self._socket = socket.create_connection((host.strip("[]"), int(port)), CONNECT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def write(self, data: bytes) -> None:
        self._socket.settimeout(WRITE_S)
        self._socket.sendall(data)

    def read(self, within_s: float) -> bytes:
        self._socket.settimeout(max(within_s, 0.001))
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionResetError("closed by the other side")
        return data


class _Rfc2217:
    """A serial port behind telnet. The port is set, and nobody waits for its server to confirm that."""

    def __init__(self, wire: Wire) -> None:
        host, port = address_of(wire.address)
        self._tcp = _Tcp(Wire("tcp", f"{host}:{port}"))
        self._telnet = Telnet()
        settings = settings_of(wire.baud, bits=wire.bytesize, parity=wire.parity, stop_bits=wire.stopbits)
        self._tcp.write(self._telnet.hello() + set_up(settings))

    def write(self, data: bytes) -> None:
        self._tcp.write(escaped(data))

    def read(self, within_s: float) -> bytes:
        until = time.monotonic() + within_s
        plain = b""
        while not plain and (left_s := until - time.monotonic()) > 0:
            plain = self._telnet.take(self._tcp.read(left_s))
            replies = self._telnet.replies()
            if replies:
                self._tcp.write(replies)
        return plain


class _Can:
    """Frames as text: `id#data`, hex digits, eight of them for an extended id; what comes in ends with a line end."""

    def __init__(self, wire: Wire) -> None:
        self._socket = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        self._socket.bind((wire.address,))

    def write(self, data: bytes) -> None:
        self._socket.settimeout(WRITE_S)
        for frame in data.decode("ascii").split():
            identifier, _, payload = frame.partition("#")
            number = int(identifier, 16) | (EXTENDED if len(identifier) > 3 else 0)
            content = bytes.fromhex(payload)
            self._socket.send(CAN_FRAME.pack(number, len(content), content.ljust(8, b"\0")))

    def read(self, within_s: float) -> bytes:
        self._socket.settimeout(max(within_s, 0.001))
        try:
            number, length, content = CAN_FRAME.unpack(self._socket.recv(CAN_FRAME.size))
        except TimeoutError:
            return b""
        identifier = f"{number & 0x1FFF_FFFF:08X}" if number & EXTENDED else f"{number & 0x7FF:03X}"
        return f"{identifier}#{content[:length].hex().upper()}\n".encode("ascii")
