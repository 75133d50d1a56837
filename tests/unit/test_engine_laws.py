"""Laws of the engine: order of arrival, refinement, soundness, the digest."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pilotbench.bench.correlation import OnlineEngine, Outcome, Reason, evaluate
from pilotbench.bench.timeline import Event, Stamp, Timeline

from traces import MS, TWIN_FACTS, Trace, full_session, shipped_pack

PACK = shipped_pack()
STOP = PACK.only("stop.open")


def interleaved(events: list[Event], rng: random.Random) -> list[Event]:
    """Any order of arrival that keeps each source's own; a source ticks before it falls silent."""
    queues: dict[str, list[Event]] = {}
    for event in events:
        queues.setdefault(event.source, []).append(event)
    for source, queue in queues.items():
        end = events[-1].stamp.order_ns
        ticked: list[Event] = []
        for event in queue:
            if rng.random() < 0.2:
                ticked.append(_tick(source, event.stamp.order_ns, event))
            ticked.append(event)
        ticked.append(_tick(source, end + 1, queue[-1]))
        # every source of this trace promises something before anything is released
        queues[source] = [_tick(source, 0, queue[0]), *ticked]
    first = [queue.pop(0) for queue in queues.values()]
    mixed: list[Event] = []
    while any(queues.values()):
        source = rng.choice([name for name, queue in queues.items() if queue])
        for _ in range(rng.randint(1, 40)):
            if queues[source]:
                mixed.append(queues[source].pop(0))
    return first + mixed


def _tick(source: str, upto_ns: int, like: Event) -> Event:
    return Event("tick", source, 0, Stamp.host(upto_ns), {"upto_ns": upto_ns}, None, None, like.rank)


def online(events: list[Event]) -> tuple[str, int]:
    engine = OnlineEngine(Timeline(), PACK, TWIN_FACTS)
    for event in events:
        engine.take(event)
    return engine.finish().digest, engine.stragglers


RUN = full_session(open_after=163).events
DIGEST = evaluate(RUN, PACK, TWIN_FACTS).digest


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_every_order_of_arrival_gives_the_digest_of_the_recording(seed: int) -> None:
    digest, stragglers = online(interleaved(RUN, random.Random(seed)))
    assert digest == DIGEST
    assert stragglers == 0


def test_a_source_that_never_promised_anything_may_be_late_and_changes_nothing() -> None:
    bench = [event for event in RUN if event.source == "csms"]
    others = [event for event in RUN if event.source != "csms"]
    ticks = [_tick("pilot", event.stamp.order_ns, event) for event in others if event.source == "pilot"]
    arrival = sorted([*others, *ticks], key=lambda event: event.order)
    digest, stragglers = online([*arrival[:-1], *bench, arrival[-1]])
    assert digest == DIGEST
    assert stragglers > 0


def test_live_verdicts_come_while_the_run_goes_on_and_on_the_timeline() -> None:
    timeline = Timeline()
    seen: list[tuple[str, str]] = []
    engine = OnlineEngine(timeline, STOP, TWIN_FACTS, lambda item: seen.append((item.rule, item.outcome.value)))
    events = [event for event in RUN if event.stamp.order_ns < 16_000 * MS]
    for event in [*events, _tick("pilot", 16_000 * MS, events[0])]:
        engine.take(event)
    assert seen == [("stop.open", "FAIL")]
    (told,) = timeline.events("verdict")
    assert told.data["rule"] == "stop.open"
    assert told.data["text"].startswith("FAIL stop.open")


def test_the_digest_moves_with_one_nanosecond_of_evidence() -> None:
    verdict = evaluate(RUN, PACK, TWIN_FACTS).of("stop.open")
    for wanted in verdict.evidence:
        moved = [nudged(event, 1) if event.id == wanted else event for event in RUN]
        assert evaluate(moved, PACK, TWIN_FACTS).digest != DIGEST
    other = next(event for event in RUN if event.topic == "stimulus")
    moved = [nudged(event, 1) if event is other else event for event in RUN]
    assert evaluate(moved, PACK.only("stop.open"), TWIN_FACTS).digest == evaluate(RUN, STOP, TWIN_FACTS).digest


