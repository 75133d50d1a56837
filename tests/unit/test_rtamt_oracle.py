"""RTAMT (signal temporal logic, dense time) as an oracle: on exact times, its sign is our verdict.

It knows no keys, no intervals and no clocks, so that the runs have one key and exact stamps: events are pulses of a
quarter of a millisecond on a grid of one. `pip install 'pilotbench[oracle]'`; it wants Python below 3.13.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Sequence

import pytest
from pilotbench.bench.correlation import Outcome, evaluate
from pilotbench.bench.timeline import Event, Stamp

from naive_rules import FACTS, pack_of
from random_traces import MS, RANKS, T0

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its parser's runtime imports typing.io
    rtamt = pytest.importorskip("rtamt", reason="RTAMT is not installed (extra `oracle`, Python below 3.13)")

UNTIL_MS = 100
PULSE_MS = 0.25
TRACES = 150


def event(topic: str, at_ms: float, seq: int, data: dict[str, object]) -> Event:
    at_ns = T0 + round(at_ms * MS)
    # of two changes of one source at one instant the sequence decides, and RTAMT has none
    source = {"cp.state": "pilot", "output": "gauge"}.get(topic, "rig")
    return Event(topic, source, seq, Stamp(at_ns, at_ns, at_ns), data, 1, None, RANKS[source])


def closed() -> Event:
    end_ns = T0 + 4_000 * MS
    return Event("bench.state", "bench", 1, Stamp.host(end_ns), {"state": "closed", "why": "finished"}, None, None, 0)


def pulses(times_ms: Sequence[int]) -> list[list[float]]:
    """1 for a short while at each of these times, else 0."""
    points = [[-1.0, 0.0]]
    for at in sorted(times_ms):
        points += [[float(at), 1.0], [at + PULSE_MS, 0.0]]
    return [*points, [UNTIL_MS + 100.0, 0.0]]


def steps(changes: Sequence[tuple[float, bool]]) -> list[list[float]]:
    """A signal that holds its value from each change to the next."""
    return [[at, 1.0 if value else 0.0] for at, value in changes] + [[UNTIL_MS + 100.0, 0.0]]


def satisfied(formula: str, **signals: list[list[float]]) -> bool:
    """The sign of the robustness at the beginning."""
    spec = rtamt.StlDenseTimeSpecification()  # a fresh one each time: a second evaluate of one differs
    for name in (*signals, "out"):
        spec.declare_var(name, "float")
    spec.spec = f"out = {formula}"
    spec.parse()
    robustness = spec.evaluate(*([name, points] for name, points in signals.items()))[0][1]
    assert robustness != 0
    return robustness > 0


def verdict(sentence: dict[str, str], events: list[Event]) -> Outcome:
    pack = pack_of([{**sentence, "per": "station"}])
    ordered = sorted(events, key=lambda one: one.order)
    return evaluate([*ordered, closed()], pack, FACTS).of("r1").verdict


def lab_events(first: Sequence[int], second: Sequence[int]) -> list[Event]:
    told = sorted([(at, "lab.a") for at in first] + [(at, "lab.b") for at in second])
    return [event(topic, at, seq, {}) for seq, (at, topic) in enumerate(told, 1)]


def some(rng: random.Random, most: int) -> list[int]:
    return sorted(rng.sample(range(UNTIL_MS), rng.randint(1, most)))


def test_bounded_response() -> None:
    rng = random.Random(1)
    seen = set[Outcome]()
    for _ in range(TRACES):
        asked, answered = some(rng, 3), some(rng, 8)
        if set(asked) & set(answered):
            continue  # the sequence would decide, as above
        expected = satisfied(
            "always((a >= 0.5) implies (eventually[0:20] (b >= 0.5)))", a=pulses(asked), b=pulses(answered)
        )
        found = verdict({"respond": "lab.a => lab.b", "within": "20 ms"}, lab_events(asked, answered))
        assert found is (Outcome.PASS if expected else Outcome.FAIL), (asked, answered)
        seen.add(found)
    assert seen == {Outcome.PASS, Outcome.FAIL}


def test_absence_after_a_trigger() -> None:
    rng = random.Random(2)
    seen = set[Outcome]()
    for _ in range(TRACES):
        asked, forbidden = some(rng, 3), some(rng, 3)
        if set(asked) & set(forbidden):
            continue
        formula = "always((a >= 0.5) implies (always[0:20] (b < 0.5)))"
        expected = satisfied(formula, a=pulses(asked), b=pulses(forbidden))
        found = verdict({"absent": "lab.a => lab.b", "within": "20 ms"}, lab_events(asked, forbidden))
        assert found is (Outcome.PASS if expected else Outcome.FAIL), (asked, forbidden)
        seen.add(found)
    assert seen == {Outcome.PASS, Outcome.FAIL}


def test_invariant_of_steps() -> None:
    rng = random.Random(3)
    seen = set[Outcome]()
    for _ in range(TRACES):
        inside = [(-10.0, False)] + [(at, i % 2 == 0) for i, at in enumerate(some(rng, 4))]
        live = [(-10.0, False)] + [(at, i % 2 == 0) for i, at in enumerate(some(rng, 4))]
        told = sorted(
            [(at, "cp.state", {"state": "A" if value else "B", "pwm": False}) for at, value in inside]
            + [(at, "output", {"live": value}) for at, value in live],
            key=lambda row: row[:2],
        )
        events = [event(topic, at, seq, data) for seq, (at, topic, data) in enumerate(told, 1)]
        expected = satisfied("always((a >= 0.5) implies (b < 0.5))", a=steps(inside), b=steps(live))
        found = verdict({"invariant": "output dead while cp.state A"}, events)
        assert found is (Outcome.PASS if expected else Outcome.FAIL), (inside, live)
        seen.add(found)
    assert seen == {Outcome.PASS, Outcome.FAIL}
