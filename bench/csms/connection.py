"""One WebSocket of a station: stamps what arrives, records every frame, and hands texts on.

The stamp is taken first thing in `data_received`: later than that the loop's other work would
stand in it. Frames are put on the timeline before anybody decodes them. Texts then wait in
`inbox` until the link takes them in a later callback, so that all sockets of one poll are read
(and stamped) before the first message is worked on.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

from ..timeline import PollClock, Source, Stamp
from .redact import Redactor

__all__ = ["Received", "StationConnection"]

READ_BYTES = 256 * 1024
"""asyncio's own read size: when a read is full, the rest was on the socket before the last poll."""
MOST_WAITING = 512
"""Texts in the inbox after which the socket is not read any more, until the link has caught up."""
MOST_UNSENT_BYTES = 4 * 1024 * 1024
"""Bytes a station may leave unread before it is cut off."""
RAW_LIMIT_BYTES = 64 * 1024
"""Bytes kept of a frame the library refuses."""


class Received(msgspec.Struct, frozen=True):
    """A text message: as it came, as it may be shown (no credentials), and when."""

    text: str
    shown: str
    stamp: Stamp


class StationConnection(ServerConnection):
    """A WebSocket of one station.

    `station` is its identity from the URL, "" until the request was read. `on_text` is called when
    the inbox has something; `on_lost` once, when the socket is gone.
    """

    def __init__(
        self,
        protocol: ServerProtocol,
        server: Server,
        *,
        poll: PollClock,
        source: Source,
        redactor: Redactor,
        **kw: Any,
    ) -> None:
        super().__init__(protocol, server, **kw)
        self.station = ""
        self.refusal: str | None = None
        self.user: str | None = None
        self.offered: list[str] = []
        self.inbox: deque[Received] = deque()
        self.on_text: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        self.on_unopened: Callable[[StationConnection, str], None] | None = None
        self.on_made: Callable[[StationConnection], None] | None = None
        self.on_gone: Callable[[StationConnection], None] | None = None
        self._poll = poll
        self._source = source
        self._redactor = redactor
        self._stamp = Stamp.host(time.monotonic_ns())
        self._read_full = False
        self._paused = False
        self._parts: list[bytes] = []
        self._text = True
        self._failure_seen = False
        self._closing_seen = False

    @property
    def peer(self) -> str:
        """Address of the station as `host:port`."""
        address = self.transport.get_extra_info("peername")
        return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)

    @property
    def is_open(self) -> bool:
        """Whether a frame can be sent."""
        return self.protocol.state is State.OPEN

    @property
    def last_stamp(self) -> Stamp:
        """Stamp of the last read."""
        return self._stamp

    # reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.on_made is not None:
            self.on_made(self)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        # What was left over from a full read, or held back while paused, may have arrived before the last poll.
        held_back = self._read_full or self._paused
        self._stamp = Stamp.host(now_ns, lo_ns=self._stamp.lo_ns if held_back else self._poll.previous_end_ns)
        self._read_full = len(data) >= READ_BYTES
        super().data_received(data)
        if self._paused and self.transport.is_reading():
            self._paused = False
        failure = self.protocol.parser_exc
        if failure is not None and not self._failure_seen and not isinstance(failure, EOFError):
            self._failure_seen = True
            if self.request is not None:
                self._refused_frame(failure, data)
            self._note_close()

    def process_event(self, event: Event) -> None:
        if self.request is None or isinstance(event, Request):
            super().process_event(event)
            return
        assert isinstance(event, Frame)
        data = bytes(event.data)
        if event.opcode is Opcode.PING:
            self._record("rx", "ping", self._stamp, data.hex())
            self._record("tx", "pong", Stamp.host(time.monotonic_ns(), lo_ns=self._stamp.hi_ns), data.hex())
        elif event.opcode is Opcode.PONG:
            self._record("rx", "pong", self._stamp, data.hex())
            super().process_event(event)
        elif event.opcode is Opcode.CLOSE:
            closed = self.protocol.close_rcvd
            code, reason = (closed.code, closed.reason) if closed else (1005, "")
            self._record("rx", "close", self._stamp, None, code=int(code), reason=reason)
            self._note_close()
        else:
            self._data_frame(event.opcode, data, event.fin)

    def _data_frame(self, opcode: Opcode, data: bytes, fin: bool) -> None:
        if opcode is not Opcode.CONT:
            self._text = opcode is Opcode.TEXT
            self._parts = [data]
        else:
            self._parts.append(data)
        if not fin:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts = []
        if not self._text:
            self._record("rx", "binary", self._stamp, data[:RAW_LIMIT_BYTES].hex(), bytes=len(data))
            self._violation("UnsupportedData", f"a binary message of {len(data)} bytes; OCPP-J is text only")
            return
        try:
            text = data.decode()
        except UnicodeDecodeError as exc:
            self._record("rx", "text", self._stamp, data[:RAW_LIMIT_BYTES].hex(), bytes=len(data), hex=True)
            self._violation("InvalidUtf8", f"the text is not UTF-8: {exc.reason} at byte {exc.start}")
            # RFC 6455 section 8.1: such a connection must be failed.
            self.close_soon(CloseCode.INVALID_DATA, "text is not UTF-8")
            return
        shown = self._redactor.text(text)
        self._record("rx", "text", self._stamp, shown)
        self.inbox.append(Received(text, shown, self._stamp))
        if len(self.inbox) >= MOST_WAITING and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        if self.on_text is not None:
            self.on_text()

    def take(self) -> Received | None:
        """The oldest text that waits; None when there is none."""
        if not self.inbox:
            return None
        if self._paused and len(self.inbox) <= MOST_WAITING // 4 and not self.transport.is_closing():
            self.transport.resume_reading()
        return self.inbox.popleft()

    # writing

    def send_now(self, text: str) -> Stamp | None:
        """Write one text frame and record it; None when the connection is not open any more.

        The stamp lies around the write: the frame left the bench between `lo_ns` and `hi_ns`,
        unless the station does not read (then `unsent_bytes` in the frame's event says so).
        """
        if not self.is_open:
            return None
        before_ns = time.monotonic_ns()
        self.protocol.send_text(text.encode())
        self.send_data()
        stamp = Stamp.host(time.monotonic_ns(), lo_ns=before_ns)
        unsent = self.transport.get_write_buffer_size()
        shown = self._redactor.text(text)
        if unsent:
            self._record("tx", "text", stamp, shown, unsent_bytes=unsent)
        else:
            self._record("tx", "text", stamp, shown)
        if unsent > MOST_UNSENT_BYTES:
            self._violation("NotReading", f"{unsent} bytes wait unread; the connection is cut")
            self.transport.abort()
        return stamp

    def close_soon(self, code: int, reason: str) -> None:
        """Begin the closing handshake; the socket is cut when the station does not take part in time."""
        if self.protocol.state is not State.OPEN:
            return
        self.protocol.send_close(code, reason)
        self.send_data()
        self._note_close()
        loop = asyncio.get_running_loop()
        loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.request is None and self.on_unopened is not None:
            failure = self.protocol.handshake_exc or self.protocol.parser_exc or exc
            # The name only: the message may quote a header line.
            why = type(failure).__name__ if failure is not None else "closed"
            self.on_unopened(self, f"no valid HTTP request came ({why})")
        if self.on_lost is not None:
            self.on_lost()
        if self.on_gone is not None:
            self.on_gone(self)

    # recording

    def _record(self, direction: str, kind: str, stamp: Stamp, raw: str | None, **more: Any) -> None:
        data = {"station": self.station, "dir": direction, "kind": kind, **more}
        self._source.emit("ocpp.frame", stamp, data, raw=raw)

    def _note_close(self) -> None:
        """Record the close frame that this side sent, once; the library answers some by itself."""
        sent = self.protocol.close_sent
        if sent is None or self._closing_seen:
            return
        self._closing_seen = True
        self._record("tx", "close", Stamp.host(time.monotonic_ns()), None, code=int(sent.code), reason=sent.reason)

    def _refused_frame(self, failure: Exception, data: bytes) -> None:
        self._violation(type(failure).__name__, f"{failure}; the connection is closed", data[:RAW_LIMIT_BYTES].hex())

    def _violation(self, code: str, text: str, raw: str | None = None) -> None:
        data = {"station": self.station, "layer": "frame", "code": code, "text": text, "action": None, "dir": "rx"}
        self._source.emit("ocpp.violation", self._stamp, data, raw=raw)
