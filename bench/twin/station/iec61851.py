"""The control pilot and the proximity pilot as pure functions: levels, debouncing, duty cycle, cable coding.

Sources: IEC 61851-1:2017 Annex A (levels, Table A.8 duty cycle) and Annex B (cable coding). Nothing here
keeps time or talks to anything; `control.py` puts it together.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = [
    "MIN_OFFER_A",
    "NO_PWM_PCT",
    "CpState",
    "Debounce",
    "cable_rating_a",
    "classify",
    "diode_seen",
    "duty_of",
]

NO_PWM_PCT = 100.0
"""Duty that means static +12 V: no current is offered (the x1 states)."""
MIN_OFFER_A = 6.0
"""The smallest current the pilot can offer; a lower limit means pause."""


class CpState(StrEnum):
    """The state of the control pilot, without its suffix (1 = no PWM, 2 = PWM)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


_WINDOWS: tuple[tuple[CpState, float, float], ...] = (
    (CpState.A, 11.0, 13.0),
    (CpState.B, 8.0, 10.0),
    (CpState.C, 5.0, 7.0),
    (CpState.D, 2.0, 4.0),
    (CpState.E, -1.0, 1.0),
    (CpState.F, -13.0, -11.0),
)


def classify(high_v: float, previous: CpState) -> CpState:
    """Name the state that belongs to the high level of the pilot.

    Args:
        high_v: settled high level, volt.
        previous: the state so far. Between two windows the standard leaves the choice open; a station
            stays in `previous` there if it is one of the two neighbours (hysteresis), else takes the nearer one.
    """
    for state, low, high in _WINDOWS:
        if low <= high_v <= high:
            return state
    by_distance = sorted(_WINDOWS, key=lambda w: min(abs(high_v - w[1]), abs(high_v - w[2])))
    neighbours = [state for state, _, _ in by_distance[:2]]
    return previous if previous in neighbours else neighbours[0]


def diode_seen(low_v: float) -> bool:
    """Whether the low level of a running PWM proves the vehicle's diode (-12 V; without it, minus the high level)."""
    return low_v <= -10.5


def cable_rating_a(pp_ohm: float | None) -> float | None:
    """The current in ampere that the plug's coding resistor allows, None where it may not be energised.

    Windows of IEC 61851-1 Table B.2; between two of them the smaller rating counts.
    """
    if pp_ohm is None or pp_ohm < 80.0 or pp_ohm > 2460.0:
        return None
    if pp_ohm <= 140.0:
        return 63.0
    if pp_ohm <= 308.0:
        return 32.0
    if pp_ohm <= 936.0:
        return 20.0
    return 13.0


def duty_of(amps: float) -> float:
    """The duty cycle in percent that offers `amps` ampere; `NO_PWM_PCT` below 6 A.

    0.6 A per percent up to 51 A, 2.5 A per percent from 52.5 A to 80 A; in the gap between them 51 A is offered,
    above 80 A 80 A.
    """
    if amps < MIN_OFFER_A:
        return NO_PWM_PCT
    if amps <= 51.0:
        return amps / 0.6
    if amps < 52.5:
        return 85.0
    return min(amps, 80.0) / 2.5 + 64.0


class Debounce:
    """Holds a new state back until it has lasted for the time its transition needs.

    Readings come when something moves, so lasting is measured by the clock and not by counting readings:
    a state lasts until another reading says otherwise.

    Args:
        delays_s: seconds for (from, to); `default_s` for all others.
    """

    def __init__(self, delays_s: Mapping[tuple[CpState, CpState], float], default_s: float) -> None:
        self._delays = dict(delays_s)
        self._default = default_s
        self.state = CpState.A
        self.since_s = 0.0
        self.candidate = CpState.A
        self.candidate_since_s = 0.0
        self._known = False

    def feed(self, now_s: float, state: CpState) -> CpState:
        """Take the newest classification at `now_s` (seconds, any base) and return the accepted state.

        The first vehicle state (A to D) is accepted at once: after power-up there is nothing to compare it with.
        """
        if not self._known and state in (CpState.A, CpState.B, CpState.C, CpState.D):
            self._known = True
            self.state = self.candidate = state
            self.since_s = self.candidate_since_s = now_s
        if state is not self.candidate:
            self.candidate = state
            self.candidate_since_s = now_s
        due = self.due_s
        if due is not None and now_s >= due:
            self.state = self.candidate
            self.since_s = now_s
        return self.state

    @property
    def due_s(self) -> float | None:
        """When the candidate will be accepted if nothing moves, None when there is none."""
        if self.candidate is self.state:
            return None
        return self.candidate_since_s + self._delays.get((self.state, self.candidate), self._default)
