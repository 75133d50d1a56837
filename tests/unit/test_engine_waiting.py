"""What each rule waits for: its own sources, and no others; and what a rule that breaks does to the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from pilotbench.bench.correlation import Facts, Instance, OnlineEngine, Outcome, Pack, Reason, evaluate
from pilotbench.bench.correlation.facts import Calibration
from pilotbench.bench.correlation.fluent import when
from pilotbench.bench.correlation.patterns.respond import RespondMonitor
from pilotbench.bench.timeline import Event, Source, Stamp, Timeline

from traces import MS, TWIN_FACTS, full_session, shipped_pack

SEC = 1_000 * MS
START = 10**15
"""Later than any clock of this machine, so that what the timeline itself notes lies before it."""


def pilot_rule() -> Pack:
    rule = when("cp.state C -> B").then("output dead").within("100 ms").text("t").ref("r").named("own.open")
    return Pack([rule.build()], {})


def tell(source: Source, topic: str, at_ns: int, **data: Any) -> None:
    source.emit(topic, Stamp(at_ns, at_ns - MS, at_ns), data, evse=1)


def run(timeline: Timeline, slow: Source, pilot: Source, until_ns: int) -> None:
    """C, then B, and no output edge; the pilot ticks every 20 ms, the slow source every 10 s."""
    tell(pilot, "output", START, live=True, phases=[True], kind="ac")
    tell(pilot, "cp.state", START + MS, state="C", pwm=True)
    tell(pilot, "cp.state", START + SEC, state="B", pwm=True)
    slow.tick(START)
    for at_ns in range(START + SEC, until_ns, 20 * MS):
        pilot.tick(at_ns)
        if (at_ns - START) % (10 * SEC) == 0:
            slow.tick(at_ns)


def decided(timeline: Timeline, engine: OnlineEngine) -> list[int]:
    """Watermarks of the pilot at which a verdict appeared on the timeline."""
    at: list[int] = []
    last = 0
    for event in timeline.events():
        if event.topic == "tick" and event.source == "pilot":
            last = int(event.data["upto_ns"])
        elif event.topic == "verdict":
            at.append(last)
    return at


def test_a_rule_of_the_pilot_alone_does_not_wait_for_a_slow_meter() -> None:
    timeline = Timeline()
    pilot, slow = timeline.source("pilot"), timeline.source("meter")
    pilot.declare(("cp.", "output", "pilot."), 25 * MS)
    slow.declare(("meter.",), 10 * SEC)
    engine = OnlineEngine(timeline, pilot_rule(), Facts())
    engine.start()
    run(timeline, slow, pilot, START + 4 * SEC)
    deadline_ns = START + SEC + 100 * MS
    assert len(decided(timeline, engine)) == 1
    assert deadline_ns < decided(timeline, engine)[0] <= deadline_ns + 50 * MS


def test_what_nobody_declared_is_waited_for() -> None:
    timeline = Timeline()
    pilot, slow = timeline.source("pilot"), timeline.source("meter")
    engine = OnlineEngine(timeline, pilot_rule(), Facts())
    engine.start()
    run(timeline, slow, pilot, START + 4 * SEC)
    assert decided(timeline, engine) == []
    assert engine.waiting_for == "meter"


def test_an_event_later_than_its_source_declared_leaves_what_was_decided_before_open() -> None:
    """The output went dead in time, but its line came 60 ms late: nobody may be blamed for it."""
    events: list[Event] = []
    timeline = Timeline()
    timeline.subscribe(events.append)
    pilot = timeline.source("pilot")
    pilot.declare(("cp.", "output", "pilot."), 25 * MS)
    engine = OnlineEngine(timeline, pilot_rule(), Facts())
    engine.start()
    tell(pilot, "output", START, live=True, phases=[True], kind="ac")
    tell(pilot, "cp.state", START + MS, state="C", pwm=True)
    tell(pilot, "cp.state", START + SEC, state="B", pwm=True)
    dead_ns = START + SEC + 90 * MS
    received_ns = dead_ns + 60 * MS
    pilot.tick(received_ns)
    pilot.emit("output", Stamp(received_ns, dead_ns - MS, dead_ns), {"live": False, "phases": [False]}, evse=1)
    verdict = engine.finish().of("own.open")
    assert (verdict.verdict, verdict.reason) == (Outcome.INCONCLUSIVE, Reason.LATE)
    assert evaluate(events, pilot_rule(), Facts()).of("own.open").verdict is Outcome.INCONCLUSIVE


def test_a_rule_that_breaks_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect of this program, made here by hand: it must not raise into a driver, nor take other rules along."""
    healthy = evaluate(full_session().events, shipped_pack(), TWIN_FACTS)
    settle = RespondMonitor._settle  # pyright: ignore[reportPrivateUsage]

    def broken(self: RespondMonitor, *args: Any, **kwargs: Any) -> None:
        if self.context.named.id == "stop.open":
            raise KeyError("seeded")
        settle(self, *args, **kwargs)

    monkeypatch.setattr(RespondMonitor, "_settle", broken)
    report = evaluate(full_session().events, shipped_pack(), TWIN_FACTS)
    assert report.of("stop.open").verdict is Outcome.ERROR
    assert "seeded" in report.of("stop.open").because
    others = [(v.rule, v.digest) for v in report.verdicts if v.rule != "stop.open"]
    assert others == [(v.rule, v.digest) for v in healthy.verdicts if v.rule != "stop.open"]


