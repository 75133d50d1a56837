"""The embedded back end: listens, decides who may connect, and holds one link per station."""

from __future__ import annotations

import asyncio
import base64
import binascii
import errno
import http
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from ...errors import CsmsError, StationTimeout
from ..timeline import Gate, PollClock, Timeline
from .certificates import CertificateDesk
from .connection import StationConnection
from .dialect import Dialect
from .link import StationLink
from .misbehave import Script, Scripts
from .redact import Redactor
from .security.pki import Pki
from .settings import Desk, Settings
from .state import CsmsState
from .tokens import TokenStore
from .versions import DIALECTS, pick, station_actions

__all__ = ["Attempt", "Csms"]

TICK_S = 0.02
RECEIPT_NS = 1_000_000_000
"""A message is told at most this long after it arrived; a loop that stands still for longer makes it late."""
CLOSE_TIMEOUT_S = 2.0
OPEN_TIMEOUT_S = 10.0


class Attempt(msgspec.Struct, frozen=True):
    """The last time somebody tried to connect. `refused` is None when it was let in. `at_ns`: bench clock."""

    at_ns: int
    peer: str
    station: str
    refused: str | None


class Csms:
    """The back end of a bench.

    - `poll`: the selector of the loop it runs on (`timeline.new_loop`), for honest receive stamps.
    - `host`, `port`: where to listen; port 0 takes a free one (see `port`). Loopback unless told otherwise.
    - `tokens`: identifiers that may charge; None: every one. `stations`: ids that may connect; None: every one.
    - `settings`: everything else, see `Settings`; `tokens` and `heartbeat_s` given here go before it.
    - `max_message_bytes`: longest message a station may send.
    - `pki`: the authority that signs certificates of stations; None: their requests are rejected.
    """

    def __init__(
        self,
        timeline: Timeline,
        gate: Gate,
        poll: PollClock,
        *,
        state: CsmsState,
        tokens: Sequence[str | Mapping[str, Any]] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        heartbeat_s: int | None = None,
        stations: Collection[str] | None = None,
        settings: Settings | None = None,
        max_message_bytes: int = 1 << 20,
        compression: str | None = None,
        pki: Pki | None = None,
    ) -> None:
        chosen = settings or Settings()
        given = {"tokens": tokens, "heartbeat_s": heartbeat_s}
        chosen = msgspec.structs.replace(chosen, **{key: value for key, value in given.items() if value is not None})
        self._source = timeline.source("csms")
        self._source.declare(("ocpp.", "csms.", "station."), RECEIPT_NS)
        self._poll = poll
        self._host, self._port = host, port
        self._stations = None if stations is None else frozenset(stations)
        self._max_message_bytes = max_message_bytes
        self._compression = compression
        self._redactor = Redactor()
        certificates = None if pki is None else CertificateDesk(pki, self._source)
        book = TokenStore(chosen.tokens)
        self._desk = Desk(
            self._source, gate, state, chosen, self._redactor, Scripts(station_actions), book, certificates
        )
        self._links: dict[str, StationLink] = {}
        self._met: set[str] = set()
        self._dialects: dict[str, Dialect] = {}
        self._server: Server | None = None
        self._open: set[StationConnection] = set()
        self._tick: asyncio.TimerHandle | None = None
        self._attempt: Attempt | None = None

    @property
    def certificates(self) -> CertificateDesk:
        """What a test can say about certificates.

        Raises:
            CsmsError: this back end has no certificate authority.
        """
        if self._desk.certificates is None:
            raise CsmsError("this back end has no certificate authority; give it one (pki=Pki(folder)).")
        return self._desk.certificates

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def last_attempt(self) -> Attempt | None:
        """The last attempt to connect, let in or not; None before the first."""
        return self._attempt

    @property
    def stations(self) -> list[str]:
        """Ids of the stations that have been connected, in order of their first connection."""
        return [station for station in self._links if station in self._met]

    def url(self, station_id: str) -> str:
        """The address to configure in a station."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}/{quote(station_id, safe='')}"

    def station(self, station_id: str) -> StationLink:
        """The link of a station that is expected, or that has connected.

        Raises:
            CsmsError: there is no such station; names those there are.
        """
        if station_id in self._met or (self._stations is not None and station_id in self._stations):
            return self._link(station_id)
        known = ", ".join(sorted(self._met | (self._stations or frozenset()))) or "none so far"
        raise CsmsError(f"no station {station_id!r} has connected; known: {known}. Wait for it (wait_ready).")

    @property
    def tokens(self) -> TokenStore:
        """The identifiers; a change counts from the next question on."""
        return self._desk.tokens

    def on(self, action: str, station: str | None = None) -> Script:
        """Say what happens to the next requests of an action, of any station or of one: see `misbehave.Script`.

        Raises:
            CsmsError: no version has a request of this name that a station sends.
        """
        return self._desk.scripts.on(action, station)

    @property
    def scripts(self) -> Scripts:
        """All that was said by `on`."""
        return self._desk.scripts

    async def wait_ready(self, station_id: str, timeout_s: float) -> None:
        """Return when the station is served: its boot accepted, or attached after a reconnect.

        Raises:
            StationTimeout: not within `timeout_s` seconds; says what was seen instead.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._link(station_id).registration.wait_served()
        except TimeoutError as exc:
            raise StationTimeout(
                f"{station_id} was not ready within {timeout_s:g} s on {self.url(station_id)}: "
                f"{self._seen(station_id)}."
            ) from exc

    async def start(self) -> None:
        """Listen.

        Raises:
            CsmsError: the address cannot be listened on; says which and what to do.
        """
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                select_subprotocol=self._select,
                compression=self._compression,
                process_request=self._admit,
                process_response=self._refused_response,
                server_header=None,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=None,
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=self._max_message_bytes,
                max_queue=None,
                create_connection=cast("type[ServerConnection]", self._connection),
            )
        except OSError as exc:
            raise CsmsError(self._cannot_listen(exc)) from exc
        self._port = self._server.sockets[0].getsockname()[1]
        recovered = self._desk.state.recovered
        if recovered is not None:
            self._source.note("device.state", {"device": "csms", "state": "DEGRADED", "why": recovered})
        self._ticking()

    async def close(self) -> None:
        """Close every connection (code 1001) and stop listening; may be called twice."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        server, self._server = self._server, None
        for link in self._links.values():
            link.end()
            link.faults.close()
        if server is None:
            return
        for connection in tuple(self._open):
            if connection.is_open:
                connection.close_soon(1001, "the bench closes")
            else:
                connection.transport.abort()
        server.close()
        await server.wait_closed()

    # the handshake

    def _connection(self, *args: Any, **kw: Any) -> StationConnection:
        connection = StationConnection(*args, poll=self._poll, source=self._source, redactor=self._redactor, **kw)
        connection.on_unopened = self._unopened
        connection.on_request = self._held_back
        connection.on_made = self._open.add
        connection.on_gone = self._open.discard
        return connection

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Who it is, from the path (OCPP-J 1.6 section 3.1.1), and whether it may connect (3.2: 404 if not)."""
        own = cast("StationConnection", connection)
        own.station = _station(request)
        own.user = _user(request)
        if not own.station:
            own.refusal = "the path names no station"
        elif self._stations is not None and own.station not in self._stations:
            own.refusal = f"station {own.station!r} is not one of this bench ({', '.join(sorted(self._stations))})"
        if own.refusal is None:
            return None
        return connection.respond(http.HTTPStatus.NOT_FOUND, own.refusal + "\n")

    def _held_back(self, connection: StationConnection, request: Request) -> bool:
        """Whether the handshake gets no answer for now, on purpose."""
        link = self._links.get(_station(request))
        return link is not None and link.faults.holds(connection)

    def _select(self, connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        own = cast("StationConnection", connection)
        own.offered = [str(name) for name in offered]
        return cast("Subprotocol | None", pick(own.offered))

    def _refused_response(self, connection: ServerConnection, request: Request, response: Response) -> None:
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return
        own = cast("StationConnection", connection)
        failure = own.protocol.handshake_exc
        why = own.refusal or f"no WebSocket handshake ({type(failure).__name__})"
        self._refused(own, int(response.status_code), why)

    def _unopened(self, connection: StationConnection, why: str) -> None:
        self._refused(connection, 0, why)

    def _refused(self, connection: StationConnection, status: int, why: str) -> None:
        self._tried(connection, why)
        data = {"station": connection.station, "status": status, "reason": why, "remote": connection.peer}
        auth = f"basic, user {connection.user}" if connection.user is not None else "none"
        self._source.emit("ocpp.refused", connection.last_stamp, {**data, "auth": auth})

    def _tried(self, connection: StationConnection, refused: str | None) -> None:
        self._attempt = Attempt(time.monotonic_ns(), connection.peer, connection.station, refused)

    async def _serve(self, connection: ServerConnection) -> None:
        own = cast("StationConnection", connection)
        name = connection.subprotocol
        if name is None:
            # OCPP-J 1.6 section 3.2: complete the handshake without a subprotocol, then close at once.
            offered = ", ".join(own.offered) or "none"
            why = f"it offered no OCPP version spoken here (offered: {offered}; spoken: {', '.join(DIALECTS)})"
            self._refused(own, 101, why)
            own.close_soon(1002, "no common subprotocol")
            await connection.wait_closed()
            return
        dialect = self._dialects.get(name)
        if dialect is None:
            dialect = self._dialects[name] = DIALECTS[name]()
        self._tried(own, None)
        self._met.add(own.station)
        self._link(own.station).attach(own, dialect)
        await connection.wait_closed()

    # inside

    def _link(self, station_id: str) -> StationLink:
        link = self._links.get(station_id)
        if link is None:
            link = self._links[station_id] = StationLink(station_id, self._desk)
        return link

    def _ticking(self) -> None:
        """Promise that nothing older comes; texts that wait in an inbox are older than now."""
        waiting = [ns for link in self._links.values() if (ns := link.oldest_waiting_ns) is not None]
        self._source.tick(min([time.monotonic_ns(), *waiting]))
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._ticking)

    def _seen(self, station_id: str) -> str:
        link, attempt = self._link(station_id), self._attempt
        if link.connected:
            return f"it is connected, and its registration is {link.registration.status or 'not begun'}"
        if attempt is None:
            return "nobody tried to connect; check the station's back-end address, and that it reaches this host"
        ago_s = (time.monotonic_ns() - attempt.at_ns) / 1e9
        outcome = f"refused: {attempt.refused}" if attempt.refused else "let in, and gone since"
        return f"the last attempt was {ago_s:.1f} s ago, from {attempt.peer} as {attempt.station!r}: {outcome}"

    def _cannot_listen(self, exc: OSError) -> str:
        where = f"{self._host}:{self._port}"
        if exc.errno == errno.EADDRINUSE:
            return (
                f"the CSMS cannot listen on {where}: the port is in use by another program. "
                f"See which (`ss -ltnp 'sport = :{self._port}'`) and stop it, or choose another port "
                "(0 takes a free one)."
            )
        if exc.errno == errno.EACCES:
            return f"the CSMS cannot listen on {where}: not permitted. Choose a port from 1024 on."
        why = exc.strerror or str(exc)
        return f"the CSMS cannot listen on {where}: {why}. Choose an address of this machine (127.0.0.1 is loopback)."


def _station(request: Request) -> str:
    """The identity of the station: the last part of the path, "" if there is none."""
    return unquote(urlsplit(request.path).path.rstrip("/").rpartition("/")[2])


def _user(request: Request) -> str | None:
    """The user name of Basic credentials; the password goes no further than here."""
    for header in request.headers.get_all("Authorization"):
        scheme, _, coded = header.partition(" ")
        if scheme.lower() == "basic":
            try:
                return base64.b64decode(coded).partition(b":")[0].decode("utf-8", "replace")
            except (binascii.Error, ValueError):
                return "unreadable"
    return None
