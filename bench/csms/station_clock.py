"""The station's clock against the bench's wall clock, told when it is news.

A message that never waits in a queue is taken to be at most `SEND_DELAY_S` old. That is an assumption, good enough to
show to somebody who wonders; verdicts rest on causes instead.
"""

from __future__ import annotations

from ..timeline import Interval, StationTime

__all__ = ["StationClock"]

SEND_DELAY_S = 2.0
"""Age assumed at most between an event and the arrival of its message, when it did not wait in a queue."""
WORTH_TELLING_S = 0.05
"""A bound that moved by less is not told again."""


class StationClock:
    """Offset of one station's clock (station minus bench), in seconds."""

    def __init__(self) -> None:
        self._time = StationTime()
        self._told: Interval | None = None

    @property
    def steps(self) -> int:
        """How often the clock was set, as far as it was noticed."""
        return len(self._time.steps)

    def claim(self, text: str, kind: str, rx_lo_ns: int, rx_hi_ns: int, wall_ns: int, *, queued: bool) -> bool:
        """Take one claimed time; True when the offset is news.

        `rx_lo_ns`, `rx_hi_ns`: arrival on the bench clock. `wall_ns`: wall clock minus bench clock.
        `queued`: the message may be old.
        """
        self._time.heard(text, rx_hi_ns, kind)
        if not queued:
            self._time.caused(text, rx_lo_ns - round(SEND_DELAY_S * 1e9), rx_hi_ns, kind)
        now, told = self.offset_s(rx_hi_ns, wall_ns), self._told
        if now is None:
            return False
        if told is not None and abs(now.lo - told.lo) < WORTH_TELLING_S and abs(now.hi - told.hi) < WORTH_TELLING_S:
            return False
        self._told = now
        return True

    def offset_s(self, at_ns: int, wall_ns: int) -> Interval | None:
        """Station minus bench in seconds of the wall clock; None before both sides are known."""
        offset = self._time.offset(at_ns)
        if offset is None or offset.width == float("inf"):
            return None
        return Interval((offset.lo - wall_ns) / 1e9, (offset.hi - wall_ns) / 1e9)
