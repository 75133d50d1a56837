"""What is uncertain by statistics, what is bounded, and the risk of a decision that rests on both.

JCGM 100 (GUM) and JCGM 106: standard uncertainties add in squares, and U = 2 u (k = 2). What is only bounded adds to U
linearly. A decision is guarded: a number within U of its limit is not decided. What remains is a specific risk: the
probability that the true value lies on the other side, for a normal distribution around what was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, hypot, sqrt

import msgspec

from .verdict import Outcome

__all__ = ["Uncertainty", "combined", "risk_of", "tail"]


class Uncertainty(msgspec.Struct, frozen=True):
    """`u`: standard uncertainty of the statistical part; `bound`: half-width of what is bounded; both >= 0."""

    u: float
    bound: float

    @property
    def expanded(self) -> float:
        """U: 2 u plus the bounds."""
        return 2 * self.u + self.bound

    @property
    def interval(self) -> str:
        """`k=2` if it has a statistical part, else `bound`."""
        return "k=2" if self.u > 0 else "bound"

    def scaled(self, factor: float) -> Uncertainty:
        """Of the same number times a factor (> 0)."""
        return Uncertainty(self.u * factor, self.bound * factor)


def combined(expanded: Sequence[float], bounds: Sequence[float]) -> Uncertainty:
    """Of a sum. `expanded`: U (k = 2) of its independent statistical parts; `bounds`: half-widths of the others."""
    return Uncertainty(hypot(*expanded) / 2, sum(bounds))


def tail(z: float) -> float:
    """The probability that a normal variable lies more than `z` standard deviations above its mean."""
    return erfc(z / sqrt(2)) / 2


def risk_of(outcome: Outcome | None, deviation: float, uncertainty: Uncertainty, limit: float) -> float | None:
    """The probability that this is false: PASS although |true value| > `limit`, FAIL although it is not.

    `deviation`: what was measured. The bounds are taken at their worst. None for another outcome, and where nothing is
    statistical.
    """
    u, apart = uncertainty.u, abs(deviation)
    if u <= 0:
        return None
    if outcome is Outcome.PASS:
        near, far = limit - apart - uncertainty.bound, limit + apart - uncertainty.bound
        return min(1.0, tail(near / u) + tail(far / u))
    if outcome is Outcome.FAIL:
        return tail((apart - uncertainty.bound - limit) / u)
    return None
