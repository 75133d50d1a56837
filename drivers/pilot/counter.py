"""A microsecond counter that wraps, made endless."""

from __future__ import annotations

__all__ = ["MicrosecondCounter"]


class MicrosecondCounter:
    """Continues the readings of a counter of `bits` bits beyond its wrap.

    A reading is placed within half a turn (32 bits: 35.8 minutes) of where the counter is expected to be, or
    of the reading before where nothing is expected. So a silence of any length is bridged while the clock is known.
    """

    def __init__(self, bits: int) -> None:
        self._turn = 1 << bits
        self._last_us: int | None = None

    def extend_ns(self, raw_us: int, expected_ns: int | None = None) -> int:
        """The reading in nanoseconds, without wraps; `expected_ns`: about where the counter must be by now."""
        near_us = self._last_us if expected_ns is None else expected_ns // 1000
        if self._last_us is None or near_us is None:
            self._last_us = raw_us
        else:
            ahead = (raw_us - near_us) % self._turn
            if ahead >= self._turn // 2:
                ahead -= self._turn
            self._last_us = near_us + ahead
        return self._last_us * 1000
