"""What came just before: with intervals that overlap, an answer may stand before its trigger in the sequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ...timeline import Event
from .keys import Key

__all__ = ["LookBack"]


class LookBack:
    """The last events of a kind with their keys, so many at most.

    `reach` is how late (ns of the bench clock) any event up to an entry may have been: what a trigger does not reach
    need not be looked at. What was given up is remembered by its reach, so that one knows when it would have mattered.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: deque[tuple[float, Event, Sequence[Key]]] = deque(maxlen=count)
        self._gone: float | None = None
        self.reach: float = float("-inf")

    def add(self, event: Event, keys: Sequence[Key], hi_ns: float) -> None:
        """An event that may have been as late as `hi_ns`."""
        if hi_ns > self.reach:
            self.reach = hi_ns
        kept = self._kept
        if len(kept) == self._count:
            self._gone = kept[0][0]
        kept.append((self.reach, event, keys))  # of a full one the oldest goes

    def since(self, from_ns: float) -> tuple[list[tuple[Event, Sequence[Key]]], bool]:
        """The events that may have been at `from_ns` or later, oldest first; whether such a one was given up."""
        found: list[tuple[Event, Sequence[Key]]] = []
        for reach, event, keys in reversed(self._kept):
            if reach < from_ns:
                break
            found.append((event, keys))
        found.reverse()
        return found, self._gone is not None and self._gone >= from_ns