@pytest.mark.parametrize(("allowed", "expected"), [(False, Outcome.INCONCLUSIVE), (True, Outcome.PASS)])
def test_a_calibration_that_ran_out_vouches_for_nothing(allowed: bool, expected: Outcome) -> None:
    late = {"pilot": Calibration(calibrated="2024-01-01", due="2025-01-01", allowed=allowed)}
    facts = msgspec.structs.replace(TWIN_FACTS, calibrations=late)
    anchor = Event(
        "clock.anchor", "bench", 9999, Stamp.host(0), {"mono_ns": 0, "wall_ns": 1_772_366_400 * 10**9}, None, None, 0
    )
    verdict = evaluate([anchor, *full_session().events], shipped_pack(), facts).of("stop.open")
    assert verdict.verdict is expected
    assert "2025-01-01" in verdict.text
    if not allowed:
        assert (verdict.reason, verdict.lean) == (Reason.MEASUREMENT, Outcome.PASS)


def test_a_bench_that_contradicts_itself_blames_no_station() -> None:
    """The level events are told 40 ms after the command that made them was acknowledged: a bound is wrong."""
    events = []
    for event in full_session(open_after=163).events:
        if event.topic == "cp.state" and event.data["state"] == "B" and event.stamp.order_ns > 5 * SEC:
            at_ns = event.stamp.lo_ns - 60 * MS
            asked = {"device": "pilot", "verb": "resistor", "args": {"state": "B"}}
            events.append(
                Event("stimulus", "pilot", 90_000, Stamp(at_ns, at_ns - MS, at_ns), asked, 1, None, event.rank)
            )
        events.append(event)
    report = evaluate(events, shipped_pack(), TWIN_FACTS)
    assert report.violations
    verdict = report.of("stop.open")
    assert (verdict.verdict, verdict.subject) == (Outcome.ERROR, "bench")
    assert "greater than declared" in verdict.because


def test_live_verdicts_are_those_of_the_end(tmp_path: Path) -> None:
    seen: list[Instance] = []
    timeline = Timeline()
    engine = OnlineEngine(timeline, shipped_pack(), TWIN_FACTS, seen.append)
    engine.start()
    for event in full_session(open_after=163).events:
        timeline.publish(event)
    report = engine.finish()
    failed = {item.rule for item in seen if item.outcome is Outcome.FAIL}
    assert failed == {verdict.rule for verdict in report.verdicts if verdict.verdict is Outcome.FAIL}


def test_a_stimulus_is_waited_for_though_nobody_declares_any() -> None:
    """A rule of the back end asks for the card that the pilot presents: the back end must not hurry ahead of it."""
    rule = when("stimulus[verb=token]").then("ocpp.authorized").within("1 s").text("t").ref("r").named("own.card")
    timeline = Timeline()
    pilot, csms = timeline.source("pilot"), timeline.source("csms")
    pilot.declare(("cp.",), 25 * MS)
    csms.declare(("ocpp.",), 25 * MS)
    engine = OnlineEngine(timeline, Pack([rule.build()], {}), Facts())
    engine.start()

    def acts(at_ns: int, verb: str) -> None:
        tell(pilot, "stimulus", at_ns, device="pilot", verb=verb, args={})

    acts(START, "pp")
    pilot.tick(START + 20 * MS)
    for at_ns in range(START, START + 10 * SEC, 100 * MS):
        csms.tick(at_ns)
    acts(START + SEC, "token")
    assert engine.stragglers == 0
    pilot.tick(START + 10 * SEC)
    csms.tick(START + 11 * SEC)
    assert [event.data["verdict"] for event in timeline.events("verdict")] == ["FAIL"]
    assert engine.finish(START + 11 * SEC).of("own.card").verdict is Outcome.FAIL


@pytest.mark.parametrize(("kept", "expected"), [(100, Outcome.PASS), (4, Outcome.INCONCLUSIVE)])
def test_what_came_too_early_in_a_run_too_long_to_be_judged_anew_is_open(
    kept: int, expected: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that never promised anything tells of the dead output after the pilot's promise was taken."""
    monkeypatch.setattr("pilotbench.bench.correlation.online.KEEP", kept)
    timeline = Timeline()
    pilot, sense = timeline.source("pilot"), timeline.source("sense")
    pilot.declare(("cp.",), 25 * MS)
    engine = OnlineEngine(timeline, pilot_rule(), Facts())
    engine.start()
    tell(sense, "output", START, live=True, phases=[True], kind="ac")
    tell(pilot, "cp.state", START + MS, state="C", pwm=True)
    tell(pilot, "cp.state", START + SEC, state="B", pwm=True)
    pilot.tick(START + 5 * SEC)
    tell(sense, "output", START + SEC + 50 * MS, live=False, phases=[False], kind="ac")
    verdict = engine.finish().of("own.open")
    assert verdict.verdict is expected
    assert expected is Outcome.PASS or (verdict.reason is Reason.LATE and "pilotbench check" in verdict.text)
