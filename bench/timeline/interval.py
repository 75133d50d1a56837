"""Closed intervals: what the bench knows of a number it cannot know exactly."""

from __future__ import annotations

import msgspec

__all__ = ["Interval"]


class Interval(msgspec.Struct, frozen=True, gc=False, order=True):
    """A closed interval `[lo, hi]` in whatever unit its owner says (time: nanoseconds).

    `lo <= hi`; both ends belong to it. Arithmetic is exact for integers.
    """

    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not self.lo <= self.hi:
            raise ValueError(f"interval ends are the wrong way round: [{self.lo}, {self.hi}]")

    @classmethod
    def exact(cls, value: float) -> Interval:
        """The interval that holds `value` only."""
        return cls(value, value)

    @classmethod
    def around(cls, value: float, u: float) -> Interval:
        """`value` ± `u` (u >= 0)."""
        return cls(value - u, value + u)

    @property
    def mid(self) -> float:
        return (self.lo + self.hi) / 2

    @property
    def width(self) -> float:
        return self.hi - self.lo

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.lo - other.hi, self.hi - other.lo)

    def scaled(self, factor: float) -> Interval:
        """Every member times `factor` (of either sign)."""
        a, b = self.lo * factor, self.hi * factor
        return Interval(min(a, b), max(a, b))

    def overlaps(self, other: Interval) -> bool:
        """True when the two can be the same value."""
        return self.lo <= other.hi and other.lo <= self.hi

    def contains(self, value: float) -> bool:
        return self.lo <= value <= self.hi

    def clipped(self, lo: float) -> Interval:
        """The part at or above `lo`; a cause is never later than its effect."""
        return Interval(max(self.lo, lo), max(self.hi, lo))
