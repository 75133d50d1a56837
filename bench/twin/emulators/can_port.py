"""How an emulated device on a CAN bus is reached: behind an SLCAN adapter on a pty, or behind socketcand on TCP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from .kinds import Place
from .pty_port import PtyPort
from .slcan import SlcanAdapter
from .socketcand import SocketcandServer

__all__ = ["CanPort", "SlcanPort", "SocketcandPort", "can_port"]

OnFrame = Callable[[int, bytes], None]


class CanPort(Protocol):
    """One bus. Frames are standard ones (11 bits)."""

    @property
    def port(self) -> str: ...

    async def start(self) -> None: ...

    def send(self, identifier: int, data: bytes, now_ns: int) -> None:
        """The device sends a frame."""
        ...

    def set_bus_off(self, off: bool) -> None:
        """The controller at the bench's end leaves the bus, or is back."""
        ...

    def close(self) -> None: ...


class SlcanPort:
    def __init__(self, place: Place, on_frame: OnFrame) -> None:
        self._adapter = SlcanAdapter(on_frame)
        self._line = PtyPort(place.loop, place.folder / place.name, self._adapter.take_bytes, place.note, place.wire)
        self.port = str(place.folder / place.name)

    async def start(self) -> None:
        self._adapter.attach(self._line)

    def send(self, identifier: int, data: bytes, now_ns: int) -> None:
        self._adapter.send(identifier, data, now_ns // 1_000_000)

    def set_bus_off(self, off: bool) -> None:
        self._adapter.bus_off = off

    def close(self) -> None:
        self._line.close()


class SocketcandPort:
    """`port` is `socketcand:127.0.0.1:PORT/vcan0`."""

    def __init__(self, place: Place, on_frame: OnFrame) -> None:
        self._server = SocketcandServer(on_frame, "vcan0")
        self._faults = place.wire
        self.port = ""

    async def start(self) -> None:
        if self._faults is not None:
            self._faults.pull = self._server.pull
        self.port = f"socketcand:127.0.0.1:{await self._server.start()}/{self._server.interface}"

    def send(self, identifier: int, data: bytes, now_ns: int) -> None:
        self._server.send(identifier, data, now_ns)

    def set_bus_off(self, off: bool) -> None:
        self._server.set_bus_off(off, asyncio.get_running_loop().time())

    def close(self) -> None:
        self._server.close()


def can_port(wire: str, place: Place, on_frame: OnFrame) -> CanPort:
    """The port of a kind: slcan or socketcand."""
    return {"slcan": SlcanPort, "socketcand": SocketcandPort}[wire](place, on_frame)
