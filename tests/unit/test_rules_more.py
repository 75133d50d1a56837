"""What a rule must not conclude from silence, from an answer that did not last, or from another outlet's facts."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation import Outcome, Reason

from traces import Trace, full_session

FAIL, PASS, OPEN, NA, ERROR = Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE, Outcome.ERROR


# ---- what was not measured


def in_state_a(first: float, last: float) -> Trace:
    """State A from 5 to 9000, the meter read from `first` to `last` only."""
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.meters(first, last, 0.0)
    t.cp(9000, "B", pwm=False)
    t.end(9500)
    return t


@pytest.mark.parametrize(("first", "last"), [(60.0, 2000.0), (5000.0, 8900.0), (9100.0, 9400.0)])
def test_a_scope_that_was_sampled_in_part_is_no_pass(first: float, last: float) -> None:
    verdict = in_state_a(first, last).verdict("no_current.a")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_scope_that_was_sampled_from_end_to_end_passes() -> None:
    assert in_state_a(60, 8900).verdict("no_current.a").verdict is PASS


def test_a_meter_that_falls_silent_with_the_unplug_hides_nothing() -> None:
    t = full_session()
    quiet = Trace()
    quiet._made = [made for made in t._made if made[0] != "meter" or made[1] < 21_900_000_000]
    verdict = quiet.verdict("no_current.a")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_bench_without_a_meter_cannot_tell() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.boot(100)
    t.end(20000)
    for rule in ("no_current.a", "no_current.unauth"):
        verdict = t.verdict(rule)
        assert (verdict.verdict, verdict.reason) == (OPEN, Reason.PRECONDITION)


def test_the_meter_may_start_with_the_bench_and_end_with_it() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.host("bench", "bench.state", 6000, {"state": "ready", "why": ""}, evse=None)
    t.meters(6100, 9000, 0.0)
    t.host("bench", "bench.state", 9050, {"state": "safe", "why": ""}, evse=None)
    t.end(15000)
    assert t.verdict("no_current.a").verdict is PASS


def test_without_output_sense_nobody_knows_that_it_stayed_off() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    t.cp(3000, "C", pwm=False)
    t.cp(5000, "B", pwm=False)
    t.end(20000)
    verdict = t.verdict("c1.stays_off")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.PRECONDITION)


def test_an_output_that_was_not_known_when_the_scope_began_is_no_pass() -> None:
    t = Trace()
    t.idle()
    t.plugged()
    t.gap("pilot", 2500, 2600)
    t.cp(3000, "C", pwm=False)
    t.output(6000, True)
    t.cp(9000, "B", pwm=False)
    t.end(20000)
    verdict = t.verdict("c1.stays_off")
    assert (verdict.verdict, verdict.reason) == (OPEN, Reason.GAP)


def test_a_bounce_that_is_read_late_is_a_bounce() -> None:
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    t.output(6040, False)
    live = {"live": True, "phases": [True] * 3, "kind": "ac"}
    t.pilot("output", 6100, live, sense=True, read_after=300.0)
    t.call(6350, "Heartbeat")
    t.end(15000)
    assert t.verdict("stop.open").verdict is FAIL
