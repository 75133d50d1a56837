"""The standing check: what contradicts itself on the bench is found with the bound that would have been right."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pilotbench.bench.correlation import Facts, StandingCheck, Violation
from pilotbench.bench.correlation.calibration import expired
from pilotbench.bench.correlation.facts import Calibration
from pilotbench.bench.correlation.standing import CLAIM
from pilotbench.bench.correlation.world.world import World
from pilotbench.bench.timeline import Stamp

from traces import MS, TWIN_FACTS, WALL, Trace, full_session


def found(trace: Trace, facts: Facts = TWIN_FACTS) -> list[Violation]:
    world = World(facts)
    check = StandingCheck(facts, world.claims)
    for event in trace.events:
        world.apply(event)
        check.take(event)
    return check.violations


@pytest.mark.parametrize("open_after", [40.0, 163.0, 900.0])
@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -1.7e9])
def test_no_station_makes_the_bench_contradict_itself(open_after: float, ahead_s: float) -> None:
    assert found(full_session(open_after=open_after, station_ahead_s=ahead_s)) == []


# ---- a resistor and the level that follows


def asked(trace: Trace, at: float, verb: str, args: dict[str, Any]) -> None:
    trace.host("pilot", "stimulus", at, {"device": "pilot", "verb": verb, "args": args}, age=2.0)


def switched(level_at: float, *, faulty: bool = False, between: str | None = None) -> Trace:
    """B is acknowledged in 998..1000 ms; the level's stamp is ±2.2 ms around `level_at`."""
    t = Trace()
    t.cp(5, "A", pwm=False)
    if faulty:
        asked(t, 500, "faults", {"flags": ["open"]})
    asked(t, 1000, "resistor", {"state": "B"})
    if between is not None:
        t.cp(1500, between, pwm=False)
    t.cp(level_at, "B", pwm=False)
    t.end(9000)
    return t


@settings(max_examples=100, deadline=None)
@given(st.integers(995_800, 1_010_000))
def test_a_level_is_measured_when_it_was_switched(level_us: int) -> None:
    violations = found(switched(level_us / 1000))
    too_late_ns = level_us * 1000 - 2_200_000 - 1000 * MS
    assert [v.missing_ns for v in violations] == ([too_late_ns] if too_late_ns > 0 else [])
    for violation in violations:
        assert violation.sources == ("pilot",)
        assert len(violation.events) == 2
        assert f"{too_late_ns / 1e6:.3f} ms after it was acknowledged" in violation.text


def test_a_level_that_was_there_before_it_was_asked_for() -> None:
    t = Trace()
    t.cp(5, "A", pwm=False)
    asked(t, 1000, "resistor", {"state": "B"})
    t.add("pilot", "cp.state", Stamp(1003 * MS, 980 * MS, 990 * MS), {"state": "B", "pwm": False})
    (violation,) = found(t)
    assert violation.missing_ns == 8 * MS
    assert "before it was asked for" in violation.text


@pytest.mark.parametrize("bent", [{"faulty": True}, {"between": "F"}, {"between": "E"}])
def test_a_level_that_somebody_else_moves_too_says_nothing(bent: dict[str, Any]) -> None:
    assert found(switched(2000, **bent)) == []


@pytest.mark.parametrize("what", ["gap", "reset"])
def test_a_level_across_a_gap_says_nothing(what: str) -> None:
    t = switched(2000)
    if what == "gap":
        t.gap("pilot", 1001, 1500)
    else:
        t.pilot("pilot.reset", 1500, {"why": "watchdog"})
    assert found(t) == []


# ---- voltage and current


def flows(amps: float, at: float, *, age: float = 100.0, again: float | None = None, phases: int = 3) -> Trace:
    """Sensed dead at 2000 (stamp 1987.8..2002.2), live again at `again`; one sample of the meter."""
    t = Trace()
    for when, live in ((500.0, True), (2000.0, False), (again, True)):
        if when is not None:
            t.pilot("output", when, {"live": live, "phases": [live] * phases, "kind": "ac"}, sense=True)
    t.meter(at, amps, age=age)
    for at_ms in (6000, 9000):
        t.host("pilot", "tick", at_ms, {"upto_ns": at_ms * MS}, evse=None)
    t.end(9000)
    return t


