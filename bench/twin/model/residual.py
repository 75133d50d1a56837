"""Residual currents, and the monitor in the station that sees them.

Trip law (latest instants): DC 6 mA 10 s, 60 mA 0.3 s, 200 mA 0.1 s (IEC 62955); AC 30 mA 0.3 s, 60 mA 0.15 s,
150 mA 0.04 s (IEC 61008). Between these points the time is interpolated on logarithmic scales; a current that changes
adds up the shares of the time it has run, as in an inverse-time relay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from random import Random

__all__ = ["AC_LIMITS", "DC_LIMITS", "Leakage", "ResidualMonitor", "trip_limit_s"]

DC_LIMITS = ((6.0, 10.0), (60.0, 0.3), (200.0, 0.1))
AC_LIMITS = ((30.0, 0.3), (60.0, 0.15), (150.0, 0.04))
"""(mA, latest trip in seconds)."""
DC_THRESHOLD_MA = 5.0
AC_THRESHOLD_MA = 22.5
"""This device begins to act here: below its rated current, above half of it, as the standards leave open."""
RELEASE_NS = 1_000_000_000
"""It reports the fault until the residual current has been gone for this long."""


@dataclass(frozen=True, slots=True)
class Leakage:
    """A path from a live conductor to PE behind the contactor; mA at 230 V. DC flows through a rectifier."""

    ac_ma: float = 0.0
    dc_ma: float = 0.0


def trip_limit_s(limits: tuple[tuple[float, float], ...], current_ma: float) -> float | None:
    """The latest trip in seconds at `current_ma`; None below the first point of `limits`."""
    if current_ma < limits[0][0]:
        return None
    for (low_ma, low_s), (high_ma, high_s) in pairwise(limits):
        if current_ma <= high_ma:
            share = math.log(current_ma / low_ma) / math.log(high_ma / low_ma)
            return math.exp(math.log(low_s) + share * math.log(high_s / low_s))
    return limits[-1][1]


class ResidualMonitor:
    """Trips within the law; how much earlier is drawn once from `rng`, 30 to 90 % of the latest time."""

    def __init__(self, rng: Random) -> None:
        self._speed = rng.uniform(0.3, 0.9)
        self._ac_share = 0.0
        self._dc_share = 0.0
        self._gone_since_ns: int | None = None
        self.tripped = False

    @property
    def idle(self) -> bool:
        """Nothing flows that it would have to be stepped for."""
        return not self.tripped and self._ac_share == self._dc_share == 0.0

    def step(self, now_ns: int, dt_s: float, ac_ma: float, dc_ma: float) -> bool:
        """Take the residual currents of the last `dt_s` seconds; returns whether `tripped` has changed."""
        self._ac_share = self._grown(self._ac_share, AC_LIMITS, AC_THRESHOLD_MA, ac_ma, dt_s)
        self._dc_share = self._grown(self._dc_share, DC_LIMITS, DC_THRESHOLD_MA, dc_ma, dt_s)
        if self._ac_share >= 1.0 or self._dc_share >= 1.0:
            self._gone_since_ns = None
            changed, self.tripped = not self.tripped, True
            return changed
        if not self.tripped:
            return False
        if self._gone_since_ns is None:
            self._gone_since_ns = now_ns
        if now_ns - self._gone_since_ns < RELEASE_NS:
            return False
        self.tripped, self._gone_since_ns = False, None
        return True

    def _grown(
        self, share: float, limits: tuple[tuple[float, float], ...], threshold_ma: float, current_ma: float, dt_s: float
    ) -> float:
        if current_ma < threshold_ma:
            return 0.0
        latest_s = trip_limit_s(limits, max(current_ma, limits[0][0]))
        assert latest_s is not None
        return min(1.0, share + dt_s / (latest_s * self._speed))
