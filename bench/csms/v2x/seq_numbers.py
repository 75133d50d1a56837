"""Which events of a transaction have come, by their sequence numbers.

A station counts each event of a transaction up by one, from 0 or from any number (part 2 section E 1.3.2.1). The
back end has seen all of a transaction when it has its start, its end, and every number between (section E 1.3.2).
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["SeqNumbers"]

MOST_SPANS = 64
"""Runs of numbers kept; beyond that the two oldest are joined, as if what lies between had come."""


class SeqNumbers:
    """The numbers of one transaction. `first`, `last`: of its start and its end, as far as they have come."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self._spans: list[tuple[int, int]] = []

    def add(self, number: int, *, start: bool = False, end: bool = False) -> bool:
        """Take a number; returns False when it was there before."""
        if start:
            self.first = number
        if end:
            self.last = number
        if number in self:
            return False
        self.cover(number, number)
        return True

    def cover(self, lo: int, hi: int) -> None:
        """Take every number from `lo` to `hi` as one that has come."""
        kept: list[tuple[int, int]] = []
        for below, above in self._spans:
            if above + 1 < lo or hi + 1 < below:
                kept.append((below, above))
            else:
                lo, hi = min(lo, below), max(hi, above)
        self._spans = sorted([*kept, (lo, hi)])
        if len(self._spans) > MOST_SPANS:
            (lo, _), (_, hi) = self._spans[:2]
            self._spans[:2] = [(lo, hi)]

    def __contains__(self, number: int) -> bool:
        return any(lo <= number <= hi for lo, hi in self._spans)

    @property
    def highest(self) -> int | None:
        """The highest number that has come."""
        return self._spans[-1][1] if self._spans else None

    @property
    def complete(self) -> bool:
        """Whether the start, the end and everything between have come."""
        return self.first is not None and self.last is not None and next(self.missing(), None) is None

    def missing(self) -> Iterator[int]:
        """Numbers between the first and the last that have not come, from the lowest."""
        if not self._spans:
            return
        at = self._spans[0][0] if self.first is None else min(self.first, self._spans[0][0])
        for lo, hi in self._spans:
            yield from range(at, lo)
            at = hi + 1
