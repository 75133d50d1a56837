"""Random runs for the rule engine: first what truly happens, then how the bench's instruments would stamp it.

Everything happens on a grid of a millisecond (most of the time), in windows of tens of milliseconds, so that deadlines
are met to the nanosecond, several things happen at one instant, and the stamps of neighbours overlap.

- `probe`, `gauge`: device clocks with an offset that is known to a few milliseconds and shared by all readings of an
  epoch, a rate within the declared drift, a residual per reading, and for `output` a sensor's delay.
- `rig`, `meter`: the host stamps, and says how old the fact may be.
- `csms`: frames of one connection, in the order of the facts, up to some age old.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from hypothesis import strategies as st
from pilotbench.bench.timeline import Event, Stamp

MS = 1_000_000
T0 = 1_000 * MS
RANKS = {"bench": 0, "csms": 1, "pilot": 2, "meter": 3, "rig": 4, "gauge": 5}
SENSE_NS = 6 * MS
LAG_NS = 20 * MS
"""A source that was not heard for a while widens its gap by how long ago a fact may be that it was to tell."""
LATEST_NS = T0 + 4_000 * MS
"""When a run that is not cut ends."""


class Fact(NamedTuple):
    """Something that truly happens at `at_ns` and that `source` reports."""

    source: str
    topic: str
    at_ns: int
    data: dict[str, Any]
    evse: int | None


class Clock(NamedTuple):
    """An instrument's way to stamp. `shared_ns`: bound of the error that all readings of an epoch share."""

    device: bool
    offset_ns: int
    rate_ppm: int
    drift_ppm: int
    shared_ns: int
    shared_error_ns: int
    residual_ns: int
    age_ns: int
    epoch_at_ns: int


class Seen(NamedTuple):
    """An event as the bench has it, with the truth behind it."""

    event: Event
    at_ns: int
    noise_ns: int
    delay_ns: int


class Run(NamedTuple):
    """A run as the bench has it. `end_ns`: when its record ends; `cut`: before the run did.

    `lost`: what truly happened and is not in the record, because it was cut, or in a gap.
    """

    seen: tuple[Seen, ...]
    lost: tuple[Seen, ...]
    end_ns: int
    cut: bool

    @property
    def events(self) -> list[Event]:
        """As stamped, in canonical order."""
        return sorted((one.event for one in self.seen), key=lambda event: event.order)

    @property
    def truth(self) -> list[Event]:
        """All that truly happened, at its exact times, also what the bench missed; a gap is none."""
        happened = [one for one in (*self.seen, *self.lost) if one.event.topic not in ("gap", "bench.state")]
        return sorted([*(_exact(one) for one in happened), _closing(LATEST_NS)], key=lambda event: event.order)

    def refined(self, rng: random.Random) -> Run:
        """The same run, known better: every interval shrinks, and still holds the truth."""
        return self._replace(seen=tuple(_refined(one, rng) for one in self.seen))


def _exact(one: Seen) -> Event:
    return msgspec.structs.replace(one.event, stamp=Stamp(one.at_ns, one.at_ns, one.at_ns))


def _closing(end_ns: int) -> Event:
    return Event("bench.state", "bench", 1, Stamp.host(end_ns), {"state": "closed", "why": "finished"}, None, None, 0)


def _refined(one: Seen, rng: random.Random) -> Seen:
    s = one.event.stamp
    if one.event.topic in ("gap", "bench.state"):
        return one
    changed: dict[str, int] = {
        "lo_ns": s.lo_ns + round((one.at_ns - s.lo_ns) * rng.choice((0, 0, rng.random(), 1))),
        "hi_ns": s.hi_ns - round((s.hi_ns - one.at_ns) * rng.choice((0, 0, rng.random(), 1))),
    }
    if s.device_ns is not None:
        least = abs(one.noise_ns) + 1  # the reading is a whole number of nanoseconds
        changed["residual_ns"] = rng.choice((s.residual_ns, rng.randint(min(least, s.residual_ns), s.residual_ns)))
        changed["delay_lo_ns"] = rng.choice((s.delay_lo_ns, rng.randint(s.delay_lo_ns, one.delay_ns)))
        changed["delay_hi_ns"] = rng.choice((s.delay_hi_ns, rng.randint(one.delay_ns, s.delay_hi_ns)))
    return one._replace(event=msgspec.structs.replace(one.event, stamp=msgspec.structs.replace(s, **changed)))


def clock(source: str, rng: random.Random) -> Clock:
    """How good a source's stamps are in this run."""
    if source in ("pilot", "gauge"):
        drift = rng.choice((0, 100, 5_000))
        shared = rng.choice((0, MS, 4 * MS))
        return Clock(
            True,
            rng.randint(-50, 50) * MS,
            rng.randint(-drift, drift),
            drift,
            shared,
            rng.randint(-shared, shared),
            rng.choice((1, 200_000, 2 * MS)),
            0,
            T0 + rng.choice((10**6, rng.randint(0, 80))) * MS,
        )
    ages = {"csms": (0, 3 * MS, 8 * MS), "bench": (0,)}.get(source, (0, MS, 6 * MS))
    return Clock(False, 0, 0, 0, 0, 0, 0, rng.choice(ages), 0)


