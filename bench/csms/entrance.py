"""The way into the back end: its ports, the WebSocket handshake, and every client that is turned away."""

from __future__ import annotations

import errno
import http
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from functools import partial
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from ...errors import BenchError, CsmsError
from ..timeline import PollClock, Source, Stamp
from .connection import StationConnection
from .door import Door, DoorConnection, Limits
from .redact import Redactor
from .security import Security
from .security.judge import Refusal, basic_of, judge
from .versions import DIALECTS, pick

__all__ = ["Attempt", "Entrance", "Limits"]

CLOSE_TIMEOUT_S = 2.0
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a station on this machine reaches a port that listens on every address."""


class Attempt(msgspec.Struct, frozen=True):
    """The last time somebody tried to connect. `refused` is None when it was let in. `at_ns`: bench clock."""

    at_ns: int
    peer: str
    station: str
    refused: str | None


class Entrance:
    """Listens, and hands each station that may come in to `welcome(connection, subprotocol)`.

    - `stations`: ids that may connect; None: every one. `security` None: profile 0, nothing is checked.
    - `strict(station)`: refuse what would otherwise be recorded and let in. `serial_of(station)`: the serial number it
      booted with before, if it is known. `held_back(connection, station)`: whether its handshake gets no answer for
      now, on purpose. `away(station)`: whether the back end restarts, and refuses it by 503. `prefer`: see
      `versions.pick`.
    """

    def __init__(
        self,
        source: Source,
        poll: PollClock,
        redactor: Redactor,
        welcome: Callable[[DoorConnection, str], Awaitable[None]],
        *,
        host: str,
        port: int,
        stations: Collection[str] | None = None,
        security: Security | None = None,
        limits: Limits | None = None,
        compression: str | None = None,
        strict: Callable[[str], bool],
        serial_of: Callable[[str], str | None],
        held_back: Callable[[StationConnection, str], bool],
        away: Callable[[str], bool],
        prefer: str | None = None,
    ) -> None:
        self.port = port
        self.tls_port = None if security is None else security.tls_port
        self.last_attempt: Attempt | None = None
        self._source = source
        self._poll = poll
        self._redactor = redactor
        self._welcome = welcome
        self._host = host
        self._stations = None if stations is None else frozenset(stations)
        self._security = security
        self._limits = limits or Limits()
        self._compression = compression
        self._strict = strict
        self._serial_of = serial_of
        self._held_back = held_back
        self._away = away
        self._prefer = prefer
        self._at_once: Counter[str] = Counter()
        self._doors: list[tuple[Door, Server]] = []
        self._open: set[StationConnection] = set()
        self._knocking: set[StationConnection] = set()
        # The same three for every connection.
        self._hooks = self._knocks, self._open.add, self._is_gone

    def url(self, station: str, *, tls: bool | None = None) -> str:
        """The address to configure in a station. `tls`: of the port with TLS, or the one without; None: the main one.

        Raises:
            CsmsError: there is no such port.
        """
        main = self._security is not None and self._security.profile >= 2
        wanted = main if tls is None else tls
        port = self.port if wanted is main else self.tls_port if wanted else None
        if port is None:
            raise CsmsError(f"no port {'with' if wanted else 'without'} TLS is open; see tls_port and profile.")
        known = () if self._security is None else self._security.hosts
        host = known[0] if self._host in EVERYWHERE and known else EVERYWHERE.get(self._host, self._host)
        shown = f"[{host}]" if ":" in host else host
        return f"{'wss' if wanted else 'ws'}://{shown}:{port}/{quote(station, safe='')}"

    @property
    def oldest_knock_ns(self) -> int | None:
        """Receipt of the oldest handshake that is being looked at, and of which nothing was told yet (bench clock)."""
        return min((one.last_stamp.order_ns for one in self._knocking if not one.held_back), default=None)

    async def start(self) -> None:
        """Listen.

        Raises:
            CsmsError: an address cannot be listened on, or a certificate cannot be used; says which and what to do.
        """
        security = self._security
        least = 0 if security is None else security.profile
        context = None if security is None or least < 2 else security.tls(least)
        self.port = await self._listen(self.port, self._door(least, context))
        if security is not None and self.tls_port is not None:
            self.tls_port = await self._listen(self.tls_port, self._door(2, security.tls(2)))

    async def close(self) -> None:
        """Close every connection (code 1001) and stop listening; may be called twice."""
        doors, self._doors = self._doors, []
        for door, _ in doors:
            door.close()
        for connection in tuple(self._open):
            if connection.is_open:
                connection.close_soon(1001, "the bench closes")
            else:
                connection.transport.abort()
        for _, server in doors:
            server.close()
        for _, server in doors:
            await server.wait_closed()

    # ports

    def _door(self, required: int, tls: Any) -> Door:
        return Door(self._limits, self._unopened, tls=tls, required=required, at_once=self._at_once)

    async def _listen(self, port: int, door: Door) -> int:
        try:
            server = await serve(
                self._serve,
                self._host,
                port,
                select_subprotocol=self._select,
                compression=self._compression,
                process_request=self._admit,
                process_response=self._refused_response,
                server_header=None,
                open_timeout=None,
                ping_interval=None,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=self._limits.message_bytes,
                max_queue=None,
                create_connection=cast("type[ServerConnection]", partial(self._connection, door)),
            )
        except OSError as exc:
            raise CsmsError(_cannot_listen(f"{self._host}:{port}", port, exc)) from exc
        self._doors.append((door, server))
        return server.sockets[0].getsockname()[1]

    # the handshake

    def _connection(self, door: Door, *args: Any, **kw: Any) -> DoorConnection:
        connection = DoorConnection(
            *args, door=door, poll=self._poll, source=self._source, redactor=self._redactor, **kw
        )
        connection.on_request, connection.on_made, connection.on_gone = self._hooks
        return connection

    def _knocks(self, connection: StationConnection, request: Request) -> bool:
        self._knocking.add(connection)
        return self._held_back(connection, _station(request))

    def _is_gone(self, connection: StationConnection) -> None:
        self._open.discard(connection)
        self._knocking.discard(connection)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Who it is, from the path (OCPP-J 1.6 section 3.1.1), and whether it may connect (3.2: 404 if not)."""
        own = cast("DoorConnection", connection)
        own.station = _station(request)
        headers = request.headers.get_all("Authorization")
        basic = basic_of(headers, own.station)
        own.user = None if basic is None else basic.user
        if not own.station:
            own.refusal = "the path names no station"
        elif self._stations is not None and own.station not in self._stations:
            own.refusal = f"station {own.station!r} is not one of this bench ({', '.join(sorted(self._stations))})"
        if own.refusal is not None:
            return connection.respond(http.HTTPStatus.NOT_FOUND, own.refusal + "\n")
        if self._away(own.station):
            own.refusal = "the back end restarts"
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, own.refusal + "\n")
        strict = self._strict(own.station)
        verdict = judge(
            self._security,
            own.station,
            own.facts,
            headers,
            required=own.door.required,
            serial=self._serial_of(own.station),
            strict=strict,
        )
        if not isinstance(verdict, Refusal):
            own.admission = verdict
            return None
        own.refusal = verdict.reason
        answer = connection.respond(http.HTTPStatus(verdict.status), verdict.reason + "\n")
        answer.headers["WWW-Authenticate"] = 'Basic realm="OCPP", charset="UTF-8"'
        return answer

    def _select(self, connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        own = cast("DoorConnection", connection)
        own.offered = [str(name) for name in offered]
        return cast("Subprotocol | None", pick(own.offered, self._prefer))

    async def _serve(self, connection: ServerConnection) -> None:
        own = cast("DoorConnection", connection)
        self._knocking.discard(own)
        if own.subprotocol is None:
            # OCPP-J 1.6 section 3.2: complete the handshake without a subprotocol, then close at once.
            offered = ", ".join(own.offered) or "none"
            why = f"it offered no OCPP version spoken here (offered: {offered}; spoken: {', '.join(DIALECTS)})"
            self._refused(own, 101, why, own.last_stamp)
            own.close_soon(1002, "no common subprotocol")
        else:
            self._tried(own, None)
            own.drop_headers()
            await self._welcome(own, own.subprotocol)
        await own.wait_closed()

    # turned away

    def _refused_response(self, connection: ServerConnection, request: Request, response: Response) -> None:
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return
        own = cast("DoorConnection", connection)
        failure = own.protocol.handshake_exc
        said = str(failure) if isinstance(failure, BenchError) else type(failure).__name__
        self._refused(own, int(response.status_code), own.refusal or f"no WebSocket handshake ({said})", own.last_stamp)
        self._knocking.discard(own)

    def _unopened(self, connection: DoorConnection, why: str) -> None:
        self._refused(connection, 0, why, Stamp.host(time.monotonic_ns()))

    def _refused(self, connection: DoorConnection, status: int, why: str, stamp: Stamp) -> None:
        # A station that takes user and password for each other must not show its password.
        why = self._redactor.text(why)
        self._tried(connection, why)
        data = {"station": connection.station, "status": status, "reason": why, "remote": connection.peer}
        auth = f"basic, user {self._redactor.text(connection.user)}" if connection.user is not None else "none"
        self._source.emit("ocpp.refused", stamp, {**data, "auth": auth})

    def _tried(self, connection: DoorConnection, refused: str | None) -> None:
        self.last_attempt = Attempt(time.monotonic_ns(), connection.peer, connection.station, refused)


def _station(request: Request) -> str:
    """The identity of the station: the last part of the path, "" if there is none."""
    return unquote(urlsplit(request.path).path.rstrip("/").rpartition("/")[2])


def _cannot_listen(where: str, port: int, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        return (
            f"the CSMS cannot listen on {where}: the port is in use by another program. "
            f"See which (`ss -ltnp 'sport = :{port}'`) and stop it, or choose another port (0 takes a free one)."
        )
    if exc.errno == errno.EACCES:
        return f"the CSMS cannot listen on {where}: not permitted. Choose a port from 1024 on."
    why = exc.strerror or str(exc)
    return f"the CSMS cannot listen on {where}: {why}. Choose an address of this machine (127.0.0.1 is loopback)."
