"""A Modbus segment: one wire, several units. Whoever is not on it does not answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from .modbus_frames import Framing, Request, Rtu, Tcp
from .pty_port import PtyPort
from .wire_faults import WireFaults

__all__ = ["WIRES", "Bus", "Unit", "Way"]

WIRES = ("rtu", "tcp", "rtu+tcp")
"""RTU on a pty, Modbus TCP, RTU frames over TCP; both of the latter on loopback."""

TURNAROUND_S = 0.01
Send = Callable[[bytes], object]


class Way:
    """How one answer leaves: bytes after a delay; None = not at all."""

    __slots__ = ("data", "delay_s")

    def __init__(self, data: bytes | None, delay_s: float = 0.0) -> None:
        self.data = data
        self.delay_s = delay_s


class Unit(Protocol):
    """A device on the bus."""

    def answer(self, request: bytes, dress: Callable[[bytes], bytes]) -> Way:
        """What it answers to a request (function and data); `dress` makes bytes of an answer's function and data."""
        ...


class Bus:
    """One wire with its units.

    Args:
        path: symlink to make for a pty.
        baud: answers take as long as their bytes would on such a line; 0 = no time.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        path: Path,
        *,
        wire: str,
        baud: int,
        note: Callable[[str], None],
        faults: WireFaults | None,
    ) -> None:
        if wire not in WIRES:
            raise ValueError(f"wire = {wire!r}; must be one of {', '.join(WIRES)}")
        self.port = str(path)
        self.units: dict[int, Unit] = {}
        self.has_checksum = wire != "tcp"
        self._loop = loop
        self._wire = wire
        self._baud = baud
        self._note = note
        self._faults = faults
        self._line: PtyPort | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self.out = False
        if wire == "rtu":
            framing = Rtu()

            def arrived(data: bytes) -> None:
                self.serve(framing.feed(data, time.monotonic_ns()), len(data), line.write)

            line = self._line = PtyPort(loop, path, arrived, note, faults)

    async def start(self) -> None:
        """Listen; may be called by each unit."""
        if self._wire == "rtu" or self._server is not None:
            return
        self._server = await self._loop.create_server(self._client, "127.0.0.1", 0)
        number = self._server.sockets[0].getsockname()[1]
        self.port = f"{'tcp' if self._wire == 'tcp' else 'socket'}://127.0.0.1:{number}"
        if self._faults is not None:
            self._faults.attached = True
            self._faults.pull = self._pull

    def serve(self, requests: list[Request], length: int, send: Send) -> None:
        """Let the units answer; `length` is how many bytes the requests took on the line."""
        for number, request, dress in requests:
            unit = self.units.get(number)
            if unit is None:
                continue
            way = unit.answer(request, dress)
            if way.data is None:
                continue
            delay_s = way.delay_s
            if self._baud:
                delay_s += TURNAROUND_S + (length + len(way.data)) * 10 / self._baud
            if delay_s > 0.0:
                self._loop.call_later(delay_s, send, way.data)
            else:
                send(way.data)

    def _client(self) -> _Client:
        return _Client(self, Tcp() if self._wire == "tcp" else Rtu(), self._faults, self._clients)

    def _pull(self, out: bool) -> None:
        """The network cable: connections break, and new ones come to nothing."""
        self.out = out
        for client in tuple(self._clients) if out else ():
            client.hang_up()

    def close(self) -> None:
        """Hang up; may be called by each unit."""
        if self._line is not None:
            self._line.close()
        if self._server is not None:
            self._server.close()
        for client in tuple(self._clients):
            client.hang_up()


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, bus: Bus, framing: Framing, faults: WireFaults | None, all_of_them: set[_Client]) -> None:
        self._bus = bus
        self._framing = framing
        self._faults = faults
        self._all = all_of_them
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._bus.out:
            transport.abort()
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._all.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._faults is None:
            self._take(data)
        else:
            self._faults.carry("to-device", data, self._take)

    def _take(self, data: bytes) -> None:
        self._bus.serve(self._framing.feed(data, time.monotonic_ns()), len(data), self._send)

    def _send(self, data: bytes) -> None:
        if self._faults is None:
            self._put(data)
        else:
            self._faults.carry("to-bench", data, self._put)

    def _put(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def hang_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()