def stamped(facts: Sequence[Fact], rng: random.Random, *, end_ns: int) -> Run:
    """How the bench would record these facts; it stops at `end_ns`, and misses some of what lies in a gap."""
    clocks: dict[str, Clock] = {}
    last_order: dict[str, int] = {}
    last_reading: dict[str, int] = {}
    seqs: dict[str, int] = {}
    seen: list[Seen] = []
    lost: list[Seen] = []
    gaps = [fact for fact in facts if fact.topic == "gap"]
    for fact, read_ns in _read(facts, rng):
        known = clocks.get(fact.source) or clocks.setdefault(fact.source, clock(fact.source, rng))
        order = read_ns + rng.choice((0, 0, MS, rng.randint(0, 4 * MS)))
        if fact.topic == "gap":
            order = fact.data["to_ns"]
        elif not known.device:
            order = read_ns + rng.choice((0, known.age_ns, rng.randint(0, known.age_ns)))
        order = max(order, last_order.get(fact.source, 0))
        missed = fact.topic != "gap" and any(
            gap.source == fact.source and gap.data["from_ns"] + LAG_NS <= read_ns <= gap.data["to_ns"] for gap in gaps
        )
        if not missed:
            last_order[fact.source] = order
        seqs[fact.source] = seqs.get(fact.source, 0) + 1
        noise = 0
        if fact.topic == "gap":
            stamp = Stamp(order, fact.data["from_ns"], order)
        elif known.device:
            at_least = last_reading.get(fact.source, 0) if fact.topic != "output" else 0
            stamp, noise = _reading(known, fact, read_ns, order, rng, at_least)
            if fact.topic != "output" and stamp.device_ns is not None:
                last_reading[fact.source] = stamp.device_ns
        else:
            stamp = Stamp(order, min(fact.at_ns, order - known.age_ns), order)
        event = Event(fact.topic, fact.source, seqs[fact.source], stamp, fact.data, fact.evse, None, RANKS[fact.source])
        kept = lost if missed or order >= end_ns else seen
        kept.append(Seen(event, fact.at_ns, noise, read_ns - fact.at_ns))
    seen.append(Seen(_closing(end_ns), end_ns, 0, 0))
    return Run(tuple(seen), tuple(lost), end_ns, end_ns < LATEST_NS)


def _read(facts: Sequence[Fact], rng: random.Random) -> list[tuple[Fact, int]]:
    """The facts in the order in which their sources report them, and when the instruments saw them."""
    last_read: dict[tuple[str, str], int] = {}
    read: list[tuple[Fact, int]] = []
    for fact in sorted(facts, key=lambda fact: fact.at_ns):
        sense = SENSE_NS if fact.topic == "output" else 0
        delay = rng.choice((0, sense, rng.randint(0, sense)))
        # a sensor does not change the order of what it sees
        delay = min(max(fact.at_ns + delay, last_read.get((fact.source, fact.topic), 0)) - fact.at_ns, sense)
        last_read[fact.source, fact.topic] = fact.at_ns + delay
        read.append((fact, fact.at_ns + delay))
    return sorted(read, key=lambda pair: pair[1]) if rng.random() < 0.8 else read


def _reading(
    known: Clock, fact: Fact, read_ns: int, order_ns: int, rng: random.Random, at_least: int
) -> tuple[Stamp, int]:
    """What a device clock says of an instant, and its error. It does not go back: `at_least` was its last reading."""
    limit = known.residual_ns - 1
    noise = rng.choice((0, -limit, limit, rng.randint(-limit, limit)))
    sense = SENSE_NS if fact.topic == "output" else 0
    elapsed = read_ns - T0
    exact = read_ns + known.offset_ns + elapsed * known.rate_ppm // 1_000_000
    noise = max(noise, min(at_least - exact, limit))
    device = exact + noise
    mapped = read_ns + noise + known.shared_error_ns
    width = known.residual_ns + known.shared_ns
    stamp = Stamp(
        order_ns,
        mapped - width - sense,
        max(fact.at_ns, min(mapped + width, order_ns)),
        fact.source,
        1 if read_ns < known.epoch_at_ns else 2,
        device,
        known.residual_ns,
        0,
        sense,
        known.drift_ppm,
    )
    return stamp, noise


# ---- what happens


def grid(rng: random.Random, until_ms: int) -> int:
    """An instant: mostly on the grid."""
    return T0 + rng.randint(0, until_ms) * MS + (0 if rng.random() < 0.75 else rng.randint(-MS, MS))


_CP = ("A", "B", "C")
_DUTY = (100.0, 5.0, 10.0, 16.0, 16.1, 26.67, 53.33)
_STATUS = ("available", "occupied", "faulted")


