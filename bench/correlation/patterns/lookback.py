"""What came just before: with intervals that overlap, an answer may stand before its trigger in the sequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ...timeline import Event
from .keys import Key

__all__ = ["LookBack"]


class LookBack:
    """The last events of a kind with their keys, bounded by number and by time.

    `reach` is how late (ns of the bench clock) any event up to an entry may have been: what a trigger does not reach
    need not be looked at. What was given up is remembered by its reach, so that one knows when it would have mattered.
    """

    def __init__(self, count: int, span_ns: float) -> None:
        self._count = count
        self._span_ns = span_ns
        self._kept: deque[tuple[float, Event, Sequence[Key], float]] = deque()
        self._gone: float | None = None
        self.reach: float = float("-inf")

    def add(self, event: Event, keys: Sequence[Key], hi_ns: float) -> None:
        """An event that may have been as late as `hi_ns`."""
        if hi_ns > self.reach:
            self.reach = hi_ns
        kept = self._kept
        order_ns = event.stamp.order_ns
        kept.append((self.reach, event, keys, order_ns))
        while len(kept) > self._count or kept[0][3] < order_ns - self._span_ns:
            self._gone = kept.popleft()[0]

    def since(self, from_ns: float) -> tuple[list[tuple[Event, Sequence[Key]]], bool]:
        """The events that may have been at `from_ns` or later, oldest first; whether such a one was given up."""
        found: list[tuple[Event, Sequence[Key]]] = []
        for reach, event, keys, _ in reversed(self._kept):
            if reach < from_ns:
                break
            found.append((event, keys))
        found.reverse()
        return found, self._gone is not None and self._gone >= from_ns
