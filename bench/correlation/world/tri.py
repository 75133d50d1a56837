"""Three-valued (Kleene) logic: true, false, or not known."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

__all__ = ["Tri", "all_of", "any_of", "common", "negation"]


class Tri(IntEnum):
    """Ordered so that `and` is the minimum and `or` the maximum."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2

    @classmethod
    def of(cls, value: bool) -> Tri:
        return cls.TRUE if value else cls.FALSE


def negation(value: Tri) -> Tri:
    """Not `value`; the unknown stays unknown."""
    return Tri(2 - value)


def all_of(values: Iterable[Tri]) -> Tri:
    """Kleene's `and`; TRUE for nothing."""
    return min(values, default=Tri.TRUE)


def any_of(values: Iterable[Tri]) -> Tri:
    """Kleene's `or`; FALSE for nothing."""
    return max(values, default=Tri.FALSE)


def common(values: Iterable[Tri]) -> Tri:
    """What holds whichever of the alternatives is the case: their value if they agree, else UNKNOWN."""
    seen = set(values)
    return seen.pop() if len(seen) == 1 else Tri.UNKNOWN
