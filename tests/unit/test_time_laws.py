"""Laws of time: what orders events, what a difference of two stamps holds, and what is known of a station's clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from pilotbench.bench.timeline import Event, Interval, Stamp, StationTime, difference

from traces import full_session

MS = 10**6
SECOND = 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WALL_NS = int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()) * SECOND


# ---- the canonical order

EVENTS = full_session().events


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 10**10))
def test_no_clock_model_and_no_width_moves_an_event(seed: int, most: int) -> None:
    rng = random.Random(seed)
    models = {event.stamp.domain: (rng.randint(-most, most), rng.randint(1, 1000)) for event in EVENTS}

    def otherwise(event: Event) -> Event:
        stamp = event.stamp
        shift, ppm = models[stamp.domain]
        stamp = msgspec.structs.replace(
            stamp,
            lo_ns=stamp.lo_ns + shift - rng.randint(0, most),
            hi_ns=stamp.hi_ns + shift + rng.randint(0, most),
            epoch=stamp.epoch + rng.randint(0, 3),
            device_ns=None if stamp.device_ns is None else stamp.device_ns + shift,
            residual_ns=rng.randint(0, most),
            delay_hi_ns=stamp.delay_hi_ns + rng.randint(0, most),
            drift_ppm=ppm,
        )
        data = {**event.data, "claim": "1999-01-01T00:00:00Z"} if "claim" in event.data else event.data
        return msgspec.structs.replace(event, stamp=stamp, data=data)

    retimed = [otherwise(event) for event in EVENTS]
    rng.shuffle(retimed)
    assert [event.id for event in sorted(retimed, key=lambda event: event.order)] == [event.id for event in EVENTS]


# ---- the difference of two stamps


class Device(NamedTuple):
    """A true clock and what it declares: it is `ppm` off (at most `drift_ppm`), mapped with `offset_u_ns` of doubt."""

    name: str
    offset_ns: int
    ppm: int
    drift_ppm: int
    offset_u_ns: int

    def reads(self, t_ns: Fraction | int) -> Fraction:
        return self.offset_ns + t_ns * (1 + Fraction(self.ppm, 1_000_000))


@st.composite
def devices(draw: st.DrawFn, name: str) -> Device:
    drift = draw(st.sampled_from((1, 20, 100, 5000)))
    offset = draw(st.integers(-(10**15), 10**15))
    return Device(name, offset, draw(st.integers(-drift, drift)), drift, draw(st.integers(0, 5 * MS)))


shares = st.integers(0, 1000).map(lambda n: Fraction(n, 1000))


@st.composite
def stamped(draw: st.DrawFn, device: Device | None, fact_ns: int) -> Stamp:
    """A stamp of a fact at `fact_ns`: every declared bound is kept, up to its very edge."""
    delay_lo = draw(st.integers(0, 5 * MS))
    delay_hi = delay_lo + draw(st.integers(0, 10 * MS))
    seen_ns = fact_ns + delay_lo + draw(shares) * (delay_hi - delay_lo)
    before, after = draw(st.integers(0, 20 * MS)), draw(st.integers(0, 20 * MS))
    order = int(seen_ns) + draw(st.integers(0, 50 * MS))
    if device is None:
        return Stamp(order, fact_ns - before, fact_ns + after)
    residual = draw(st.integers(0, MS)) + 1
    # the last nanosecond of the residual is that of the whole-numbered reading
    reading = int(device.reads(seen_ns) + (2 * draw(shares) - 1) * (residual - 1))
    u = residual + device.offset_u_ns
    lo, hi = int(seen_ns) - 2 * u - delay_hi, int(seen_ns) + 2 * u + 1 - delay_lo
    return Stamp(order, lo, hi, device.name, 0, reading, residual, delay_lo, delay_hi, device.drift_ppm)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Stamp, Stamp, int]:
    first = draw(st.one_of(st.none(), devices("a")))
    second = draw(st.one_of(st.just(first), st.none(), devices("b")))
    begun, apart = draw(st.integers(0, 10**13)), draw(st.integers(-(10**13), 10**13))
    return draw(stamped(first, begun)), draw(stamped(second, begun + apart)), apart


@settings(max_examples=400, deadline=None)
@given(pairs())
def test_a_difference_holds_the_truth(pair: tuple[Stamp, Stamp, int]) -> None:
    first, second, truth = pair
    span = difference(first, second)
    assert span.lo <= truth <= span.hi
    back = difference(second, first)
    assert (back.lo, back.hi) == (-span.hi, -span.lo)


def test_the_declared_drift_counts_and_the_bench_clock_ends_its_growth() -> None:
    def at(seconds: int, ppm: int) -> Stamp:
        ns = seconds * SECOND
        return Stamp(ns, ns - 3 * MS, ns + 3 * MS, "d", 0, ns, 1000, drift_ppm=ppm)

    widths = [difference(at(0, ppm), at(10, ppm)).width for ppm in (1, 100)]
    assert widths[0] < 0.03 * MS < 2 * MS < widths[1] < 2.1 * MS
    assert difference(at(0, 1), at(10, 100)).width == widths[1]
    assert difference(at(0, 100), at(10_000, 100)).width == 12 * MS


def test_readings_of_two_epochs_or_domains_are_not_compared() -> None:
    """The clock began anew: it reads less, and later."""
    first = Stamp(0, -MS, MS, "d", 1, 7 * SECOND)
    for other in (Stamp(SECOND, SECOND, SECOND, "d", 2, 0), Stamp(SECOND, SECOND, SECOND, "e", 1, 7 * SECOND)):
        assert difference(first, other) == Interval(SECOND - MS, SECOND + MS)
        assert difference(other, first) == Interval(-SECOND - MS, -SECOND + MS)


def test_two_times_of_one_fact_that_contradict_each_other_make_nothing_certain() -> None:
    first = Stamp(0, -MS, MS, "d", 0, 0)
    second = Stamp(SECOND, SECOND - MS, SECOND + MS, "d", 0, 5 * SECOND)
    span = difference(first, second)
    assert span.contains(SECOND)
    assert span.contains(5 * SECOND)


# ---- the station's own clock


class Message(NamedTuple):
    """One message as it truly was; `cause_ns` None: nobody knows what it answers."""

    fact_ns: int
    arrival_ns: int
    cause_ns: int | None
    claim: str
    kind: str
    offset_ns: Fraction
    piece: int


def written(shown_ns: Fraction, resolution_ns: int, *, rounded: bool, digits: int) -> str:
    """A time as a station writes it: cut or rounded to its resolution, with as many digits as it likes."""
    ticks = (shown_ns + (Fraction(resolution_ns, 2) if rounded else 0)) // resolution_ns
    moment = EPOCH + timedelta(microseconds=int(ticks * resolution_ns) // 1000)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}"[: len(text) + 1 + digits] + "Z" if digits else f"{text}Z"


def run_of(rng: random.Random, offsets_ns: list[int], *, queue: bool) -> list[Message]:
    """A run over clock settings; each begins with a message that answers a stimulus at once.

    What waited in the queue may be of the setting before.
    """
    resolution = rng.choice((SECOND, 100 * MS, 10 * MS, MS))
    digits = {SECOND: rng.choice((0, 3)), 100 * MS: 3, 10 * MS: 3, MS: rng.choice((3, 6))}[resolution]
    rounded, ppm = rng.random() < 0.5, rng.randint(-100, 100)
    now = rng.randint(0, 10**12)
    messages: list[Message] = []
    pieces: list[tuple[int, int]] = []
    for offset in offsets_ns:
        pieces.append((now, offset))
        for n in range(rng.randint(2, 12)):
            now += rng.randint(SECOND, rng.choice((5, 5, 500)) * SECOND)
            piece, waits = len(pieces) - 1, queue and n > 2 and rng.random() < 0.3
            fact, until = now - rng.randint(0, 400 * MS), now
            if waits and piece and rng.random() < 0.4:
                piece, until = piece - 1, pieces[piece][0]
            if waits:
                fact = rng.randint(pieces[piece][0], until)
            cause = fact - rng.randint(0, 300 * MS) if n == 0 or (rng.random() < 0.3 and not waits) else None
            o = pieces[piece][1] + Fraction((fact - pieces[piece][0]) * ppm, 1_000_000)
            claim = written(fact + o, resolution, rounded=rounded, digits=digits)
            messages.append(Message(fact, now, cause, claim, rng.choice("ab"), o, piece))
        now += SECOND
    return messages


def told(messages: list[Message]) -> StationTime:
    clock = StationTime()
    for m in messages:
        tell(clock, m)
    return clock


def tell(clock: StationTime, m: Message) -> None:
    clock.heard(m.claim, m.arrival_ns, m.kind)
    if m.cause_ns is not None:
        clock.caused(m.claim, m.cause_ns, m.arrival_ns, m.kind)


seeds = st.integers(0, 2**48)


@settings(max_examples=150, deadline=None)
@given(seeds, st.booleans())
def test_the_true_offset_and_the_true_instant_are_always_inside(seed: int, queue: bool) -> None:
    rng = random.Random(seed)
    messages = run_of(rng, [WALL_NS + rng.randint(-(10**13), 10**13)], queue=queue)
    clock = StationTime()
    for n, m in enumerate(messages):
        tell(clock, m)
        offset = clock.offset(m.arrival_ns)
        assert offset is not None
        drift = Fraction(m.arrival_ns - m.fact_ns, 10_000)  # of the clock itself, until the arrival
        assert offset.lo - drift <= m.offset_ns <= offset.hi + drift
        for earlier in messages[: n + 1]:
            when = clock.when(earlier.claim, earlier.arrival_ns, earlier.kind)
            assert when is not None
            assert when.lo <= earlier.fact_ns <= when.hi
    assert not clock.steps


@settings(max_examples=150, deadline=None)
@given(seeds, st.lists(st.integers(10, 10**5), min_size=1, max_size=3), st.booleans())
def test_settings_that_exceed_the_bounds_are_found_and_leave_nothing_wrong(
    seed: int, jumps_s: list[int], queue: bool
) -> None:
    rng = random.Random(seed)
    offsets = [WALL_NS]
    for jump in jumps_s:
        offsets.append(offsets[-1] + rng.choice((-1, 1)) * jump * SECOND)
    messages = run_of(rng, offsets, queue=queue)
    clock = told(messages)
    for m in messages:
        when = clock.when(m.claim, m.arrival_ns, m.kind)
        assert when is not None
        assert when.lo <= m.fact_ns <= when.hi
    assert len(clock.steps) == len(jumps_s)
    for step, before, after in zip(clock.steps, offsets, offsets[1:], strict=False):
        assert step.before.lo - SECOND <= before <= step.before.hi + SECOND
        assert step.after.lo - SECOND <= after <= step.after.hi + SECOND


def claim_of(shown_ns: int, digits: int = 3) -> str:
    return written(Fraction(shown_ns), MS, rounded=False, digits=digits)


def test_an_old_claim_bounds_nothing_from_above_and_is_mapped_to_its_time() -> None:
    clock = StationTime()
    for at in (10, 20, 30):
        clock.heard(claim_of(WALL_NS + at * SECOND - 7 * MS), at * SECOND)
    before = clock.offset(100 * SECOND)
    queued = claim_of(WALL_NS + 25 * SECOND + MS)
    assert not clock.heard(queued, 100 * SECOND)
    assert clock.offset(100 * SECOND) == before
    when = clock.when(queued, 100 * SECOND)
    assert when is not None
    assert when.lo == -float("inf")
    assert 25 * SECOND < when.hi < 25.02 * SECOND


def test_a_claim_from_before_the_clock_was_first_heard_may_be_of_a_clock_that_was_slow() -> None:
    clock = StationTime()
    hour = 3600 * SECOND
    slow = claim_of(WALL_NS + 10 * SECOND - hour - 3 * MS)
    clock.heard(slow, 10 * SECOND)
    clock.heard(claim_of(WALL_NS + 20 * SECOND - 3 * MS), 20 * SECOND)
    when = clock.when(slow, 10 * SECOND)
    assert when is not None
    assert when.hi == 10 * SECOND


def test_a_clock_that_was_never_set_is_a_piece_of_its_own() -> None:
    clock = StationTime()
    early = claim_of(5 * SECOND + 1 * MS)
    assert not clock.heard(early, 100 * SECOND)
    assert clock.heard(claim_of(WALL_NS + 110 * SECOND + MS), 110 * SECOND)
    (step,) = clock.steps
    assert step.after.lo - step.before.lo > 50 * 365 * 86400 * SECOND
    when = clock.when(early, 100 * SECOND)
    assert when is not None
    assert when.contains(100 * SECOND - 20 * MS)
    # after the next start it may show the same time again
    later = clock.when(early, 500 * SECOND)
    assert later is not None
    assert later.hi == 500 * SECOND


def test_digits_that_a_station_does_not_have_are_no_resolution() -> None:
    clock = StationTime()
    fact = WALL_NS + 10 * SECOND + 900 * MS
    claim = written(Fraction(fact), SECOND, rounded=False, digits=3)
    assert claim.endswith(".000Z")
    clock.heard(claim, 11 * SECOND)
    clock.caused(claim, 10 * SECOND + 850 * MS, 11 * SECOND)
    offset = clock.offset(11 * SECOND)
    assert offset is not None
    assert offset.contains(WALL_NS)
    assert not offset.contains(WALL_NS + 2 * SECOND)


def test_without_a_zone_it_is_no_claim() -> None:
    clock = StationTime()
    assert not clock.heard("2026-03-01T12:00:00", SECOND)
    assert clock.offset(SECOND) is None
    assert clock.when("2026-03-01T12:00:00", SECOND) is None
    assert clock.when(None, SECOND) is None


def test_bounds_age_by_the_drift() -> None:
    clock = StationTime(drift_ppm=100)
    claim = claim_of(WALL_NS + 10 * SECOND)
    clock.caused(claim, 10 * SECOND - 20 * MS, 10 * SECOND + 20 * MS)
    now, day = clock.offset(10 * SECOND), clock.offset(86_410 * SECOND)
    assert isinstance(now, Interval)
    assert isinstance(day, Interval)
    assert 2 * 8.64 * SECOND < day.width - now.width < 2 * 8.65 * SECOND
