"""The map of an instrument's clock to the bench clock: what is true always lies inside."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from pilotbench.bench.timeline import DRIFT_PPM, DeviceClock, Stamp, difference

ppm = st.integers(-DRIFT_PPM + 1, DRIFT_PPM - 1)
offsets = st.integers(-(10**15), 10**15)
round_trips = st.lists(
    st.tuples(st.integers(0, 2 * 10**9), st.integers(0, 3 * 10**8), st.integers(0, 3 * 10**8)), min_size=1, max_size=12
)
"""Pause before the ping, its way to the device, and its way back, in nanoseconds."""


class Quartz(msgspec.Struct, frozen=True):
    """A true device clock: reads `offset + t * (1 + ppm)`; exact, so that nothing hides in rounding."""

    offset_ns: int
    ppm: int

    def reads(self, t_ns: int) -> Fraction:
        return self.offset_ns + t_ns * (1 + Fraction(self.ppm, 1_000_000))


def learn(quartz: Quartz, trips: list[tuple[int, int, int]]) -> tuple[DeviceClock, int]:
    clock = DeviceClock("device")
    now = 0
    for pause, way_out, way_back in trips:
        sent = now + pause
        at = sent + way_out
        now = at + way_back
        # a counter shows whole nanoseconds: the interval is one wider than its reading
        assert clock.ping(sent - 1, int(quartz.reads(at) // 1), now)
    return clock, now


@given(offsets, ppm, round_trips, st.integers(0, 10**10), st.integers(0, 10**8))
def test_the_true_instant_is_always_inside(
    offset: int, drift: int, trips: list[tuple[int, int, int]], later: int, on_the_way: int
) -> None:
    quartz = Quartz(offset, drift)
    clock, last = learn(quartz, trips)
    fact = last + later
    span = clock.to_bench(int(quartz.reads(fact) // 1))
    assert span is not None
    assert span.lo - 1 <= fact <= span.hi + 1
    assert clock.epoch == 0


@given(offsets, ppm, round_trips, st.integers(0, 10**12))
def test_an_older_reading_that_a_ping_overtook_is_mapped_with_its_drift(
    offset: int, drift: int, trips: list[tuple[int, int, int]], before: int
) -> None:
    quartz = Quartz(offset, drift)
    clock, last = learn(quartz, trips)
    span = clock.to_bench(int(quartz.reads(last - before) // 1))
    assert span is not None
    assert span.lo - 1 <= last - before <= span.hi + 1


def test_a_declared_drift_is_what_ages_the_map() -> None:
    widths: list[float] = []
    for declared in (10, 1000):
        clock = DeviceClock("device", declared)
        clock.ping(0, 500, 1000)
        aged = clock.offset_at(10**9)
        assert aged is not None
        widths.append(aged.width)
    assert widths[0] < 21_100 < 1_990_000 < widths[1]


def test_a_step_is_told_from_when_the_clock_last_agreed() -> None:
    clock = DeviceClock("device")
    clock.ping(0, 500, 1000)
    clock.ping(5000, 5500, 6000)
    assert not clock.ping(9000, 10**9, 10_000)
    assert clock.agreed_ns == 5000


@given(offsets, ppm, round_trips)
def test_true_pings_never_contradict_each_other(offset: int, drift: int, trips: list[tuple[int, int, int]]) -> None:
    clock, _ = learn(Quartz(offset, drift), trips)
    assert clock.disagreements == 0


@given(offsets, round_trips)
def test_more_pings_never_widen_beyond_the_drift(offset: int, trips: list[tuple[int, int, int]]) -> None:
    clock, last = learn(Quartz(offset, 0), trips)
    now = clock.offset_at(last)
    assert now is not None
    _, way_out, way_back = trips[-1]
    assert now.width <= (way_out + way_back) * (1 + 3e-4) + 4


@given(offsets, st.integers(10**9, 10**12))
def test_a_step_begins_a_new_epoch(offset: int, step: int) -> None:
    clock = DeviceClock("device")
    assert clock.ping(0, offset + 500, 1000)
    assert not clock.ping(2000, offset + 2500 + step, 3000)
    assert (clock.epoch, clock.disagreements) == (1, 1)
    span = clock.to_bench(offset + 2500 + step)
    assert span is not None
    assert span.contains(2500)


def test_a_restart_forgets() -> None:
    clock = DeviceClock("device")
    assert clock.to_bench(5) is None
    clock.ping(0, 500, 1000)
    assert clock.known
    clock.restart()
    assert (clock.known, clock.epoch, clock.to_bench(5)) == (False, 1, None)


@given(
    ppm,
    st.integers(0, 10**12),
    st.integers(0, 10**10),
    st.integers(0, 10**6),
    st.integers(-(10**6), 10**6),
    st.integers(-(10**6), 10**6),
    st.tuples(st.integers(0, 10**7), st.integers(0, 10**7)).map(sorted),
    st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_a_difference_on_one_clock_contains_the_truth(
    drift: int,
    first_ns: int,
    later: int,
    residual: int,
    error_1: int,
    error_2: int,
    delay: list[int],
    shares: tuple[float, float],
) -> None:
    assume(abs(error_1) <= residual and abs(error_2) <= residual)
    quartz = Quartz(10**15, drift)
    second_ns = first_ns + later
    stamps: list[Stamp] = []
    truths: list[int] = []
    for reading_ns, error, share in ((first_ns, error_1, shares[0]), (second_ns, error_2, shares[1])):
        device_ns = int(quartz.reads(reading_ns) // 1) + error
        # one more nanosecond of residual for the whole-nanosecond reading of this test
        stamps.append(Stamp(0, -(10**18), 10**18, "device", 0, device_ns, residual + 1, delay[0], delay[1]))
        truths.append(reading_ns - int(delay[0] + share * (delay[1] - delay[0])))
    span = difference(stamps[0], stamps[1])
    assert span.lo <= truths[1] - truths[0] <= span.hi


def test_another_epoch_or_domain_is_compared_on_the_bench_clock() -> None:
    first = Stamp(100, 90, 100, "device", 0, 1_000_000)
    for other in (Stamp(200, 190, 200, "device", 1, 7), Stamp(200, 190, 200, "other", 0, 7), Stamp(200, 190, 200)):
        span = difference(first, other)
        assert (span.lo, span.hi) == (90, 110)
