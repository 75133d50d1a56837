"""One run, whatever the order in which its sources' events arrive: one digest, that of the recording.

Rules of all patterns at once; five sources, each first in, first out, with ticks; gaps, late events among them.
"""

from __future__ import annotations

import random

import msgspec
from pilotbench.bench.correlation import OnlineEngine, Outcome, evaluate
from pilotbench.bench.timeline import Event, Stamp, Timeline

from naive_rules import FACTS, RULES, pack_of
from random_traces import LAB, MS, SIGNALS, Shape, random_run

PACK = pack_of([rule for _, rules in RULES.values() for rule in rules])
SHAPE = Shape(signals=SIGNALS, lab=LAB, evses=(1, 2), gaps=0.3, ended_early=0.0, boots=1.0, most=20)
INTERLEAVINGS = 200


def a_run(seed: int) -> list[Event]:
    """Two bursts of events, five seconds apart, as one run."""
    rng = random.Random(seed)
    events: list[Event] = []
    for burst in range(2):
        for event in random_run(rng, SHAPE).events[:-1]:
            events.append(later(event, burst * 5_000 * MS))
    late = msgspec.structs.replace(events[len(events) // 2], late=True)
    events[len(events) // 2] = late
    counts: dict[str, int] = {}
    numbered: list[Event] = []
    for event in sorted(events, key=lambda event: event.order):
        counts[event.source] = counts.get(event.source, 0) + 1
        numbered.append(msgspec.structs.replace(event, seq=counts[event.source]))
    end_ns = numbered[-1].stamp.order_ns + 3_000 * MS
    closed = Event("bench.state", "bench", 1, Stamp.host(end_ns), {"state": "closed", "why": "finished"}, None, None, 0)
    return [*numbered, closed]


def later(event: Event, by_ns: int) -> Event:
    s = event.stamp
    device = None if s.device_ns is None else s.device_ns + by_ns
    stamp = msgspec.structs.replace(
        s, order_ns=s.order_ns + by_ns, lo_ns=s.lo_ns + by_ns, hi_ns=s.hi_ns + by_ns, device_ns=device
    )
    data = dict(event.data)
    if event.topic == "gap":
        data |= {"from_ns": data["from_ns"] + by_ns, "to_ns": data["to_ns"] + by_ns}
    return msgspec.structs.replace(event, stamp=stamp, data=data)


def tick(source: str, upto_ns: int, rank: int) -> Event:
    return Event("tick", source, 0, Stamp.host(upto_ns), {"upto_ns": upto_ns}, None, None, rank)


def arrival(events: list[Event], rng: random.Random) -> list[Event]:
    """Some order of arrival that keeps each source's own. A source ticks now and then, before anything, and at last."""
    queues: dict[str, list[Event]] = {}
    for event in events:
        queue = queues.setdefault(event.source, [tick(event.source, 1, event.rank)])
        if rng.random() < 0.2:
            queue.append(tick(event.source, event.stamp.order_ns, event.rank))
        queue.append(event)
    for source, queue in queues.items():
        queue.append(tick(source, events[-1].stamp.order_ns + 1, queue[0].rank))
    mixed = [queue.pop(0) for queue in queues.values()]
    while queues:
        source = rng.choice(sorted(queues))
        for _ in range(rng.choice((1, 1, 3, 30))):
            mixed.append(queues[source].pop(0))
            if not queues[source]:
                del queues[source]
                break
    return mixed


def online(events: list[Event]) -> tuple[str, int]:
    """The digest of what the engine says of events as they arrive, and how many came too late for it."""
    timeline = Timeline()
    engine = OnlineEngine(timeline, PACK, FACTS)
    for event in events:
        engine.take(event)
    return engine.finish().digest, engine.stragglers


def test_two_hundred_orders_of_arrival_give_the_digest_of_the_recording() -> None:
    events = a_run(1)
    report = evaluate(events, PACK, FACTS)
    said = {instance.outcome for verdict in report.verdicts for instance in verdict.instances}
    assert {Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE} <= said
    rng = random.Random(1)
    found = {online(arrival(events, rng)) for _ in range(INTERLEAVINGS)}
    assert found == {(report.digest, 0)}


def test_the_order_within_a_source_matters() -> None:
    """What the proof above rests on: it would notice."""
    events = a_run(1)
    swapped = [*events]
    at = next(i for i, event in enumerate(events) if event.topic == "lab.a")
    swapped[at] = later(swapped[at], 7 * MS)
    assert evaluate(swapped, PACK, FACTS).digest != evaluate(events, PACK, FACTS).digest
