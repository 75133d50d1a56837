"""The energy that an outlet delivered in this run, as its meter shows it."""

from __future__ import annotations

import math
from typing import Any

from ..timeline import Stamp

__all__ = ["Delivered"]

LONGEST_S = 10.0
"""Between two readings power is taken to be the higher of both, for at most so long."""
SLACK = 2.0
"""A register that grows by more than so many times what the power explains is a wrong register, not energy."""


class Delivered:
    """Adds up one meter: the greater of what its register and what its power say.

    A register may be rolled back, frozen or read in the wrong word order; the power then still counts.
    """

    def __init__(self) -> None:
        self._by_power_wh = 0.0
        self._by_register_wh = 0.0
        self._register_wh: float | None = None
        self._power_w = 0.0
        self._at_ns: int | None = None

    def take(self, data: dict[str, Any], stamp: Stamp) -> float:
        """Take a `meter.sample`; returns watt-hours since the first one."""
        power_w = abs(float(data["power_w"])) or sum(map(_product, data["current_a"], data["voltage_v"]))
        register_wh = float(data["energy_wh"])
        if not math.isfinite(power_w):
            power_w = 0.0
        before_ns, self._at_ns = self._at_ns, stamp.hi_ns
        if before_ns is not None:
            apart_s = max(0, stamp.hi_ns - before_ns) / 1e9
            most_wh = max(power_w, self._power_w) * apart_s / 3600
            self._by_power_wh += max(power_w, self._power_w) * min(apart_s, LONGEST_S) / 3600
            if self._register_wh is not None:
                grown_wh = register_wh - self._register_wh
                step_wh = float(data.get("energy_step_wh") or 0.0)
                if 0 < grown_wh <= SLACK * (most_wh + step_wh):
                    self._by_register_wh += grown_wh
        self._register_wh, self._power_w = register_wh, power_w
        return max(self._by_power_wh, self._by_register_wh)


def _product(current_a: float, voltage_v: float) -> float:
    """What a phase carries at most, where a meter tells no power."""
    return abs(current_a * voltage_v)