def signal_fact(signal: str, at_ns: int, evse: int, rng: random.Random) -> Fact:
    """A report of one signal, with any value."""
    match signal:
        case "cp":
            return Fact("pilot", "cp.state", at_ns, {"state": rng.choice(_CP), "pwm": False}, evse)
        case "duty":
            pct = rng.choice(_DUTY)
            return Fact("pilot", "cp.pwm", at_ns, {"on": pct < 100, "duty_pct": pct, "freq_hz": 1000.0}, evse)
        case "output":
            return Fact("pilot", "output", at_ns, {"live": rng.random() < 0.5, "kind": "ac"}, evse)
        case "status":
            logical = rng.choice(_STATUS)
            return Fact("csms", "ocpp.status", at_ns, {"connector": evse, "status": "x", "logical": logical}, evse)
        case "tx":
            topic = rng.choice(("ocpp.tx.started", "ocpp.tx.ended"))
            return Fact("csms", topic, at_ns, {"tx": 7, "id_tag": "T", "accepted": True}, evse)
        case "connected":
            if rng.random() < 0.5:
                return Fact("csms", "ocpp.connected", at_ns, {"version": "1.6"}, None)
            return Fact("csms", "ocpp.disconnected", at_ns, {"code": 1000, "reason": ""}, None)
        case _:
            amps = rng.choice((0.0, 0.2, 0.46, 0.54, 0.5, 1.0))
            return Fact("meter", "meter.sample", at_ns, {"current_a": [amps, 0.0, 0.0]}, evse)


def lab_fact(at_ns: int, rng: random.Random, *, topics: Sequence[str], sources: Sequence[str]) -> Fact:
    """An event with keys, some of them missing."""
    data: dict[str, Any] = {"n": rng.choice((1, 2, 3, 4, 5)), "ok": rng.random() < 0.8}
    if rng.random() < 0.9:
        data["id"] = rng.choice(("x", "y"))
    return Fact(rng.choice(sources), rng.choice(topics), at_ns, data, rng.choice((1, 1, 1, 2, None)))


LAB = ("lab.a", "lab.b", "lab.c")
LAB_SOURCES = ("gauge", "rig", "csms")
SIGNALS = ("cp", "duty", "output", "status", "tx", "connected", "current")


class Shape(NamedTuple):
    """What a run of one pattern is made of: signals, events, how many, over how long, and how often things go wrong."""

    signals: tuple[str, ...] = ()
    lab: tuple[str, ...] = ()
    most: int = 12
    until_ms: int = 60
    evses: tuple[int, ...] = (1,)
    gaps: float = 0.1
    ended_early: float = 0.1
    unknown: float = 0.1
    boots: float = 0.0
    counters: bool = False


def random_run(rng: random.Random, shape: Shape) -> Run:
    """One run of a shape."""
    facts: list[Fact] = []
    for evse in shape.evses:
        for i, signal in enumerate(reversed(shape.signals)):
            if signal != "current" and rng.random() >= shape.unknown:
                facts.append(signal_fact(signal, T0 - (200 - 20 * i) * MS, evse, rng))
    if rng.random() < shape.boots:
        boot = {"model": "m", "vendor": "v", "firmware": "1"}
        facts.append(Fact("csms", "ocpp.boot", T0 - 50 * MS, boot, None))
    number = rng.randint(1, 3)
    again_ns = rng.choice((0, 0, 2_500 * MS))  # some of it after everything before was decided
    for _ in range(rng.randint(2, shape.most)):
        at_ns = grid(rng, shape.until_ms) + rng.choice((0, again_ns))
        if shape.signals and (not shape.lab or rng.random() < 0.5):
            facts.append(signal_fact(rng.choice(shape.signals), at_ns, rng.choice(shape.evses), rng))
        else:
            facts.append(lab_fact(at_ns, rng, topics=shape.lab, sources=LAB_SOURCES))
    if shape.counters:  # mostly in order, so that laws hold for a while
        for i, fact in enumerate(sorted(facts, key=lambda fact: fact.at_ns)):
            if rng.random() < 0.85 and "n" in fact.data:
                fact.data["n"] = rng.choice((number + i, str(number + i)))
    if rng.random() < 3 * shape.gaps:
        begin = grid(rng, shape.until_ms) + rng.choice((0, again_ns))
        span = {"from_ns": begin - LAG_NS, "to_ns": begin + rng.choice((0, 5, 20)) * MS, "why": "lost"}
        source = rng.choice(sorted({fact.source for fact in facts}))
        # whoever is missed was heard of before
        heard = {fact.topic for fact in facts if fact.source == source and fact.at_ns < begin - 2 * LAG_NS}
        topics = {fact.topic for fact in facts if fact.source == source}
        if topics <= heard:
            facts.append(Fact(source, "gap", begin, span, None))
    end_ns = grid(rng, shape.until_ms + 30) if rng.random() < shape.ended_early else LATEST_NS
    return stamped(facts, rng, end_ns=end_ns)


def runs(shape: Shape) -> st.SearchStrategy[Run]:
    """The same for hypothesis."""
    return st.randoms(use_true_random=False).map(lambda rng: random_run(rng, shape))
