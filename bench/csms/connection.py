"""One WebSocket of a station: stamps what arrives, records every frame, and hands texts on.

The stamp is taken first thing in `data_received`: later than that the loop's other work would
stand in it. Frames are put on the timeline before anybody decodes them. Texts then wait in
`inbox` until the link takes them in a later callback, so that all sockets of one poll are read
(and stamped) before the first message is worked on.

A connection can be made worse on purpose (`hold`, `shaper`, `reset`, `forget`). What the bench itself
held back bears a stamp that begins where it may have arrived, and ends where it was passed on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import Event, State
from websockets.server import ServerProtocol

from ..timeline import PollClock, Source, Stamp
from .admission import Admission
from .misbehave import tcp
from .misbehave.shaping import Shaper
from .rawbytes import RawTail, shown_bytes
from .redact import Redactor

__all__ = ["Received", "StationConnection"]

READ_BYTES = 256 * 1024
"""asyncio's own read size: when a read is full, the rest was on the socket before the last poll."""
MOST_WAITING = 512
"""Texts in the inbox after which the socket is not read any more, until the link has caught up."""
MOST_UNSENT_BYTES = 4 * 1024 * 1024
"""Bytes a station may leave unread before it is cut off."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """A text message: as it came, as it may be shown (no credentials), and when."""

    text: str
    shown: str
    stamp: Stamp


class StationConnection(ServerConnection):
    """A WebSocket of one station.

    `station` is its identity from the URL, "" until the request was read. `on_text` is called when
    the inbox has something; `on_lost` once, when the socket is gone. `on_request` may hold a handshake
    back (by returning True) until `let_in`.
    """

    # In slots: as the library keeps many attributes too, the dictionary of all of them would be twice as big.
    __slots__ = (
        "_closing_seen",
        "_failure_seen",
        "_full_bytes",
        "_held",
        "_parts",
        "_paused",
        "_poll",
        "_read_full",
        "_read_lo_ns",
        "_redactor",
        "_source",
        "_stamp",
        "_tail",
        "_text",
        "_unread_ns",
        "_waiting",
        "admission",
        "forgotten",
        "inbox",
        "offered",
        "on_gone",
        "on_lost",
        "on_made",
        "on_request",
        "on_text",
        "on_unopened",
        "refusal",
        "shaper",
        "station",
        "user",
    )

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
        self.admission = Admission()
        self.offered: list[str] = []
        # A list: an empty one takes 56 bytes, an empty deque 620, and most stations are silent most of the time.
        self.inbox: list[Received] = []
        self.on_text: Callable[[], None] | None = None
        self.on_lost: Callable[[StationConnection], None] | None = None
        self.on_unopened: Callable[[StationConnection, str], None] | None = None
        self.on_made: Callable[[StationConnection], None] | None = None
        self.on_gone: Callable[[StationConnection], None] | None = None
        self.on_request: Callable[[StationConnection, Request], bool] | None = None
        self.shaper: Shaper | None = None
        self.forgotten = False
        self._poll = poll
        self._source = source
        self._redactor = redactor
        self._stamp = Stamp.host(time.monotonic_ns())
        self._read_lo_ns = self._stamp.lo_ns
        self._full_bytes = READ_BYTES
        self._read_full = False
        self._unread_ns: int | None = None
        self._paused = False
        self._held = False
        self._waiting: Request | None = None
        self._tail = RawTail(protocol)
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
        return self.protocol.state is State.OPEN and not self.forgotten and not self.transport.is_closing()

    @property
    def held_back(self) -> bool:
        """Whether its handshake gets no answer for now, on purpose."""
        return self._waiting is not None

    @property
    def last_stamp(self) -> Stamp:
        """Stamp of the last read."""
        return self._stamp

    def drop_headers(self) -> None:
        """Keep the headers of the handshake no longer; they are 3 KiB, and the credentials stand in them."""
        for message in (self.request, self.response):
            if message is not None:
                message.headers.clear()

    # reading

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if transport.get_extra_info("ssl_object") is not None:
            # A full read of records holds at least so much text (one byte of it takes up to 32 on the wire).
            self._full_bytes = READ_BYTES // 32
        if self.on_made is not None:
            self.on_made(self)

    def data_received(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        lo_ns = self._poll.previous_end_ns
        if self._unread_ns is not None:
            # Held back while the socket was not read: it may have arrived since.
            lo_ns, self._unread_ns = min(lo_ns, self._unread_ns), None
        if self._read_full:
            # What a full read left over may have arrived before the last poll.
            lo_ns = min(lo_ns, self._read_lo_ns)
        self._read_lo_ns = lo_ns
        self._read_full = len(data) >= self._full_bytes
        if self.shaper is not None:
            self.shaper.inward.push(data, lo_ns)
        else:
            self._take_in(data, Stamp.host(now_ns, lo_ns=lo_ns))

    def _take_in(self, data: bytes, stamp: Stamp) -> None:
        self._stamp = stamp
        self._tail.begin(data, opened=self.request is not None)
        super().data_received(data)
        failure = self.protocol.parser_exc
        if failure is not None and not self._failure_seen and not isinstance(failure, EOFError):
            self._failure_seen = True
            if self.request is not None:
                self._refused_frame(failure)
            self._note_close()
        self._tail.end()

    def eof_received(self) -> None:
        if self.shaper is not None:
            self.shaper.inward.flush()
        super().eof_received()

    def _read_or_not(self) -> None:
        """Read the socket, unless the inbox is full or a fault holds it."""
        if self._paused or self._held:
            if self._unread_ns is None and not self.transport.is_closing():
                self._unread_ns = self._read_lo_ns if self._read_full else self._poll.previous_end_ns
            self.transport.pause_reading()
        elif not self.transport.is_closing():
            self.transport.resume_reading()

    def process_event(self, event: Event) -> None:
        if self.request is None or isinstance(event, Request):
            if isinstance(event, Request) and self.on_request is not None and self.on_request(self, event):
                self._waiting = event
            else:
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
        more = {"fragments": len(self._parts)} if len(self._parts) > 1 else {}
        self._parts = []
        if not self._text:
            self._record("rx", "binary", self._stamp, shown_bytes(data, self._redactor), bytes=len(data), **more)
            self._violation("UnsupportedData", f"a binary message of {len(data)} bytes; OCPP-J is text only")
            return
        try:
            text = data.decode()
        except UnicodeDecodeError as exc:
            self._record(
                "rx", "text", self._stamp, shown_bytes(data, self._redactor), bytes=len(data), hex=True, **more
            )
            self._violation("InvalidUtf8", f"the text is not UTF-8: {exc.reason} at byte {exc.start}")
            # RFC 6455 section 8.1: such a connection must be failed.
            self.close_soon(CloseCode.INVALID_DATA, "text is not UTF-8")
            return
        shown = self._redactor.text(text)
        self._record("rx", "text", self._stamp, shown, **more)
        self.inbox.append(Received(text, shown, self._stamp))
        if len(self.inbox) >= MOST_WAITING and not self._paused:
            self._paused = True
            self._read_or_not()
        if self.on_text is not None:
            self.on_text()

    def take(self) -> Received | None:
        """The oldest text that waits; None when there is none."""
        if not self.inbox:
            return None
        if self._paused and len(self.inbox) <= MOST_WAITING // 4:
            self._paused = False
            self._read_or_not()
        return self.inbox.pop(0)

    # writing

    def send_now(self, text: str) -> Stamp | None:
        """Write one text frame and record it; None when the connection is not open any more.

        The stamp lies around the write: the frame left the bench between `lo_ns` and `hi_ns`, unless
        the station does not read, or a fault holds it back (then `unsent_bytes` in the frame's event says so).
        """
        if not self.is_open:
            return None
        before_ns = time.monotonic_ns()
        self.protocol.send_text(text.encode())
        self.send_data()
        stamp = Stamp.host(time.monotonic_ns(), lo_ns=before_ns)
        held = self.shaper.outward.held_bytes if self.shaper is not None else 0
        unsent = self.transport.get_write_buffer_size() + held
        shown = self._redactor.text(text)
        if unsent:
            self._record("tx", "text", stamp, shown, unsent_bytes=unsent)
        else:
            self._record("tx", "text", stamp, shown)
        if unsent - held > MOST_UNSENT_BYTES:
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

    def send_data(self) -> None:
        if self.forgotten:
            self.protocol.data_to_send()
        elif self.shaper is None:
            super().send_data()
        else:
            for data in self.protocol.data_to_send():
                self.shaper.outward.push(data, 0)

    def _write_out(self, data: bytes, _: int) -> None:
        if self.transport.is_closing():
            return
        if data:
            self.transport.write(data)
        elif self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    # faults on purpose

    def hold(self, on: bool) -> None:
        """Stop reading the socket, or read it again."""
        self._held = on
        self._read_or_not()

    def shape(self) -> Shaper:
        """What passes the connection's bytes on from now on; `unshape` when it changes nothing any more."""
        if self.shaper is None:
            self.shaper = Shaper(self._passed_in, self._write_out)
        return self.shaper

    def unshape(self) -> None:
        """Pass the bytes on directly again, if nothing is held back any more."""
        if self.shaper is not None and self.shaper.idle:
            self.shaper = None

    def _passed_in(self, data: bytes, lo_ns: int) -> None:
        self._take_in(data, Stamp.host(time.monotonic_ns(), lo_ns=lo_ns))

    def let_in(self) -> None:
        """Go on with a handshake that was held back; it counts as received now."""
        event, self._waiting = self._waiting, None
        if event is not None and not self.transport.is_closing():
            self._stamp = Stamp.host(time.monotonic_ns(), lo_ns=self._stamp.lo_ns)
            super().process_event(event)

    def reset(self) -> None:
        """Cut the TCP connection by a RST: no close frame, no FIN, and what was not sent is thrown away."""
        tcp.reset(self.transport)

    def forget(self, limit_s: float, over: Callable[[str], None]) -> None:
        """Say nothing more and read nothing more, but leave the socket open until the station gives it up.

        `over` is told why it ended: the station gave up, or `limit_s` seconds were over.
        """
        self.forgotten = True
        self.hold(True)
        tcp.watch(self.transport, limit_s, over)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.shaper is not None:
            self.shaper.inward.flush()
            self.shaper.drop()
        super().connection_lost(exc)
        self._cut_off()
        if self.request is None and self.on_unopened is not None:
            failure = self.protocol.handshake_exc or self.protocol.parser_exc or exc
            # The name only: the message may quote a header line.
            why = type(failure).__name__ if failure is not None else "closed"
            waited = self._waiting is not None
            self.on_unopened(
                self, "given up while no answer came, on purpose" if waited else f"no valid HTTP request came ({why})"
            )
        if self.on_lost is not None:
            self.on_lost(self)
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

    def _refused_frame(self, failure: Exception) -> None:
        why = f"{failure}; the connection is closed"
        self._violation(type(failure).__name__, why, shown_bytes(self._tail.raw, self._redactor))
        self._unfinished()

    def _cut_off(self) -> None:
        """Record what had come of a frame, or of a message in several, when the connection ended."""
        raw = self._tail.raw
        if raw and not self._failure_seen and self.request is not None and self.protocol.close_rcvd is None:
            text = f"the connection ended within a frame, after {self._tail.total} bytes of it"
            self._violation("IncompleteFrame", text, shown_bytes(raw, self._redactor))
        self._unfinished()

    def _unfinished(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            data = b"".join(parts)
            text = f"the connection ended within a message, after {len(parts)} frames with {len(data)} bytes"
            self._violation("IncompleteMessage", text, shown_bytes(data, self._redactor))

    def _violation(self, code: str, text: str, raw: str | None = None) -> None:
        data = {"station": self.station, "layer": "frame", "code": code, "text": text, "action": None, "dir": "rx"}
        self._source.emit("ocpp.violation", self._stamp, data, raw=raw)
