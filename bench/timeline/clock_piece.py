"""One stretch of somebody else's clock between two settings of it: bounds of its offset, from evidence.

All times in nanoseconds. `o(t)` is what that clock shows minus the bench clock at bench time `t`; within a piece it
changes by the drift alone. A bound that is known of `o` at one instant holds, widened by the drift, at every other.
"""

from __future__ import annotations

from .interval import Interval
from .stamp import drift_ns

__all__ = ["ClockPiece"]

INF = float("inf")
MILLION = 1_000_000
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
        self._rest = MILLION - drift_ppm
        self._heard_lo = 0
        self._lows: list[_Bound] = []
        self._highs: list[_Bound] = []

    def at_least(self, at_ns: int, offset_ns: int, tolerance_ns: int = 0) -> None:
        """`o(at_ns) >= offset_ns`, from a message that arrived then."""
        if self.heard_ns == INF or offset_ns - self._heard_lo > tolerance_ns + self._drift(at_ns - int(self.heard_ns)):
            self.heard_ns, self._heard_lo = at_ns, offset_ns
        self._keep(self._lows, at_ns, offset_ns, 1)

    def at_most(self, at_ns: int, offset_ns: int) -> None:
        """`o(at_ns) <= offset_ns`, from a message whose cause was then; the piece was still in force."""
        self.proven_ns = max(self.proven_ns, at_ns)
        self._keep(self._highs, at_ns, offset_ns, -1)

    def offset(self, at_ns: int) -> Interval:
        """Bounds of `o(at_ns)`; a side of which nothing is known is infinite."""
        ppm, rest = self._ppm, self._rest
        # The drift (`drift_ns`, negative here) is written out wherever there are many bounds: a station that tells the
        # time with every message has 64, and all of them are looked at several times for each.
        lo = max([bound + -abs(at_ns - since) * ppm // rest for since, bound in self._lows], default=-INF)
        hi = min([bound - -abs(at_ns - since) * ppm // rest for since, bound in self._highs], default=INF)
        return Interval(min(lo, hi), max(lo, hi))

    def place(self, reading: Interval, after_ns: float, until_ns: float) -> Interval | None:
        """When, from `after_ns` to `until_ns`, the clock showed something within `reading`; None: not in this piece."""
        lo, hi = max(self.begins_ns, after_ns), min(self.ends_ns, until_ns)
        ppm, rest = self._ppm, self._rest
        if self._highs:
            y = int(reading.lo)
            lo = max(lo, max([y - bound + -abs(y - bound - since) * ppm // rest for since, bound in self._highs]))
        if self._lows:
            x = int(reading.hi)
            hi = min(hi, min([x - bound - -abs(x - bound - since) * ppm // rest for since, bound in self._lows]))
        return Interval(lo, hi) if lo <= hi else None

    def _drift(self, elapsed_ns: int) -> int:
        return drift_ns(elapsed_ns, self._ppm)

    def _keep(self, bounds: list[_Bound], at_ns: int, value: int, sign: int) -> None:
        """Add a bound unless another is at least as good everywhere; drop those that it makes useless."""
        ppm, rest = self._ppm, self._rest
        # How much better than the new one each is, and how far the clock can have drifted between them (negative).
        known = [(sign * (bound - value), -abs(at_ns - since) * ppm // rest) for since, bound in bounds]
        if max([better + drift for better, drift in known], default=-1) >= 0:
            return
        if min([better - drift for better, drift in known], default=1) <= 0:
            bounds[:] = [one for one, (better, drift) in zip(bounds, known, strict=True) if better > drift]
        bounds.append((at_ns, value))
        if len(bounds) > KEEP:
            del bounds[0]
