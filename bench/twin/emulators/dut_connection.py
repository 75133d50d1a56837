"""One TCP connection on the DUT port: lines in, the newest state out."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any, Protocol, cast

from .dut_messages import MAX_LINE, Drive, LineError, encode, parse_drive, parse_hello, parse_line
from .ping_watch import PingWatch

__all__ = ["DutConnection", "Port"]

HELLO_TIMEOUT_S = 5.0
MAX_UNREAD = 64 * 1024


class StationPlace(Protocol):
    """The station behind a connection, once it is admitted."""

    @property
    def evses(self) -> int: ...
    def drive(self, drive: Drive) -> None: ...
    def left(self, connection: DutConnection) -> None: ...
    def state_line(self, evse: int, dropped: int) -> bytes: ...


class Port(Protocol):
    """What a connection needs of the port behind it."""

    def admit(self, connection: DutConnection, station: str, evses: int) -> StationPlace: ...
    def left(self, connection: DutConnection) -> None: ...
    def overrun(self, from_ns: int, to_ns: int) -> None: ...
    def note(self, text: str) -> None: ...
    def t_us(self) -> int: ...


class DutConnection(asyncio.Protocol):
    """Speaks with one station. Before its `hello` it may do nothing."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._skipping = False
        self._slow = False
        self._waiting: dict[int, None] = {}
        self._hello_timer: asyncio.TimerHandle | None = None
        self._pings: PingWatch | None = None
        self.berth: StationPlace | None = None
        self.station = ""
        self.dropped = 0

    # --- asyncio's side ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # Small buffers: a station that reads slowly shall miss states here, where they are counted,
        # and not work through a second of old ones in the kernel.
        self._transport.set_write_buffer_limits(high=0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        loop = asyncio.get_running_loop()
        self._hello_timer = loop.call_later(HELLO_TIMEOUT_S, self._no_hello)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        if self._pings is not None:
            self._pings.end(time.monotonic_ns())
        self._transport = None
        self._port.left(self)

    def pause_writing(self) -> None:
        self._slow = True

    def resume_writing(self) -> None:
        self._slow = False
        for evse in list(self._waiting):
            self.send_state(evse)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while self._transport is not None and not self._transport.is_closing():
            line, found, rest = self._buffer.partition(b"\n")
            if not found:
                break
            self._buffer = rest
            if self._skipping:
                self._skipping = False
            elif line.strip():
                self._take(line)
        if len(self._buffer) > MAX_LINE:
            if not self._skipping:
                self._refuse(LineError("too-long", f"a line has at most {MAX_LINE} bytes"))
            self._skipping = True
            self._buffer = b""

    # --- the port's side -----------------------------------------------------------------------------

    def send(self, line: bytes) -> None:
        """Send a message that must not be lost; a station that reads nothing any more is hung up on."""
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size() > MAX_UNREAD:
            self._port.note(f"dut port: {self.station or 'a client'} does not read; connection dropped")
            transport.abort()
            return
        transport.write(line)

    def send_state(self, evse: int) -> None:
        """Send the present state of an outlet, or remember that one is due when the station reads again."""
        if self._transport is None:
            return
        if self._slow or self.berth is None:
            if evse in self._waiting:
                self.dropped += 1
            self._waiting[evse] = None
            return
        self._waiting.pop(evse, None)
        self._transport.write(self.berth.state_line(evse, self.dropped))

    def step(self, now_ns: int) -> None:
        if self._pings is not None:
            self._pings.step(now_ns)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # --- lines ---------------------------------------------------------------------------------------

    def _take(self, line: bytes) -> None:
        now_ns = time.monotonic_ns()
        try:
            message = parse_line(line)
            kind = message["type"]
            if self.berth is None:
                self._hello(kind, message, now_ns)
            elif kind == "set":
                self.berth.drive(parse_drive(message, self.berth.evses))
            elif kind == "ping":
                self._ping(message, now_ns)
            else:
                raise LineError("bad-type", f"unknown or unexpected type {kind!r}")
        except LineError as error:
            self._refuse(error)

    def _hello(self, kind: str, message: dict[str, Any], now_ns: int) -> None:
        if kind != "hello":
            raise LineError("bad-protocol", "the first line is a hello", fatal=True)
        station, evses, ping_ns = parse_hello(message)
        self.station = station
        self.berth = self._port.admit(self, station, evses)
        for evse in list(self._waiting):
            self.send_state(evse)
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        if ping_ns is not None:
            self._pings = PingWatch(ping_ns, now_ns, self._port.overrun)

    def _ping(self, message: dict[str, Any], now_ns: int) -> None:
        if self._pings is not None:
            self._pings.ping(now_ns)
        self.send(encode("pong", id=message.get("id"), t_us=self._port.t_us()))

    def _refuse(self, error: LineError) -> None:
        self.send(encode("error", code=error.code, message=str(error)))
        if error.fatal:
            self.close()

    def _no_hello(self) -> None:
        self._refuse(LineError("bad-protocol", f"no hello within {HELLO_TIMEOUT_S:.0f} s", fatal=True))
