"""The ground floor: order, watermarks, waiting, memory, intervals, quantities."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.timeline import Event, Interval, Source, Stamp, Timeline, difference, parse_quantity
from pilotbench.bench.timeline import timeline as timeline_module

MS = 1_000_000


def volts(source: Source, order_ns: int, value: float = 9.0) -> Event:
    return source.emit("cp.volts", Stamp.host(order_ns), {"high_v": value})


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_the_order_of_a_source_never_goes_back(orders: list[int]) -> None:
    source = Timeline().source("pilot")
    events = [volts(source, order) for order in orders]
    seen = [event.stamp.order_ns for event in events]
    first = events[0].seq
    assert seen == sorted(seen)
    assert [event.seq for event in events] == list(range(first, first + len(events)))
    # What the stamp says of the fact itself is not bent, only its place.
    assert [event.stamp.hi_ns for event in events] == orders


def test_the_canonical_order_is_receipt_then_rank_then_sequence() -> None:
    timeline = Timeline()
    now = time.monotonic_ns() + MS
    one, two = timeline.source("pilot"), timeline.source("meter")
    later = volts(two, now)
    first, second = volts(one, now), volts(one, now)
    assert sorted([later, second, first], key=lambda event: event.order) == [first, second, later]
    assert first.id == f"pilot#{first.seq}"


def test_ranks_follow_birth_and_every_source_announces_itself() -> None:
    timeline = Timeline()
    timeline.source("pilot")
    assert timeline.source("pilot") is timeline.source("pilot")
    timeline.source("meter")
    births = [(event.data["name"], event.data["rank"], event.rank) for event in timeline.events("source")]
    assert births == [("bench", 0, 0), ("pilot", 1, 1), ("meter", 2, 2)]


def test_an_event_at_the_promise_is_not_late() -> None:
    source = Timeline().source("pilot")
    now = time.monotonic_ns() + MS
    source.tick(now)
    assert source.watermark_ns == now
    assert not volts(source, now).late
    assert not volts(source, now + 1).late


def test_an_event_older_than_the_promise_is_late() -> None:
    source = Timeline().source("pilot")
    now = time.monotonic_ns() + MS
    source.tick(now)
    assert volts(source, now - 1).late


def test_what_waits_is_not_late_because_something_received_later_was_told_first() -> None:
    source = Timeline().source("csms")
    now = time.monotonic_ns() + MS
    volts(source, now + 5)
    source.tick(now)  # what was received at `now` still waits to be told
    assert source.watermark_ns == now + 5
    waited = volts(source, now)
    assert not waited.late
    assert waited.stamp.order_ns == now + 5
    assert volts(source, now - 1).late


def test_a_tick_never_takes_a_promise_back() -> None:
    timeline = Timeline()
    source = timeline.source("pilot")
    now = time.monotonic_ns() + MS
    source.tick(now)
    source.tick(now - 1)
    source.tick(now)
    assert source.watermark_ns == now
    assert [event.data["upto_ns"] for event in timeline.events("tick")] == [now]


def test_a_gap_spans_what_may_be_missing() -> None:
    source = Timeline().source("pilot")
    now = time.monotonic_ns() + MS
    gap = source.gap(now, now + 7 * MS, "check sum")
    assert gap.topic == "gap"
    assert gap.data == {"from_ns": now, "to_ns": now + 7 * MS, "why": "check sum"}
    assert (gap.stamp.lo_ns, gap.stamp.order_ns) == (now, now + 7 * MS)


def test_a_topic_outside_the_vocabulary_is_refused_with_the_nearest_one() -> None:
    source = Timeline().source("pilot")
    with pytest.raises(ValueError, match=r"cp\.volt' \(did you mean 'cp\.volts'"):
        source.emit("cp.volt", Stamp.host(1), {})


def test_wait_for_takes_the_next_one_that_fits() -> None:
    async def scenario() -> None:
        timeline = Timeline()
        source = timeline.source("pilot")
        volts(source, time.monotonic_ns(), 6.0)
        waiting = asyncio.create_task(
            timeline.wait_for("cp.volts", lambda event: event.data["high_v"] < 7, timeout_s=5)
        )
        await asyncio.sleep(0)
        volts(source, time.monotonic_ns(), 9.0)
        await asyncio.sleep(0)
        assert not waiting.done()
        wanted = volts(source, time.monotonic_ns(), 6.0)
        assert await waiting is wanted

    asyncio.run(scenario())


def test_wait_for_since_finds_what_came_before_the_call_but_not_before_the_instant() -> None:
    async def scenario() -> None:
        timeline = Timeline()
        source = timeline.source("pilot")
        base = time.monotonic_ns() + MS
        volts(source, base)
        second = volts(source, base + 10)
        assert await timeline.wait_for("cp.volts", timeout_s=5, since_ns=base + 1) is second
        with pytest.raises(TimeoutError):
            await timeline.wait_for("cp.volts", timeout_s=0.01, since_ns=base + 11)

    asyncio.run(scenario())


def test_waiting_leaves_no_subscriber_behind() -> None:
    async def scenario() -> None:
        timeline = Timeline()
        with pytest.raises(TimeoutError):
            await timeline.wait_for("output", timeout_s=0.01)
        assert timeline._subscribers == []

    asyncio.run(scenario())


def test_unsubscribing_ends_it_even_from_within_and_twice() -> None:
    timeline = Timeline()
    source = timeline.source("pilot")
    seen: list[int] = []
    others: list[int] = []

    def once(event: Event) -> None:
        seen.append(event.seq)
        stop()

    stop = timeline.subscribe(once)
    timeline.subscribe(lambda event: others.append(event.seq))
    first = volts(source, time.monotonic_ns())
    second = volts(source, time.monotonic_ns())
    stop()
    assert seen == [first.seq]
    assert others == [first.seq, second.seq]


def test_memory_is_bounded_by_number_and_what_fell_out_is_counted() -> None:
    timeline = Timeline(keep_events=10)
    source = timeline.source("pilot")
    for n in range(25):
        volts(source, time.monotonic_ns(), float(n))
    assert [event.data["high_v"] for event in timeline.events()] == [float(n) for n in range(15, 25)]
    assert timeline.dropped == 2 + 15


def test_memory_is_bounded_by_age() -> None:
    timeline = Timeline()
    source = timeline.source("pilot")
    start = time.monotonic_ns() + MS
    volts(source, start)
    kept = volts(source, start + 1)
    newest = volts(source, start + 1 + timeline_module.KEEP_NS)
    assert timeline.events() == [kept, newest]


def test_last_and_events_look_at_one_topic() -> None:
    timeline = Timeline()
    source = timeline.source("pilot")
    low = volts(source, time.monotonic_ns(), 6.0)
    volts(source, time.monotonic_ns(), 9.0)
    source.note("lock", {"locked": True})
    assert timeline.last("cp.volts", lambda event: event.data["high_v"] < 7) is low
    assert timeline.last("output") is None
    assert len(timeline.events("cp.volts")) == 2


FINITE = st.integers(-(10**12), 10**12)
INTERVALS = st.tuples(FINITE, FINITE).map(lambda ends: Interval(min(ends), max(ends)))


@given(INTERVALS, INTERVALS, st.integers(-5, 5))
def test_interval_arithmetic_holds_every_member(a: Interval, b: Interval, factor: int) -> None:
    for x in (a.lo, a.hi):
        for y in (b.lo, b.hi):
            assert (a + b).contains(x + y)
            assert (a - b).contains(x - y)
        assert a.scaled(factor).contains(x * factor)
    assert a.overlaps(b) == b.overlaps(a) == (a - b).contains(0)


@given(INTERVALS, FINITE)
def test_a_clipped_interval_begins_at_the_bound(a: Interval, lo: int) -> None:
    clipped = a.clipped(lo)
    assert clipped.lo >= lo
    assert clipped.hi == max(a.hi, lo)


def test_an_interval_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong way round"):
        Interval(2, 1)
    with pytest.raises(ValueError, match="wrong way round"):
        Interval(float("nan"), 1)


def test_readings_of_one_clock_are_compared_on_it_and_others_on_the_bench_clock() -> None:
    early = Stamp(1000 * MS, 980 * MS, 1000 * MS, "cp0", 1, device_ns=5 * MS, residual_ns=1000)
    late = Stamp(1170 * MS, 1140 * MS, 1170 * MS, "cp0", 1, device_ns=168 * MS, residual_ns=1000)
    span = difference(early, late)
    assert span.contains(163 * MS)
    assert span.width < 0.1 * MS
    rebooted = Stamp(1170 * MS, 1140 * MS, 1170 * MS, "cp0", 2, device_ns=168 * MS)
    assert difference(early, rebooted) == Interval(140 * MS, 190 * MS)


def test_the_delay_of_a_sense_moves_its_fact_back() -> None:
    edge = Stamp(0, 0, 0, "cp0", 1, device_ns=0)
    sensed = Stamp(100 * MS, 90 * MS, 100 * MS, "cp0", 1, device_ns=100 * MS, delay_lo_ns=0, delay_hi_ns=10 * MS)
    span = difference(edge, sensed)
    assert span.lo == pytest.approx(90 * MS, abs=0.02 * MS)
    assert span.hi == pytest.approx(100 * MS, abs=0.02 * MS)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("100 ms", "time", 100e6),
        ("3s", "time", 3e9),
        (" -1.5 A ", "current", -1.5),
        ("2 kWh", "energy", 2000),
        ("1 pp", "share", 1),
    ],
)
def test_quantities_come_in_the_base_unit(text: str, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100", "is not a time with its unit"),
        ("", "e.g. '10 ns'"),
        ("ms", "is not a time"),
        ("100 A", "'A' is a unit of current"),
        ("100 parsec", "'parsec' is no unit"),
        ("1,5 s", "is not a time"),
        ("1e3 s", "'e3 s'|is no unit|is not a time"),
    ],
)
def test_a_quantity_that_is_none_says_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_quantity(text, "time")
