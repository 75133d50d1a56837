"""What the engine costs per event and in memory, each figure beside a peer measured in the same run.

Every measurement of the engine is a process of its own (`tests/support/engine_load.py`), so that its peak memory is
its own. Peers: the time of a bare loop over the same events, a matcher that shows every event to every rule, and RTAMT
(discrete time, online) where it is installed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.correlation import Facts, Pack
from pilotbench.bench.correlation.group import Group
from pilotbench.bench.timeline import Event

from engine_load import EVSES, MS, events, pack

pytestmark = pytest.mark.benchmark

MOST = int(os.environ.get("PILOTBENCH_ENGINE_EVENTS", "1000000"))
"""How far the engine is followed; 10000000 takes minutes."""
LOAD = Path(__file__).resolve().parents[1] / "support" / "engine_load.py"


def load(rules: int, topics: int, number: int, *more: str) -> dict[str, Any]:
    command = [sys.executable, str(LOAD), str(rules), str(topics), str(number), *more]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def per_event_us(made: list[Event], take: Callable[[Event], None]) -> float:
    began = time.perf_counter()
    for event in made:
        take(event)
    return (time.perf_counter() - began) / len(made) * 1e6


def test_cost_per_event_by_rules_and_topics() -> None:
    made = list(events(100_000, 100, 10**15))
    floor_us = per_event_us(made, lambda event: None)
    print(f"\nfloor: a call for each event {floor_us:.2f} us")
    for rules, topics in ((10, 10), (100, 100), (1000, 1000), (100, 10), (1000, 100)):
        best = min((load(rules, topics, 100_000) for _ in range(3)), key=lambda one: one["us_per_event"])
        us = best["us_per_event"]
        print(
            f"{rules:5} rules over {topics:4} topics: {us:6.2f} us per event = {us / floor_us:5.0f} floors; "
            f"end {best['finish_s']:.2f} s; {best['verdicts']}"
        )


def test_against_a_matcher_that_shows_every_event_to_every_rule() -> None:
    ours_us = load(1000, 1000, 200_000)["us_per_event"]
    made = list(events(10_000, 1000, 10**15))
    everyone = Everyone(pack(1000, 1000))
    same_us = per_event_us(made, lambda event: everyone.take(event, event.stamp.order_ns))
    rules = [Shown(f"lab.a{n}", f"lab.b{n}") for n in range(1000)]

    def show(event: Event) -> None:
        for rule in rules:
            rule.take(event)

    least_us = per_event_us(made, show)
    print(f"\n1000 rules over 1000 topics, us per event: ours {ours_us:.2f}; every event to every rule: ", end="")
    print(f"our own monitors {same_us:.0f} ({same_us / ours_us:.0f} times as much), ", end="")
    print(f"a matcher without intervals and evidence {least_us:.0f} ({least_us / ours_us:.0f} times)")


class Everyone(Group):
    """The engine's own monitors without its index: each is shown every event."""

    def __init__(self, rules: Pack) -> None:
        super().__init__(frozenset(), rules.rules, rules, Facts(evses=EVSES), lambda named, instance, group: None)

    def take(self, event: Event, order_ns: int) -> None:
        self.advance(order_ns)
        self.world.note(event)
        for _, monitor, _ in self._monitors:
            monitor.take(event, ())


class Shown:
    """The least that a rule can do with an event that nobody routed: compare, keep, answer, expire."""

    def __init__(self, trigger: str, answer: str) -> None:
        self.trigger, self.answer = trigger, answer
        self.open: dict[int | None, deque[int]] = {}
        self.passed = self.failed = 0

    def take(self, event: Event) -> None:
        if event.topic == self.trigger:
            self.open.setdefault(event.evse, deque()).append(event.stamp.hi_ns + 100 * MS)
        elif event.topic == self.answer:
            for due_ns in self.open.pop(event.evse, ()):
                if event.stamp.lo_ns <= due_ns:
                    self.passed += 1
                else:
                    self.failed += 1


def test_against_rtamt_online() -> None:
    rtamt = pytest.importorskip("rtamt", reason="RTAMT is not installed: pip install rtamt")
    ours = load(100, 100, 200_000)["us_per_event"]
    spec = rtamt.StlDiscreteTimeOnlineSpecification()
    spec.declare_var("a", "float")
    spec.declare_var("b", "float")
    spec.spec = "(a >= 0.5) implies (eventually[0:100] (b >= 0.5))"
    spec.parse()
    spec.pastify()
    rng = random.Random(1)
    samples = [(float(rng.random() < 0.2), float(rng.random() < 0.2)) for _ in range(2000)]
    began = time.perf_counter()
    for n, (a, b) in enumerate(samples):
        spec.update(n, [("a", a), ("b", b)])
    theirs = (time.perf_counter() - began) / len(samples) * 1e6
    print(
        f"\nRTAMT, 100 samples of horizon: {theirs:.0f} us per update and rule; ours: {ours:.2f} us per event ", end=""
    )
    print(f"for 100 rules = {ours / 100:.3f} us per event and rule: {theirs / (ours / 100):.0f} times cheaper per rule")
    print(f"one rule of RTAMT costs as much per sample as {theirs / ours * 100:.0f} of ours per event")


@pytest.mark.parametrize("through", ["--engine", "--timeline"])
def test_cost_and_memory_as_it_goes_on(through: str) -> None:
    print(f"\n{through}, {len(EVSES)} outlets, 100 rules over 100 topics")
    for number in sorted({10_000, 100_000, MOST if through == "--engine" else 1_000_000}):
        one = load(100, 100, number, through)
        peak = one["peak_mib_at_tenths"]
        print(f"{number:9} events: {one['us_per_event']:5.2f} us per event; peak MiB at each tenth {peak}")
