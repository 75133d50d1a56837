"""Duty cycle and current (IEC 61851-1:2017 Table A.8), cable coding (Annex B)."""

from __future__ import annotations

__all__ = ["amps_of_duty", "amps_of_pp", "duty_of_amps", "offers_current"]

_PP_A = {1500: 13.0, 680: 20.0, 220: 32.0, 100: 63.0}


def offers_current(duty_pct: float) -> bool:
    """True for a duty cycle that lets a vehicle draw current by itself (8 to 97 %)."""
    return 8.0 <= duty_pct <= 97.0


def amps_of_duty(duty_pct: float) -> float:
    """The current in ampere that a duty cycle in percent offers; 0 where it offers none."""
    if not offers_current(duty_pct):
        return 0.0
    if duty_pct < 10.0:
        return 6.0
    if duty_pct <= 85.0:
        return duty_pct * 0.6
    return min((duty_pct - 64.0) * 2.5, 80.0)


def duty_of_amps(current_a: float) -> float:
    """The duty cycle in percent that offers `current_a` ampere (6..80); 0 below 6 A.

    In the gap between 51 A and 52.5 A, that no duty cycle stands for, the one of 51 A.
    """
    if current_a < 6.0:
        return 0.0
    if current_a <= 51.0:
        return current_a / 0.6
    if current_a < 52.5:
        return 85.0
    return min(current_a, 80.0) / 2.5 + 64.0


def amps_of_pp(ohm: float) -> float | None:
    """What a plug coded with `ohm` may carry, in ampere; None for a value that is no coding."""
    return _PP_A.get(int(ohm))
