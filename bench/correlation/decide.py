"""From a quantity known as an interval, and a limit known as one, to a verdict."""

from __future__ import annotations

from typing import NamedTuple

from ..timeline import Interval
from .verdict import Outcome, Range
from .world.mark import NEVER

__all__ = ["Decision", "clean", "decide", "range_of"]


class Decision(NamedTuple):
    """`lean`: what the middle of the interval would say; `decides`: the accuracy that would settle it."""

    outcome: Outcome
    margin: Range
    lean: Outcome | None
    decides: str | None


def clean(value: float) -> float | None:
    """A number as it is written down: 12 significant digits at most; None for "without bound"."""
    if value in (NEVER, -NEVER):
        return None
    return float(f"{value:.12g}")


def range_of(span: Interval, unit: str) -> Range:
    """An interval as it is written down."""
    return Range(clean(span.lo), clean(span.hi), unit)


def decide(measured: Interval, limit: Interval, unit: str) -> Decision:
    """An upper limit: PASS if all of `measured` is within all of `limit`, FAIL if none of it is."""
    margin = Range(clean(limit.lo - measured.hi), clean(limit.hi - measured.lo), unit)
    if measured.hi <= limit.lo:
        return Decision(Outcome.PASS, margin, None, None)
    if measured.lo > limit.hi:
        return Decision(Outcome.FAIL, margin, None, None)
    lean = Outcome.PASS if measured.mid <= limit.mid else Outcome.FAIL
    distance = abs(measured.mid - limit.mid)
    if measured.hi == NEVER:
        return Decision(Outcome.INCONCLUSIVE, margin, None, None)
    decides = f"decidable with an uncertainty below {distance:.4g} {unit}"
    if distance <= measured.width / 1000:
        decides = "it lies at the limit: hardly any accuracy would decide it"
    return Decision(Outcome.INCONCLUSIVE, margin, lean, decides)
