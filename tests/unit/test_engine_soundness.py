"""Soundness: what the bench says of a run that it knows only in intervals is never the contrary of what truly happened.

A run is first told with exact times and nothing missing, then as instruments would stamp it: shifted within their
declared bounds, with gaps, cut off. Known better, a verdict may become decided, but never turn.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from pilotbench.bench.correlation import Instance, Outcome, Pack, Report, evaluate

from naive_compare import told
from naive_rules import FACTS, RULES, pack_of
from random_traces import Run, random_run

TRACES = int(os.environ.get("PILOTBENCH_TRACES", "200000"))
TIMED = [name for name in RULES if name not in ("order of values", "invariant of samples")]
"""What says something of time. The order of values goes by receipt; a sample has an accuracy of its own."""
CONTRARY = {Outcome.PASS, Outcome.FAIL}


def contradictions(pack: Pack, one: Report, other: Report, *, complete: bool = True) -> Iterator[str]:
    """The rules of which one says PASS and the other FAIL: of the same instance, and of the whole if it is complete."""
    for named in pack.rules:
        first, second = one.of(named.id), other.of(named.id)
        if complete and {first.verdict, second.verdict} == CONTRARY:
            yield f"{named.id}: {first.verdict} {first.because!r}, {second.verdict} {second.because!r}"
        theirs = by_trigger(second.instances)
        for key, instance in by_trigger(first.instances).items():
            if key in theirs and {instance.outcome, theirs[key].outcome} == CONTRARY:
                yield f"{named.id} {key}: {instance.because!r}, {theirs[key].because!r}"


def by_trigger(instances: tuple[Instance, ...]) -> dict[tuple[str, int | None], Instance]:
    """The instances by the event that opened them, where that names one only."""
    keyed = [((i.evidence[0].id, i.evse), i) for i in instances if i.evidence and i.evidence[0].role in OPENS]
    counts = Counter(key for key, _ in keyed)
    return {key: instance for key, instance in keyed if counts[key] == 1}


OPENS = ("trigger", "scope begins", "anchor")


def check(name: str, pack: Pack, seed: int) -> None:
    shape = RULES[name][0]._replace(most=8)
    rng = random.Random(seed)
    run = random_run(rng, shape)
    better = run.refined(rng)
    seen = judged(run, pack)
    # what lies in a gap may have been a trigger that nobody saw
    complete = not run.lost and all(event.topic != "gap" for event in run.events)
    found = list(contradictions(pack, seen, evaluate(run.truth, pack, FACTS), complete=complete))
    if seed % 3 == 0:
        found += contradictions(pack, seen, judged(better, pack))
    assert not found, f"{name}, seed {seed}: {found}\n{told(run.events)}\n--\n{told(run.truth)}"


def judged(run: Run, pack: Pack) -> Report:
    return evaluate(run.events, pack, FACTS, truncated=run.cut)


@pytest.mark.parametrize("name", TIMED)
def test_no_verdict_contradicts_the_truth_or_better_knowledge(name: str) -> None:
    pack = pack_of(RULES[name][1])
    for seed in range(60):
        check(name, pack, seed)


@pytest.mark.long
@pytest.mark.parametrize("name", TIMED)
def test_no_verdict_contradicts_the_truth_or_better_knowledge_at_length(name: str) -> None:
    pack = pack_of(RULES[name][1])
    for seed in range(1000, 1000 + TRACES // len(TIMED)):
        check(name, pack, seed)
