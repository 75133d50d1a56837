"""What stands between a socket and a station's WebSocket: limits, TLS, and the time a handshake may take.

TLS is begun here and not by `create_server`, because a handshake that fails there reaches nobody: no callback, no
log. Here it ends in `turned_away`, once, with the reason and the peer's address.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed, SecurityError
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.server import ServerProtocol

from ..timeline import Stamp
from .connection import StationConnection
from .security.tls import SPEAKING, TlsFacts, explain, facts_of

__all__ = ["Door", "DoorConnection", "Limits"]

TLS_RECORD = b"\x16\x03"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a client may ask of the server.

    - `handshake_s`: from its TCP connection to its whole WebSocket request, TLS included.
    - `per_peer`: connections from one address at once (many simulated stations may share one).
    - `message_bytes`: the longest message. Lines of a request have at most 8 KiB, a request at most 128 headers.
    """

    handshake_s: float = 10.0
    per_peer: int = 4096
    message_bytes: int = 1 << 20


class Door:
    """One port. `tls`: what it speaks, None: plain; `required`: the least security profile here.

    `turned_away(connection, why)` is called for each client that gets no WebSocket, once.
    """

    def __init__(
        self,
        limits: Limits,
        turned_away: Callable[[DoorConnection, str], None],
        *,
        tls: ssl.SSLContext | None = None,
        required: int = 0,
        at_once: Counter[str] | None = None,
    ) -> None:
        self.limits = limits
        self.turned_away = turned_away
        self.tls = tls
        self.required = required
        self.at_once: Counter[str] = Counter() if at_once is None else at_once
        self._handshakes: set[asyncio.Task[None]] = set()

    def begin_tls(self, connection: DoorConnection, raw: asyncio.Transport, context: ssl.SSLContext) -> None:
        """Start a handshake, beside everything else."""
        task = asyncio.get_running_loop().create_task(
            self._speak_tls(connection, raw, context), name=f"csms TLS handshake {connection.peer}"
        )
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    def close(self) -> None:
        """Break off the handshakes that go on."""
        for task in tuple(self._handshakes):
            task.cancel()

    async def _speak_tls(self, connection: DoorConnection, raw: asyncio.Transport, context: ssl.SSLContext) -> None:
        anteroom = _Anteroom()
        SPEAKING.set(raw)  # of this task only
        failure: BaseException | None = None
        secure: asyncio.Transport | None = None
        try:
            secure = await asyncio.get_running_loop().start_tls(
                raw, anteroom, context, server_side=True, ssl_handshake_timeout=self.limits.handshake_s
            )
        except (OSError, ssl.SSLError) as exc:
            failure = exc
        if secure is None or secure.is_closing() or anteroom.is_lost:
            over = failure is None and secure is not None
            connection.handshake_failed("it left right after the TLS handshake" if over else explain(failure))
            return
        connection.enter(secure, facts_of(secure.get_extra_info("ssl_object")))
        anteroom.leave_to(connection)


