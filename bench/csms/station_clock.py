"""The station's clock against the bench's, from the times that its messages claim.

A message that arrived between two instants claims the time of its event, and that event was
before the arrival: so the clock is ahead by at least claim minus arrival. How long before is not
known; a message that never waits in a queue is taken to be at most `SEND_DELAY_S` old.
"""

from __future__ import annotations

from ..timeline import Interval, parse_claim

__all__ = ["StationClock"]

SEND_DELAY_S = 2.0
"""Age assumed at most between an event and the arrival of its message, when it did not wait in a queue."""
WORTH_TELLING_S = 0.05
"""A bound that moved by less is not told again."""


class StationClock:
    """Offset of one station's clock (station minus bench), in seconds."""

    def __init__(self) -> None:
        self._offset: Interval | None = None
        self._told: Interval | None = None

    def claim(self, text: str, rx_lo_s: float, rx_hi_s: float, *, queued: bool) -> Interval | None:
        """Take one claimed time; returns the offset when it is news, else None.

        `rx_lo_s`, `rx_hi_s`: arrival as seconds since 1970. `queued`: the message may be old.
        """
        parsed = parse_claim(text)
        if parsed is None:
            return None
        claimed_s, resolution_s = parsed[0] / 1e9, parsed[1] / 1e9
        least = claimed_s - rx_hi_s
        most = claimed_s + resolution_s - rx_lo_s + SEND_DELAY_S
        known = self._offset
        if known is None:
            if queued:
                return None
            self._offset = Interval(least, most)
        elif least > known.hi or (most < known.lo and not queued):
            self._offset = Interval(least, most)  # the clock was set
        elif most >= known.lo:
            self._offset = Interval(max(least, known.lo), known.hi if queued else min(most, known.hi))
        return self._news()

    def _news(self) -> Interval | None:
        now, told = self._offset, self._told
        if now is None:
            return None
        if told is not None and abs(now.lo - told.lo) < WORTH_TELLING_S and abs(now.hi - told.hi) < WORTH_TELLING_S:
            return None
        self._told = now
        return now
