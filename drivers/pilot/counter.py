"""A microsecond counter that wraps, made endless."""

from __future__ import annotations

__all__ = ["MicrosecondCounter"]


class MicrosecondCounter:
    """Continues the readings of a counter of `bits` bits beyond its wrap.

    Successive readings may lie up to half a turn apart in either direction (32 bits: 35.8 minutes).
    """

    def __init__(self, bits: int) -> None:
        self._turn = 1 << bits
        self._last_us: int | None = None

    def extend_ns(self, raw_us: int) -> int:
        """The reading in nanoseconds, without wraps."""
        if self._last_us is None:
            self._last_us = raw_us
        else:
            ahead = (raw_us - self._last_us) % self._turn
            if ahead >= self._turn // 2:
                ahead -= self._turn
            self._last_us += ahead
        return self._last_us * 1000
