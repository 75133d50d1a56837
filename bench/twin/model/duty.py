"""What a duty cycle and a cable allow: IEC 61851-1 table A.8 and table B.2."""

from __future__ import annotations

__all__ = ["cable_rating_a", "duty_is_valid", "duty_to_current_a"]


def duty_to_current_a(duty_pct: float) -> float:
    """The current per phase in ampere that `duty_pct` allows; 0 where charging is not allowed.

    3..7 % asks for digital communication, which this vehicle does not have: 0 A. At 85 % the lower
    formula holds (51 A); both formulas of the table meet there and disagree.
    """
    if duty_pct < 8.0 or duty_pct > 97.0:
        return 0.0
    if duty_pct < 10.0:
        return 6.0
    if duty_pct <= 85.0:
        return duty_pct * 0.6
    if duty_pct <= 96.0:
        return (duty_pct - 64.0) * 2.5
    return 80.0


def duty_is_valid(duty_pct: float | None) -> bool:
    """Whether the duty allows charging at all (8..97 %)."""
    return duty_pct is not None and 8.0 <= duty_pct <= 97.0


def cable_rating_a(pp_ohm: float | None, phases: int = 3) -> float:
    """The rating in ampere of the cable coded by `pp_ohm`: 1500, 680, 220 or 100 ohm; None (no plug) = 0 A."""
    if pp_ohm is None:
        return 0.0
    if pp_ohm >= 1000.0:
        return 13.0
    if pp_ohm >= 330.0:
        return 20.0
    if pp_ohm >= 150.0:
        return 32.0
    return 63.0 if phases > 1 else 70.0
