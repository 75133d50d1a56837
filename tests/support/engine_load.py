"""The load of the engine's measurements, as a program: `python engine_load.py RULES TOPICS EVENTS [--engine]`.

Bounded response with keys: "a, then b for the same outlet within 100 ms". Two thirds of the events concern no rule; of
the others half are triggers and half answers; 5 % of the triggers are answered too late or never; 1 % of all events
come late; 16 outlets; one event every 100 us. Timed is the way from `Timeline.publish` (with `--engine` from
`OnlineEngine.take`) to the verdict with its evidence, ticks included; making the events is not. Prints one JSON object.
"""

from __future__ import annotations

import gc
import heapq
import json
import random
import resource
import sys
import time
from collections.abc import Iterator

from pilotbench.bench.correlation import Facts, OnlineEngine, Pack
from pilotbench.bench.correlation.fluent import when
from pilotbench.bench.timeline import Event, Stamp, Timeline

__all__ = ["EVSES", "events", "measure", "pack"]

EVSES = tuple(range(1, 17))
STEP_NS = 100_000
MS = 1_000_000
BATCH = 5_000
TICK_EVERY = 200


def pack(rules: int, topics: int) -> Pack:
    """So many rules over so many pairs of topics."""
    made = [
        when(f"lab.a{n % topics}").then(f"lab.b{n % topics}").within("100 ms").text("t").ref("r").named(f"load.{n}")
        for n in range(rules)
    ]
    return Pack([rule.build() for rule in made], {})


def events(number: int, topics: int, start_ns: int, seed: int = 1) -> Iterator[Event]:
    """The load, in order of receipt."""
    rng = random.Random(seed)
    due: list[tuple[int, int, str, int]] = []
    at_ns, seq = start_ns, 0
    relevant = 1 / (2 * 0.975 * 2 + 1.975)
    while seq < number:
        at_ns += STEP_NS
        seq += 1
        age_ns = 60 * MS if (late := rng.random() < 0.01) else 1000
        stamp = Stamp(at_ns, at_ns - age_ns, at_ns)
        if due and due[0][0] <= at_ns:
            _, _, topic, evse = heapq.heappop(due)
        elif rng.random() < relevant:
            k, evse = rng.randrange(topics), rng.choice(EVSES)
            topic = f"lab.a{k}"
            fate = rng.random()
            if fate > 0.025:
                wait_ms = rng.randrange(1, 90) if fate > 0.05 else 120
                heapq.heappush(due, (at_ns + wait_ms * MS, seq, f"lab.b{k}", evse))
        else:
            topic, evse = f"lab.x{rng.randrange(topics)}", rng.choice(EVSES)
        yield Event(topic, "load", seq, stamp, {}, evse, None, 1, late)


def measure(rules: int, topics: int, number: int, *, through_timeline: bool = True) -> dict[str, float | int | str]:
    """Microseconds per event, peak memory of this process in MiB, and how many verdicts there were."""
    start_ns = time.monotonic_ns() + 3600 * 10**9
    timeline = Timeline() if through_timeline else Timeline(keep_events=10_000)
    engine = OnlineEngine(timeline, pack(rules, topics), Facts(evses=EVSES))
    if through_timeline:
        engine.start()
    take = timeline.publish if through_timeline else engine.take
    gc.collect()
    gc.freeze()
    spent, marks = 0.0, []
    source = events(number, topics, start_ns)
    done = 0
    while done < number:
        batch = [event for _, event in zip(range(min(BATCH, number - done)), source, strict=False)]
        began = time.perf_counter()
        for n, event in enumerate(batch, 1):
            take(event)
            if n % TICK_EVERY == 0:
                upto_ns = event.stamp.order_ns
                take(Event("tick", "load", 0, Stamp.host(upto_ns), {"upto_ns": upto_ns}, None, None, 1))
        spent += time.perf_counter() - began
        done += len(batch)
        if done * 10 // number > len(marks):
            marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    began = time.perf_counter()
    report = engine.finish()
    spent_finishing = time.perf_counter() - began
    told: dict[str, int] = {}
    for verdict in report.verdicts:
        for outcome, count in verdict.tally.items():
            told[outcome] = told.get(outcome, 0) + count
    return {
        "rules": rules,
        "topics": topics,
        "events": number,
        "us_per_event": spent / number * 1e6,
        "finish_s": spent_finishing,
        "peak_mib_at_tenths": marks,
        "verdicts": told,
        "stragglers": engine.stragglers,
    }


if __name__ == "__main__":
    rules, topics, number = (int(text) for text in sys.argv[1:4])
    print(json.dumps(measure(rules, topics, number, through_timeline="--engine" not in sys.argv)))
