"""The loop's own lag, measured exactly.

A frame that the loop hands out now was not on the socket when the previous poll of the
sockets ended. So the end of the previous poll is a lower bound of its arrival, however
long a callback kept the loop busy in between.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from typing import Protocol

__all__ = ["LagSelector", "PollClock", "new_loop"]


class PollClock(Protocol):
    """What a reader on the loop needs to bound the age of what it was handed."""

    @property
    def previous_end_ns(self) -> int:
        """`monotonic_ns` by which everything that had arrived was in the poll before the current one."""
        ...


class LagSelector(selectors.DefaultSelector):
    """A selector that stamps around `select()`."""

    def __init__(self) -> None:
        super().__init__()
        now = time.monotonic_ns()
        self._previous_end_ns = now
        self._last_end_ns = now
        self.worst_lag_ns = 0

    @property
    def previous_end_ns(self) -> int:
        return self._previous_end_ns

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        now = time.monotonic_ns()
        self.worst_lag_ns = max(self.worst_lag_ns, now - self._last_end_ns)
        if timeout is None or timeout > 0:
            super().select(timeout)
            now = time.monotonic_ns()
        # The stamp comes before the poll that counts: whatever had arrived by `now` is in `ready`, so what
        # a later poll hands out is younger than `now`.
        ready = super().select(0)
        self._previous_end_ns, self._last_end_ns = self._last_end_ns, now
        return ready


def new_loop() -> tuple[asyncio.AbstractEventLoop, LagSelector]:
    """An event loop whose polls are stamped, and the selector that does it."""
    selector = LagSelector()
    return asyncio.SelectorEventLoop(selector), selector