def nudged(event: Event, by_ns: int) -> Event:
    s = event.stamp
    device = None if s.device_ns is None else s.device_ns + by_ns
    stamp = msgspec.structs.replace(s, lo_ns=s.lo_ns + by_ns, hi_ns=s.hi_ns + by_ns, device_ns=device)
    return msgspec.structs.replace(event, stamp=stamp)


def test_moving_the_output_edge_turns_exactly_that_rule() -> None:
    clean = full_session().events
    edge = [event for event in clean if event.topic == "output" and event.data["live"] is False][1]
    moved = [nudged(event, 100 * MS) if event is edge else event for event in clean]
    before, after = evaluate(clean, PACK, TWIN_FACTS), evaluate(moved, PACK, TWIN_FACTS)
    changed = {
        a.rule: b.verdict for a, b in zip(before.verdicts, after.verdicts, strict=True) if a.verdict != b.verdict
    }
    assert changed == {"stop.open": Outcome.FAIL}


def two_clocks(trigger: tuple[int, int], response: tuple[int, int] | None) -> Outcome:
    """C -> B and output off, each known only as an interval of the host's clock (microseconds)."""
    t = Trace()
    t.charging()
    for source, span, topic, data in (
        ("pilot", trigger, "cp.state", {"state": "B", "pwm": True, "high_v": 9.0, "low_v": -12.0}),
        ("bench", response, "output", {"live": False, "phases": [False], "kind": "mirror"}),
    ):
        if span is not None:
            lo, hi = (6_000 * MS + edge * 1000 for edge in span)
            t.add(source, topic, Stamp(hi, lo, hi), data)
    t.end(20000)
    return evaluate(t.events, STOP, TWIN_FACTS).of("stop.open").verdict


microseconds = st.integers(0, 300_000)
widths = st.integers(0, 60_000)


@settings(max_examples=150, deadline=None)
@given(microseconds, widths, widths, widths, widths)
def test_what_is_true_is_never_contradicted(latency: int, a: int, b: int, c: int, d: int) -> None:
    verdict = two_clocks((-a, b), (latency - c, latency + d))
    if latency <= 100_000:
        assert verdict is not Outcome.FAIL
    else:
        assert verdict is not Outcome.PASS


@settings(max_examples=150, deadline=None)
@given(microseconds, st.lists(widths, min_size=8, max_size=8))
def test_wider_stamps_only_ever_leave_a_verdict_open(latency: int, w: list[int]) -> None:
    narrow = two_clocks((-w[0], w[1]), (latency - w[2], latency + w[3]))
    wide = two_clocks((-w[0] - w[4], w[1] + w[5]), (latency - w[2] - w[6], latency + w[3] + w[7]))
    # known better, the output may have been dead already: then nothing was asked
    assert wide in (narrow, Outcome.INCONCLUSIVE) or narrow is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(("latency", "expected"), [(100_000, Outcome.PASS), (100_001, Outcome.FAIL)])
def test_a_limit_belongs_to_what_is_allowed(latency: int, expected: Outcome) -> None:
    assert two_clocks((0, 0), (latency, latency)) is expected


def test_what_is_still_open_at_the_end_is_truncated() -> None:
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    t.host("bench", "bench.state", 6050, {"state": "ready", "why": ""})
    for truncated in (False, True):
        verdict = evaluate(t.events, PACK, TWIN_FACTS, truncated=truncated).of("stop.open")
        assert (verdict.verdict, verdict.reason) == (Outcome.INCONCLUSIVE, Reason.TRUNCATED)


def test_a_late_event_reopens_nothing_and_takes_the_blame_away() -> None:
    t = Trace()
    t.charging()
    t.cp(6000, "B", pwm=True)
    t.end(20000)
    events = t.events
    pilot = [event for event in events if event.source == "pilot"]
    stamp = Stamp(15_000 * MS, 6_030 * MS, 6_040 * MS)
    data: dict[str, Any] = {"live": False, "phases": [False], "kind": "ac"}
    late = Event("output", "pilot", len(pilot) + 1, stamp, data, 1, None, pilot[0].rank, True)
    report = evaluate([*events, late], STOP, TWIN_FACTS)
    verdict = report.of("stop.open")
    assert (verdict.verdict, verdict.reason) == (Outcome.INCONCLUSIVE, Reason.LATE)
    assert report.late == (late.id,)
