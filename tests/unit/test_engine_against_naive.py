"""The engine and the naive evaluator of `docs/rules.md` agree on random runs, instance by instance.

Compared are outcome, reason and measured interval. Where a run has a gap, no PASS of one may be a FAIL of the other:
the page does not say exactly on whose silence a verdict rests.
"""

from __future__ import annotations

import os
import random

import pytest

from naive_compare import differences, told
from naive_rules import RULES, pack_of
from random_traces import random_run

TRACES = int(os.environ.get("PILOTBENCH_TRACES", "20000"))


def compare(name: str, seeds: range) -> None:
    shape, rules = RULES[name]
    pack = pack_of(rules)
    for seed in seeds:
        run = random_run(random.Random(seed), shape)
        found = differences(pack, run)
        assert not found, f"seed {seed}: {found}\n{rules}\n{told(run.events)}"


@pytest.mark.parametrize("name", RULES)
def test_the_engine_says_what_the_page_says(name: str) -> None:
    compare(name, range(120))


@pytest.mark.long
@pytest.mark.parametrize("name", RULES)
def test_the_engine_says_what_the_page_says_at_length(name: str) -> None:
    compare(name, range(1000, 1000 + TRACES))
