"""The control pilot circuit: what the levels at the measuring point are.

Source: IEC 61851-1 Annex A, figure A.1. The station drives +-12 V through 1 kohm; the vehicle loads the
line through a diode with 2.74 kohm (state B), 882 ohm (C) or 246 ohm (D).
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

__all__ = ["RESISTANCE_OHM", "CpFaults", "Levels", "Resistor", "levels", "with_noise"]

Resistor = Literal["A", "B", "C", "D"]

SOURCE_V = 12.0
R1_OHM = 1000.0
DIODE_V = 0.7
RESISTANCE_OHM: dict[Resistor, float | None] = {
    "A": None,
    "B": 2740.0,
    "C": 2740.0 * 1300.0 / (2740.0 + 1300.0),
    "D": 2740.0 * 270.0 / (2740.0 + 270.0),
}
"""State -> resistance of the vehicle's branch in ohm; None = open."""


@dataclass(frozen=True, slots=True)
class CpFaults:
    """Faults beside the resistor.

    - `diode`: the vehicle's diode is shorted.
    - `short_ohm`: CP to PE through so many ohm, 0 = dead short, None = no short.
    - `cp_open`: the line is cut behind the measuring point.
    - `branch_ohm`: what a plugged vehicle shows instead of the resistance of its state, None = that of the state.
    - `branch_in`: the states in which it does, of B, C and D.
    """

    diode: bool = False
    short_ohm: float | None = None
    cp_open: bool = False
    branch_ohm: float | None = None
    branch_in: str = "BCD"

    def beside(self, other: CpFaults) -> CpFaults:
        """Both at once: shorts lie in parallel; `other` has the word on the branch's resistance."""
        mine, theirs = self.short_ohm, other.short_ohm
        if mine is None or theirs is None:
            short_ohm = theirs if mine is None else mine
        else:
            short_ohm = 0.0 if mine == 0.0 or theirs == 0.0 else mine * theirs / (mine + theirs)
        branch = self if other.branch_ohm is None else other
        return CpFaults(
            diode=self.diode or other.diode,
            short_ohm=short_ohm,
            cp_open=self.cp_open or other.cp_open,
            branch_ohm=branch.branch_ohm,
            branch_in=branch.branch_in,
        )


@dataclass(frozen=True, slots=True)
class Levels:
    """Highest and lowest level of one PWM period at the station's tap, in volts, without noise."""

    high_v: float
    low_v: float


def levels(resistor: Resistor, faults: CpFaults, pwm_pct: float | None) -> Levels:
    """Levels for `pwm_pct`: None = not driven (0 V), 0 = static -12 V, 100 = static +12 V, else PWM at that duty."""
    if pwm_pct is None:
        return Levels(0.0, 0.0)
    high = _node_v(SOURCE_V, resistor, faults)
    if pwm_pct >= 100.0:
        return Levels(high, high)
    low = _node_v(-SOURCE_V, resistor, faults)
    if pwm_pct <= 0.0:
        return Levels(low, low)
    return Levels(high, low)


def with_noise(value: float, rng: Random, share: float = 0.01) -> float:
    """`value` with a uniform multiplicative error of at most `share` (0.01 = 1 %)."""
    return value * (1.0 + share * (2.0 * rng.random() - 1.0))


def _branch_ohm(resistor: Resistor, faults: CpFaults) -> float | None:
    if faults.branch_ohm is not None and resistor in faults.branch_in:
        return faults.branch_ohm
    return RESISTANCE_OHM[resistor]


def _node_v(source_v: float, resistor: Resistor, faults: CpFaults) -> float:
    """The node behind R1. The branch conducts only where its diode is forward biased, or is shorted."""
    if faults.cp_open:  # the cut takes everything on the vehicle's side away: branch and short
        return source_v
    if faults.short_ohm == 0.0:
        return 0.0
    # Source, R1 and the short as one source behind one resistance (Thevenin).
    inner_ohm = R1_OHM
    bare_v = source_v
    if faults.short_ohm is not None:
        inner_ohm = R1_OHM * faults.short_ohm / (R1_OHM + faults.short_ohm)
        bare_v = source_v * faults.short_ohm / (R1_OHM + faults.short_ohm)
    branch_ohm = _branch_ohm(resistor, faults)
    if branch_ohm is None:
        return bare_v
    drop_v = 0.0 if faults.diode else DIODE_V
    if not faults.diode and bare_v <= DIODE_V:
        return bare_v
    return drop_v + (bare_v - drop_v) * branch_ohm / (inner_ohm + branch_ohm)
