"""Limits of the back end that follow each other fast, and the one that means a pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .steps import at_most, begin

STATION_MAY_TAKE = "12 s"


def offers_at_most(limit_a: float) -> Callable[[Any], bool]:
    """True of a PWM whose duty cycle offers no more than this (0.6 A per percent)."""

    def offers(pwm: Any) -> bool:
        return bool(pwm["on"]) and float(pwm["duty_pct"]) <= limit_a / 0.6 + 1.0

    return offers


def test_limits(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """20 A, then at once 10 A, then 0 A. What is open in the end is waited for before the plug is pulled."""
    begin(bench, vehicle, timeline)
    for limit_a in (20.0, 10.0):
        bench.phase(f"limit to {limit_a:g} A")
        mark = timeline.now_ns()
        csms.set_limit(limit_a)
        timeline.seen("cp.pwm", offers_at_most(limit_a), within=STATION_MAY_TAKE, since_ns=mark)
    timeline.seen("meter.sample", at_most(10.5), within=STATION_MAY_TAKE)
    bench.phase("limit to 0 A")
    mark = timeline.now_ns()
    csms.set_limit(0)
    timeline.seen("output", live=False, within=STATION_MAY_TAKE, since_ns=mark)
