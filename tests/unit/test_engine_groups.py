"""What a group of rules hears, and when it decides: not before its sources have had the time that they declared."""

from __future__ import annotations

import msgspec
import pytest
from pilotbench.bench.correlation import Engine, Facts, Instance, OnlineEngine, Outcome, Pack, Reason, evaluate
from pilotbench.bench.timeline import Event, Stamp, Timeline

from rule_runs import MS, Run, rule_of

PASS, FAIL, OPEN, NONE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NOT_APPLICABLE
WITHIN = rule_of(respond="lab.a => lab.b", within="100 ms")


def declare(run: Run, source: str, *topics: str, delay_ms: int) -> None:
    run.add("source", -900, source=source, evse=None, topics=list(topics), delay_ns=delay_ms * MS)


def told(run: Run, advance_ms: float, pack: Pack = WITHIN) -> list[Instance]:
    """What is decided once nothing older than this can come; the run's `bench.state` is not fed."""
    found: list[Instance] = []
    engine = Engine(pack, run.facts, found.append)
    for event in run.events:
        engine.feed(event)
    engine.advance(round((1000 + advance_ms) * MS))
    return found


def test_nothing_is_decided_while_an_event_may_still_be_received() -> None:
    """The window and the slack are over after 1100 ms: what is received at that very instant still counts."""
    run = Run()
    run.add("lab.a", 0)
    assert told(run, 1100) == []
    assert [item.outcome for item in told(run, 1100.001)] == [FAIL]
    run.add("lab.b", 50, source="gauge", received=1100)
    assert [item.outcome for item in told(run, 1100.001)] == [PASS]
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge", received=1100.001)
    assert [item.outcome for item in told(run, 1100.001)] == [FAIL]


def test_what_lies_at_the_watermark_itself_may_still_come() -> None:
    """Two sources tell of one instant; the first in canonical order comes last, after both said that none is older."""
    timeline = Timeline()
    first, second = timeline.source("first"), timeline.source("second")
    engine = OnlineEngine(timeline, rule_of(order="lab.a n increasing", per="station"), Facts())
    engine.start()
    at_ns = 10**15  # later than any clock of this machine
    second.emit("lab.a", Stamp(at_ns, at_ns, at_ns), {"n": 2}, evse=1)
    for source in (first, second):
        source.tick(at_ns)
    first.emit("lab.a", Stamp(at_ns, at_ns, at_ns), {"n": 1}, evse=1)
    assert engine.finish().of("r").verdict is PASS


def test_every_deadline_is_told_when_it_is_over() -> None:
    run = Run()
    for at in (0, 10, 50):
        run.add("lab.a", at)
    assert [len(told(run, at)) for at in (1100, 1101, 1111, 1151)] == [0, 1, 2, 3]
    own = rule_of(respond="lab.a => lab.b", within="$wait_s")
    run = Run()
    for at, wait_s in ((0, 2), (10, 0.1), (20, 1)):
        run.add("lab.a", at, wait_s=wait_s)
    assert [[item.n for item in told(run, at, own)] for at in (1111, 2021, 3001)] == [[2], [2, 3], [2, 3, 1]]


@pytest.mark.parametrize(
    ("gauge_ms", "received", "says"),
    [(3000, 2500, PASS), (100, 190, PASS), (100, 250, FAIL), (None, 900, PASS), (None, 1200, FAIL)],
)
def test_a_rule_waits_for_the_slowest_of_its_sources(gauge_ms: int | None, received: float, says: Outcome) -> None:
    """Who declared nothing is given a second."""
    run = Run()
    declare(run, "rig", "lab.a", delay_ms=20)
    if gauge_ms is not None:
        declare(run, "gauge", "lab.b", delay_ms=gauge_ms)
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge", received=received)
    assert [item.outcome for item in told(run, 4000)] == [says]


def test_a_gap_of_a_source_that_speaks_of_other_things_matters_to_nobody_else() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.gap("probe", 40, 60)
    run.end()
    assert run.says(WITHIN) == [(OPEN, Reason.GAP)], "nobody has answered yet: it may be who would"
    declare(run, "probe", "cp.", delay_ms=20)
    assert run.says(WITHIN) == [(FAIL, None)]
    declare(run, "recorder", "gap", delay_ms=20)
    run.gap("recorder", 40, 60)
    assert run.says(WITHIN) == [(OPEN, Reason.GAP)]


def test_a_late_event_that_was_received_before_a_verdict_takes_nothing_back() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge", evse=2, received=500, late=True)
    run.end()
    assert run.says(WITHIN) == [(FAIL, None)]
    after = Run()
    after.add("lab.a", 0)
    after.add("lab.b", 50, source="gauge", evse=2, received=1500, late=True)
    after.end()
    assert after.says(WITHIN) == [(OPEN, Reason.LATE)]


def test_what_comes_after_the_end_is_no_part_of_the_run() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.end(100)
    run.add("lab.a", 200)
    assert run.says(rule_of(count="lab.a <= 1")) == [(PASS, None)]


def test_another_station_is_none_of_this_bench() -> None:
    run = Run()
    for station in ("CP1", "CP2"):
        run.add("ocpp.boot", 0, source="csms", evse=None, station=station)
    run.end()
    pack = rule_of(count="ocpp.boot <= 1", per="station")
    assert run.says(pack) == [(FAIL, None)]
    run.facts = msgspec.structs.replace(run.facts, station="CP1")
    assert run.says(pack) == [(PASS, None)]


@pytest.mark.parametrize(("version", "says"), [("1.6", FAIL), ("2.0.1", NONE)])
def test_a_rule_about_another_version_is_not_asked(version: str, says: Outcome) -> None:
    run = Run()
    run.add("ocpp.connected", -10, source="csms", evse=None, version=version)
    run.add("lab.a", 0)
    run.end()
    pack = rule_of(respond="lab.a => lab.b", within="100 ms", ocpp="1.6")
    assert run.report(pack).of("r").verdict is says


def test_events_may_be_given_in_any_order() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge")
    run.end()
    events: list[Event] = list(reversed(run.events))
    assert evaluate(events, WITHIN, run.facts).of("r").verdict is PASS