def test_current_that_flows_through_a_dead_outlet() -> None:
    (violation,) = found(flows(16.0, 2500))
    assert violation.sources == ("pilot", "meter")
    assert violation.missing_ns == round((2400 - 2002.2) * MS)
    assert "397.800 ms greater than declared" in violation.text
    assert violation.concerns({"meter"}, [(0, 3000 * MS)])
    assert not violation.concerns({"csms"}, [(0, 3000 * MS)])
    assert not violation.concerns({"meter"}, [(3000 * MS, 4000 * MS)])


@pytest.mark.parametrize(
    "trace",
    [
        flows(16.0, 2500, age=500.0),  # may have been read before it went dead
        flows(16.0, 2500, again=2510),  # may have been live again
        flows(0.4, 2500),  # leaks
        flows(0.0, 2500),
    ],
)
def test_current_that_may_have_flowed_while_it_was_live(trace: Trace) -> None:
    assert found(trace) == []


def test_an_edge_that_is_told_later_still_explains_a_sample() -> None:
    t = flows(16.0, 2500)
    t.host("pilot", "tick", 3500, {"upto_ns": 3500 * MS}, evse=None)
    late = {"live": True, "phases": [True], "kind": "ac"}
    t.add("pilot", "output", Stamp(4000 * MS, 2450 * MS, 2460 * MS), late)
    assert found(t) == []


def test_the_nearer_edge_says_how_much_is_missing() -> None:
    (violation,) = found(flows(16.0, 2500, again=2600))
    assert violation.missing_ns == round((2600 - 12.2 - 2500) * MS)


def test_a_phase_that_nobody_senses_is_not_compared() -> None:
    t = flows(0.0, 1000, phases=1)
    t.host("meter", "meter.sample", 2500, {"current_a": [0.0, 16.0, 16.0], "energy_wh": "1.0"}, age=100.0)
    assert found(t) == []


# ---- clocks


def test_a_reading_after_its_receipt() -> None:
    t = Trace()
    data = {"domain": "pilot", "epoch": 1, "missing_ns": 3 * MS, "why": "an event lies 3.000 ms after its receipt"}
    t.host("pilot", "clock.conflict", 1000, data)
    (violation,) = found(t)
    assert (violation.sources, violation.missing_ns) == (("pilot",), 3 * MS)


@pytest.mark.parametrize(("to_s", "accused"), [(0.0, False), (7200.0, True)])
def test_a_station_clock_that_was_set_is_accused_unless_it_followed_the_bench(to_s: float, accused: bool) -> None:
    t = Trace(station_ahead_s=3600.0 if not accused else 10_800.0)
    t.charging()
    t.remote_stop(18_000)
    # set back by an hour meanwhile
    t.tx_ended(20_015, 5055, claimed=20_000 - 3_600_000)
    t.end(26_000)
    violations = found(t)
    assert [v.sources for v in violations] == ([(CLAIM,)] if accused else [])
    for violation in violations:
        assert 3590 * 10**9 < violation.missing_ns < 3600 * 10**9


# ---- calibrations


@pytest.mark.parametrize(
    ("calibration", "over"),
    [
        (Calibration("2025-01-01", "2026-03-01"), False),
        (Calibration("2025-01-01", "2026-02-28"), True),
        (Calibration("2026-03-02", "2027-03-01"), True),
        (Calibration(due="2026-02-28", allowed=True), True),
        (Calibration(), False),
    ],
)
def test_a_calibration_holds_to_the_end_of_its_last_day(calibration: Calibration, over: bool) -> None:
    facts = msgspec.structs.replace(TWIN_FACTS, calibrations={"meter": calibration})
    wall_ns = int(WALL.timestamp()) * 10**9
    assert expired(facts, "meter", wall_ns) == (calibration if over else None)
    assert expired(facts, "pilot", wall_ns) is None
    assert expired(facts, "meter", None) is None
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Facts) == facts
