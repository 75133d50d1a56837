"""One time in which a device was gone, as the timeline tells it."""

from __future__ import annotations

import asyncio
import time

from ..bench.timeline import Source

__all__ = ["Absence"]

TICK_S = 0.1
TICK_LAG_NS = 100_000_000
"""A device that comes back is read by a thread: what it brings may be this old when the loop learns of it."""
STILL_NS = 5_000_000_000
"""A gap is told again this often while it lasts: what was decided longer ago than 10 s is not looked at again."""


class Absence:
    """A gap that is open: told when it begins, while it lasts, and as a whole when it ends.

    From its beginning on the source promises that nothing comes, so that no rule waits for a device that is gone.
    """

    def __init__(self, source: Source, name: str, since_ns: int, now_ns: int, why: str) -> None:
        self._source = source
        self._name = name
        self._since_ns = since_ns
        self._told_ns = now_ns
        self._timer: asyncio.TimerHandle | None = None
        source.gap(since_ns, now_ns, f"{name} is gone: {why}")

        self._tick()

    def over(self) -> None:
        """Something answers again: the gap ends here, and what comes now is to be waited for. May be repeated."""
        if self._timer is None:
            return
        self.forget()
        self._told_ns = time.monotonic_ns()
        self._source.gap(self._since_ns, self._told_ns, f"{self._name} was gone and is back")

    def goes_on(self) -> None:
        """It was not over after all."""
        if self._timer is None:
            self._tick()

    def forget(self) -> None:
        """Promise nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._told_ns > STILL_NS:
            self._source.gap(self._told_ns, now_ns, f"{self._name} is still gone")
            self._told_ns = now_ns
        self._source.tick(now_ns - TICK_LAG_NS)
        self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)
