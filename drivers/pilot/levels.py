"""The letter of a control pilot state from its measured levels.

Windows as an EVSE detects them (IEC 61851-1:2017 Table A.4): A 11..13 V, B 8..10, C 5..7, D 2..4,
E -1..1, F -13..-11. What lies between two windows is undefined there; the letter does not change.
"""

from __future__ import annotations

__all__ = ["WINDOWS_V", "classify"]

WINDOWS_V: dict[str, tuple[float, float]] = {
    "A": (11.0, 13.0),
    "B": (8.0, 10.0),
    "C": (5.0, 7.0),
    "D": (2.0, 4.0),
    "E": (-1.0, 1.0),
    "F": (-13.0, -11.0),
}
"""State letter -> window of the high level in volts."""


def classify(high_v: float, low_v: float, previous: str | None = None) -> str:
    """The state letter for the highest and lowest level of a PWM period (equal when static), in volts.

    The high level decides: a low level near -12 V only says that PWM runs, or that the pilot rests
    at -12 V, and then the high level lies there too. Without a `previous` letter a level outside every
    window takes the nearest one.
    """
    for letter, (lo, hi) in WINDOWS_V.items():
        if lo <= high_v <= hi:
            if letter == "E" and low_v < WINDOWS_V["F"][1]:
                break  # a high level at 0 V over a full negative half: neither short nor supply failure
            return letter
    if previous is not None:
        return previous
    return min(WINDOWS_V, key=lambda letter: _distance(high_v, WINDOWS_V[letter]))


def _distance(value: float, window: tuple[float, float]) -> float:
    return max(window[0] - value, value - window[1], 0.0)
