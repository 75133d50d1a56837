"""One stretch of somebody else's clock between two settings of it: bounds of its offset, from evidence.

All times in nanoseconds. `o(t)` is what that clock shows minus the bench clock at bench time `t`; within a piece it
changes by the drift alone. A bound that is known of `o` at one instant holds, widened by the drift, at every other.
"""

from __future__ import annotations

from .interval import Interval
from .stamp import drift_ns

__all__ = ["ClockPiece"]

INF = float("inf")
KEEP = 64
"""Bounds kept on either side; dropping the oldest only ever widens."""

_Bound = tuple[int, int]


class ClockPiece:
    """What is known of one piece.

    - `never_set`: a clock that shows a year before its protocol existed.
    - `begins_ns`, `ends_ns`: the piece was not in force before, and not after.
    - `heard_ns`: since when what is heard of it agrees to within `tolerance_ns`; readings from before are not
      vouched for.
    """

    def __init__(self, drift_ppm: int, begins_ns: float = -INF, *, never_set: bool = False) -> None:
        self.never_set = never_set
        self.begins_ns = begins_ns
        self.ends_ns = INF
        self.proven_ns = begins_ns
        self.heard_ns = INF
        self._ppm = drift_ppm
        self._heard_lo = 0
        self._lows: list[_Bound] = []
        self._highs: list[_Bound] = []

    def at_least(self, at_ns: int, offset_ns: int, tolerance_ns: int = 0) -> None:
        """`o(at_ns) >= offset_ns`, from a message that arrived then."""
        if self.heard_ns == INF or offset_ns - self._heard_lo > tolerance_ns + self._drift(at_ns - int(self.heard_ns)):
            self.heard_ns, self._heard_lo = at_ns, offset_ns
        _keep(self._lows, at_ns, offset_ns, self._ppm, 1)

    def at_most(self, at_ns: int, offset_ns: int) -> None:
        """`o(at_ns) <= offset_ns`, from a message whose cause was then; the piece was still in force."""
        self.proven_ns = max(self.proven_ns, at_ns)
        _keep(self._highs, at_ns, offset_ns, self._ppm, -1)

    def offset(self, at_ns: int) -> Interval:
        """Bounds of `o(at_ns)`; a side of which nothing is known is infinite."""
        lo = max((bound - self._drift(at_ns - since) for since, bound in self._lows), default=-INF)
        hi = min((bound + self._drift(at_ns - since) for since, bound in self._highs), default=INF)
        return Interval(min(lo, hi), max(lo, hi))

    def place(self, reading: Interval, after_ns: float, until_ns: float) -> Interval | None:
        """When, from `after_ns` to `until_ns`, the clock showed something within `reading`; None: not in this piece."""
        lo, hi = max(self.begins_ns, after_ns), min(self.ends_ns, until_ns)
        for since, bound in self._highs:
            y = int(reading.lo) - bound - since
            lo = max(lo, since + y - self._drift(y))
        for since, bound in self._lows:
            x = int(reading.hi) - bound - since
            hi = min(hi, since + x + self._drift(x))
        return Interval(lo, hi) if lo <= hi else None

    def _drift(self, elapsed_ns: int) -> int:
        return drift_ns(elapsed_ns, self._ppm)


def _keep(bounds: list[_Bound], at_ns: int, value: int, ppm: int, sign: int) -> None:
    """Add a bound unless another is at least as good everywhere; drop those that it makes useless."""
    for since, known in bounds:
        if sign * (known - value) >= drift_ns(at_ns - since, ppm):
            return
    bounds[:] = [(since, known) for since, known in bounds if sign * (value - known) < drift_ns(at_ns - since, ppm)]
    bounds.append((at_ns, value))
    if len(bounds) > KEEP:
        del bounds[0]
