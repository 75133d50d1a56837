"""Faults of one station's connection: reset, silence, half-open, a narrow or a distant line; and a restart in order.

A fault that lasts is the station's, not the connection's: one that comes back meanwhile meets it again. While
nothing passes (`blackhole`) its new handshake gets no answer either.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from websockets.frames import CloseCode

from ....errors import CsmsError
from .deeds import Deeds
from .units import seconds

if TYPE_CHECKING:
    from ..connection import StationConnection

__all__ = ["LinkFaults"]

LONGEST_S = 24 * 3600.0
LONGEST_RESTART_S = 10.0
SLOWEST_BYTES_PER_S = 1


class _Lasting(msgspec.Struct):
    id: str
    what: str
    begun_s: float
    timer: asyncio.TimerHandle


class LinkFaults:
    """The faults of one station. Used on the loop; each use and each end is an event `csms.misbehaviour`.

    `current` gives the open connection, `let_go` makes the back end forget it (for the reason given).
    """

    def __init__(
        self,
        deeds: Deeds,
        current: Callable[[], StationConnection | None],
        let_go: Callable[[StationConnection, str], None],
    ) -> None:
        self.deeds = deeds
        self._current = current
        self._let_go = let_go
        self._lasting: dict[str, _Lasting] = {}
        self._rate: float | None = None
        self._delays: tuple[Callable[[], float], Callable[[], float]] | None = None
        self._knocking: list[StationConnection] = []
        self._away_until_s: float | None = None

    def reset(self) -> None:
        """Cut the connection by a TCP RST.

        Raises:
            CsmsError: the station is not connected.
        """
        connection = self._connection("reset")
        self.deeds.tell("reset", "the TCP connection is cut by a RST")
        self._let_go(connection, "reset by the back end on purpose (RST)")
        connection.reset()

    def restart(self, duration: str = "5 s") -> None:
        """Restart as a back end may: close with code 1012, and answer each handshake by HTTP 503 for this time.

        It breaks no rule (RFC 6455 section 7.4, IANA: Service Restart), so it excuses nothing.

        Raises:
            CsmsError: the station is not connected, or `duration` is no time, or longer than 10 s: a station that is
                refused for longer makes its pauses longer, too, and would be blamed for what the back end did.
        """
        lasts_s = seconds(duration, "restart", LONGEST_RESTART_S)
        connection = self._connection("restart")
        self.deeds.tell("restart", f"closed in order, back after {duration}", excuses=False)
        self._away_until_s = asyncio.get_running_loop().time() + lasts_s
        connection.close_soon(CloseCode.SERVICE_RESTART, "the back end restarts")

    def half_open(self, limit: str = "10 min") -> None:
        """Forget the connection without a word; the socket stays open, unread, until the station gives it up.

        `limit`: after this time it is cut.

        Raises:
            CsmsError: the station is not connected, or `limit` is no time.
        """
        limit_s = seconds(limit, "half_open", LONGEST_S)
        connection = self._connection("half_open")
        self.deeds.tell("half-open", f"the back end forgets the connection; the socket stays open for {limit} at most")
        self._let_go(connection, "forgotten by the back end on purpose (half-open)")
        connection.forget(limit_s, lambda why: self._note("half-open", why))

    def blackhole(self, duration: str) -> None:
        """Read and write nothing for this time; the socket stays open, and afterwards everything goes on.

        Raises:
            CsmsError: `duration` is no time.
        """
        self._last("blackhole", duration, f"nothing is read or written for {duration}")
        connection = self._current()
        if connection is not None:
            self._apply(connection)

    def bandwidth(self, bytes_per_s: int, duration: str) -> None:
        """Pass so many bytes a second each way, for this time.

        Raises:
            CsmsError: less than one byte a second, or `duration` is no time.
        """
        if type(bytes_per_s) not in (int, float) or bytes_per_s < SLOWEST_BYTES_PER_S:
            raise CsmsError(f"bandwidth takes bytes per second, at least {SLOWEST_BYTES_PER_S}, not {bytes_per_s!r}.")
        self._last("bandwidth", duration, f"{bytes_per_s} bytes a second each way for {duration}")
        self._rate = float(bytes_per_s)
        connection = self._current()
        if connection is not None:
            self._apply(connection)

    def latency(self, lo: str, hi: str, *, seed: int = 0, duration: str) -> None:
        """Let each piece take between `lo` and `hi`, each way, in order, for this time.

        What each piece takes is drawn from the seed: the same for the same pieces.

        Raises:
            CsmsError: no times, or `lo` is the greater.
        """
        lo_s, hi_s = seconds(lo, "latency", LONGEST_S), seconds(hi, "latency", LONGEST_S)
        if lo_s > hi_s:
            raise CsmsError(f"latency goes from the least to the most: {lo!r} is more than {hi!r}.")
        self._last("latency", duration, f"{lo} to {hi} each way, seed {seed}, for {duration}")
        self._delays = (_drawn(f"{seed} in", lo_s, hi_s), _drawn(f"{seed} out", lo_s, hi_s))
        connection = self._current()
        if connection is not None:
            self._apply(connection)

    def stop(self) -> None:
        """End every fault that lasts. A half-open connection stays: nobody knows it any more."""
        self._away_until_s = None
        for what in list(self._lasting):
            self._end(what)

    @property
    def active(self) -> tuple[str, ...]:
        """The faults that last now."""
        return tuple(self._lasting)

    # for the server and the link

    @property
    def away(self) -> bool:
        """Whether the back end restarts: it takes no connection now."""
        return self._away_until_s is not None and asyncio.get_running_loop().time() < self._away_until_s

    def attached(self, connection: StationConnection) -> None:
        """The station has a new connection: what lasts holds for it too."""
        if self._lasting:
            self._apply(connection)

    def holds(self, connection: StationConnection) -> bool:
        """Whether a handshake of the station is not answered now; it is when the silence is over."""
        if "blackhole" not in self._lasting:
            return False
        # Those that gave up meanwhile need no answer any more.
        self._knocking = [one for one in self._knocking if not one.transport.is_closing()]
        self._knocking.append(connection)
        return True

    def close(self) -> None:
        """The back end closes: no timer stays behind, and nothing is held back."""
        for what in list(self._lasting):
            self._lasting.pop(what).timer.cancel()
        self._release()

    # inside

    def _connection(self, word: str) -> StationConnection:
        connection = self._current()
        if connection is None or not connection.is_open:
            raise CsmsError(f"{word}: {self.deeds.station} is not connected. Wait for it (wait_ready).")
        return connection

    def _last(self, what: str, duration: str, detail: str) -> None:
        lasts_s = seconds(duration, what, LONGEST_S)
        self._end(what)
        loop = asyncio.get_running_loop()
        id_ = self.deeds.tell(what, detail, lasts_s=lasts_s)
        timer = loop.call_later(lasts_s, lambda: self._end(what))
        self._lasting[what] = _Lasting(id_, what, loop.time(), timer)

    def _end(self, what: str) -> None:
        fault = self._lasting.pop(what, None)
        if fault is None:
            return
        fault.timer.cancel()
        if what == "bandwidth":
            self._rate = None
        elif what == "latency":
            self._delays = None
        took_s = asyncio.get_running_loop().time() - fault.begun_s
        self.deeds.over(fault.id, f"over after {took_s:.3f} s")
        self._release()

    def _apply(self, connection: StationConnection) -> None:
        shaper = connection.shape()
        silent = "blackhole" in self._lasting
        shaper.bandwidth(self._rate)
        shaper.latency(*(self._delays or (None, None)))
        if silent:
            shaper.freeze()
        else:
            shaper.thaw()
        connection.hold(silent)
        connection.unshape()

    def _release(self) -> None:
        connection = self._current()
        if connection is not None:
            self._apply(connection)
        if "blackhole" not in self._lasting:
            knocking, self._knocking = self._knocking, []
            for waiting in knocking:
                waiting.let_in()

    def _note(self, what: str, why: str) -> None:
        self.deeds.tell(what, why, excuses=False)


def _drawn(seed: str, lo_s: float, hi_s: float) -> Callable[[], float]:
    source = random.Random(seed)
    return lambda: source.uniform(lo_s, hi_s)
