"""The embedded back end: listens, decides who may connect, and holds one link per station."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ...errors import CsmsError, StationTimeout
from ..timeline import Gate, PollClock, Stamp, Timeline
from .certificates import CertificateDesk
from .connection import StationConnection
from .dialect import Dialect
from .door import DoorConnection, Limits
from .entrance import Attempt, Entrance
from .link import StationLink
from .misbehave import Script, Scripts
from .pings import Pings
from .redact import Redactor
from .security import Pki, Security
from .settings import Desk, Settings
from .state import CsmsState
from .tokens import TokenStore
from .versions import DIALECTS, station_actions

__all__ = ["Attempt", "Csms"]

TICK_S = 0.02
MOST_KNOWN = 32
RECEIPT_NS = 1_000_000_000
"""A message is told at most this long after it arrived; a loop that stands still for longer makes it late."""


class Csms:
    """The back end of a bench.

    - `poll`: the selector of the loop it runs on (`timeline.new_loop`), for honest receive stamps.
    - `host`, `port`: where to listen; port 0 takes a free one (see `port`). Loopback unless told otherwise.
    - `tokens`: identifiers that may charge; None: every one. `stations`: ids that may connect; None: every one.
    - `settings`: everything else, see `Settings`; `tokens` and `heartbeat_s` given here go before it.
    - `security`: how stations authenticate themselves, and the authority; None: profile 0, nothing is checked.
    - `limits`: against slow and oversized clients; `max_message_bytes` goes before its field.
    - `ping_interval_s`: seconds between pings of the back end; None: none (see `set_pings`).
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
        security: Security | None = None,
        limits: Limits | None = None,
        max_message_bytes: int | None = None,
        compression: str | None = None,
        ping_interval_s: float | None = None,
        pki: Pki | None = None,
    ) -> None:
        chosen = settings or Settings()
        given = {"tokens": tokens, "heartbeat_s": heartbeat_s}
        chosen = msgspec.structs.replace(chosen, **{key: value for key, value in given.items() if value is not None})
        self._source = timeline.source("csms")
        self._source.declare(("ocpp.", "csms.", "station."), RECEIPT_NS)
        self._stations = None if stations is None else frozenset(stations)
        known = frozenset[str]() if security is None else security.passwords.secrets
        # Many known passwords would slow every message down; where they stand in one, they are found by their names.
        self._redactor = Redactor(known if len(known) <= MOST_KNOWN else ())
        authority = security.pki if pki is None and security is not None else pki
        certificates = None if authority is None else CertificateDesk(authority, self._source)
        book = TokenStore(chosen.tokens)
        self._desk = Desk(
            self._source, gate, state, chosen, self._redactor, Scripts(station_actions), book, certificates, security
        )
        self._links: dict[str, StationLink] = {}
        self._met: set[str] = set()
        self._dialects: dict[str, Dialect] = {}
        self._tick: asyncio.TimerHandle | None = None
        self._pings = Pings(ping_interval_s, self._no_pong)
        chosen_limits = limits or Limits()
        if max_message_bytes is not None:
            chosen_limits = msgspec.structs.replace(chosen_limits, message_bytes=max_message_bytes)
        self._entrance = Entrance(
            self._source,
            poll,
            self._redactor,
            self._welcome,
            host=host,
            port=port,
            stations=self._stations,
            security=security,
            limits=chosen_limits,
            compression=compression,
            strict=chosen.is_strict,
            serial_of=lambda station: state.identity(station).get("serial"),
            held_back=self._held_back,
            away=self._away,
            prefer=chosen.prefer,
        )

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
        """The port it listens on; with TLS when the security profile is 2 or 3."""
        return self._entrance.port

    @property
    def tls_port(self) -> int | None:
        """The second port, with TLS; None without one."""
        return self._entrance.tls_port

    @property
    def last_attempt(self) -> Attempt | None:
        """The last attempt to connect, let in or not; None before the first."""
        return self._entrance.last_attempt

    @property
    def stations(self) -> list[str]:
        """Ids of the stations that have been connected, in order of their first connection."""
        return [station for station in self._links if station in self._met]

    def url(self, station_id: str, *, tls: bool | None = None) -> str:
        """The address to configure in a station. `tls`: of the port with TLS, or the one without; None: the main one.

        Raises:
            CsmsError: there is no such port.
        """
        return self._entrance.url(station_id, tls=tls)

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
            CsmsError: an address cannot be listened on, or a certificate cannot be used; says which and what to do.
        """
        await self._entrance.start()
        recovered = self._desk.state.recovered
        if recovered is not None:
            self._source.note("device.state", {"device": "csms", "state": "DEGRADED", "why": recovered})
        self._ticking()

    async def close(self) -> None:
        """Close every connection (code 1001) and stop listening; may be called twice."""
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
        for link in self._links.values():
            link.end()
            link.faults.close()
        await self._entrance.close()
        for link in self._links.values():
            # What came while the connections closed may have begun something.
            link.end()

    def set_pings(self, station_id: str, every_s: float | None) -> None:
        """Ping a station every `every_s` seconds from now on; None: never. Its pongs tell the round trip (`rtt_ms`)."""
        self._pings.set(station_id, every_s)

    # stations that come in

    async def _welcome(self, connection: DoorConnection, subprotocol: str) -> None:
        dialect = self._dialects.get(subprotocol)
        if dialect is None:
            dialect = self._dialects[subprotocol] = DIALECTS[subprotocol]()
        self._met.add(connection.station)
        self._link(connection.station).attach(connection, dialect)
        for remark in connection.admission.complaints(dialect.version):
            self._violation(connection, "security", remark.code, remark.text, connection.last_stamp)
        self._pings.begin(connection)
        try:
            await connection.wait_closed()
        finally:
            self._pings.end(connection)

    def _held_back(self, connection: StationConnection, station: str) -> bool:
        """Whether a handshake gets no answer for now, on purpose."""
        link = self._links.get(station)
        return link is not None and link.faults.holds(connection)

    def _away(self, station: str) -> bool:
        """Whether the back end restarts, as this station sees it."""
        link = self._links.get(station)
        return link is not None and link.faults.away

    def _no_pong(self, connection: DoorConnection, every_s: float) -> None:
        why = f"no pong within {every_s:g} s; the connection is cut"
        self._violation(connection, "frame", "NoPong", why, Stamp.host(time.monotonic_ns()))

    def _violation(self, connection: DoorConnection, layer: str, code: str, text: str, stamp: Stamp) -> None:
        data = {"station": connection.station, "layer": layer, "code": code, "text": text, "action": None, "dir": "rx"}
        self._source.emit("ocpp.violation", stamp, data)

    # inside

    def _link(self, station_id: str) -> StationLink:
        link = self._links.get(station_id)
        if link is None:
            link = self._links[station_id] = StationLink(station_id, self._desk)
        return link

    def _ticking(self) -> None:
        """Promise that nothing older comes; handshakes and texts that wait to be worked on are older than now."""
        waiting = [self._entrance.oldest_knock_ns, *(link.oldest_waiting_ns for link in self._links.values())]
        self._source.tick(min([time.monotonic_ns(), *(ns for ns in waiting if ns is not None)]))
        self._tick = asyncio.get_running_loop().call_later(TICK_S, self._ticking)

    def _seen(self, station_id: str) -> str:
        link, attempt = self._link(station_id), self.last_attempt
        if link.connected:
            return f"it is connected, and its registration is {link.registration.status or 'not begun'}"
        if attempt is None:
            return "nobody tried to connect; check the station's back-end address, and that it reaches this host"
        ago_s = (time.monotonic_ns() - attempt.at_ns) / 1e9
        outcome = f"refused: {attempt.refused}" if attempt.refused else "let in, and gone since"
        return f"the last attempt was {ago_s:.1f} s ago, from {attempt.peer} as {attempt.station!r}: {outcome}"