class DoorConnection(StationConnection):
    """A connection that came through a `Door`. `facts`: what its TLS handshake told; None: plain."""

    # In slots: as the library keeps many attributes too, the dictionary of all of them would be twice as big.
    __slots__ = (
        "_first",
        "_host",
        "_numbers",
        "_pings",
        "_slow",
        "_timer",
        "_told",
        "address",
        "door",
        "facts",
    )

    def __init__(self, protocol: ServerProtocol, server: Server, *, door: Door, **kw: Any) -> None:
        super().__init__(protocol, server, **kw)
        self.facts: TlsFacts | None = None
        self.door = door
        self.on_unopened = self._unopened
        self.address = "unknown"
        self._host: str | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._first = b""
        self._told = False
        self._slow = False
        self._pings: dict[bytes, int] = {}
        self._numbers = itertools.count(1)

    @property
    def peer(self) -> str:
        """Address of the station as `host:port`, also before its handshake."""
        return self.address

    # coming in

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        host, *rest = transport.get_extra_info("peername") or ("unknown",)
        self.address = f"{host}:{rest[0]}" if rest else host
        limits, loop = self.door.limits, asyncio.get_running_loop()
        if self.door.at_once[host] >= limits.per_peer:
            transport.set_protocol(asyncio.Protocol())
            transport.abort()
            self._turned_away(f"{host} has {limits.per_peer} connections already, the most that are allowed")
            return
        self._host = host
        self.door.at_once[host] += 1
        self._timer = loop.call_later(limits.handshake_s, self._too_slow, transport)
        if self.door.tls is None:
            super().connection_made(transport)
        else:
            self.door.begin_tls(self, transport, self.door.tls)

    def enter(self, transport: asyncio.Transport, facts: TlsFacts) -> None:
        """The TLS handshake is done; the WebSocket begins."""
        self.facts = facts
        transport.set_protocol(self)
        super().connection_made(transport)

    def take_up(self, data: bytes) -> None:
        """What came before `enter`: it may have arrived before the last poll."""
        self._read_full = True
        self.data_received(data)

    def handshake_failed(self, why: str) -> None:
        """There is no TLS with this client."""
        self._gone()
        slow = f"no whole handshake within {self.door.limits.handshake_s:g} s"
        self._turned_away(slow if self._slow else why)

    def data_received(self, data: bytes) -> None:
        if self.request is None and len(self._first) < len(TLS_RECORD):
            self._first = (self._first + data)[: len(TLS_RECORD)]
            if self._is_stray_tls:
                # It waits for an answer that never comes.
                self.transport.close()
                return
        super().data_received(data)
        if self.request is not None or self._waiting is not None:
            self._end_timer()
        elif self.protocol.handshake_exc is not None:
            # The library would wait for the client to close.
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone()
        super().connection_lost(exc)

    # round trips

    async def measure(self, timeout_s: float) -> float | None:
        """Seconds that a ping and its pong took; None: no pong within `timeout_s`, or the connection ended."""
        payload = f"bench {next(self._numbers)}".encode()
        before_ns = time.monotonic_ns()
        self._pings[payload] = before_ns
        try:
            async with asyncio.timeout(timeout_s):
                pong = await self.ping(payload)
                stamp = Stamp.host(time.monotonic_ns(), lo_ns=before_ns)
                self._record("tx", "ping", stamp, payload.hex())
                return await pong
        except (TimeoutError, ConnectionClosed):
            return None
        finally:
            self._pings.pop(payload, None)

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode is Opcode.PONG and self._pings:
            began_ns = self._pings.get(data := bytes(event.data))
            if began_ns is not None:
                rtt_ms = round((self._stamp.hi_ns - began_ns) / 1e6, 3)
                self._record("rx", "pong", self._stamp, data.hex(), rtt_ms=rtt_ms)
                ServerConnection.process_event(self, event)
                return
        super().process_event(event)

    # inside

    def _too_slow(self, transport: asyncio.Transport) -> None:
        self._slow = True
        transport.abort()

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _gone(self) -> None:
        self._end_timer()
        if self._host is not None:
            self.door.at_once[self._host] -= 1
            if not self.door.at_once[self._host]:
                del self.door.at_once[self._host]
            self._host = None

    @property
    def _is_stray_tls(self) -> bool:
        return self.door.tls is None and self._first == TLS_RECORD

    def _unopened(self, _: StationConnection, why: str) -> None:
        """The socket is gone and no request came: say why, as far as it can be told."""
        failure = self.protocol.handshake_exc
        if self._slow:
            why = f"no whole HTTP request within {self.door.limits.handshake_s:g} s"
        elif self._is_stray_tls:
            why = "TLS on a plain port; the address must begin with ws://, or the bench must offer TLS"
        elif isinstance(failure, SecurityError):
            why = "the HTTP request is too big (at most 128 headers, lines of 8 KiB)"
        self._turned_away(why)

    def _turned_away(self, why: str) -> None:
        if not self._told:
            self._told = True
            self.door.turned_away(self, why)


class _Anteroom(asyncio.Protocol):
    """Keeps what comes with the end of a TLS handshake until the WebSocket is there to take it."""

    def __init__(self) -> None:
        self.is_lost = False
        self._data: list[bytes] = []
        self._eof = False

    def data_received(self, data: bytes) -> None:
        self._data.append(data)

    def eof_received(self) -> None:
        self._eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True

    def leave_to(self, connection: DoorConnection) -> None:
        """Hand over what came."""
        if self._data:
            connection.take_up(b"".join(self._data))
        if self._eof:
            connection.eof_received()
