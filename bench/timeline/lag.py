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
        """`monotonic_ns` at the end of the poll before the current one."""
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
        busy_ns = time.monotonic_ns() - self._last_end_ns
        if busy_ns > self.worst_lag_ns:
            self.worst_lag_ns = busy_ns
        ready = super().select(timeout)
        self._previous_end_ns = self._last_end_ns
        self._last_end_ns = time.monotonic_ns()
        return ready


def new_loop() -> tuple[asyncio.AbstractEventLoop, LagSelector]:
    """An event loop whose polls are stamped, and the selector that does it."""
    selector = LagSelector()
    return asyncio.SelectorEventLoop(selector), selector
