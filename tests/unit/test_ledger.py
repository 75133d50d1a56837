"""What is kept of a rule's instances: the worst of them, the bad ones, and a hash over all."""

from __future__ import annotations

import msgspec
from pilotbench.bench.correlation import EvidenceRef, Instance, Outcome, Range, Reason
from pilotbench.bench.correlation.ledger import HORIZON_NS, Ledger
from pilotbench.bench.timeline import Stamp

from rule_runs import MS, Run, rule_of

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE


def instance(n: int, outcome: Outcome, margin: float | None = None, decided_ns: int = 0) -> Instance:
    shown = None if margin is None else Range(margin, margin + 1, "ms")
    return Instance("r", n, 1, outcome, None, "because", n, margin=shown, decided_ns=decided_ns)


def ledger(*instances: Instance, keep: int = 10) -> Ledger:
    made = Ledger(lambda item: item, keep)
    for item in instances:
        made.take(item, item.decided_ns)
    made.close()
    return made


def test_the_worst_has_the_worst_outcome_and_of_these_the_smallest_margin() -> None:
    def worst(*instances: Instance) -> int | None:
        item = ledger(*instances).worst
        return None if item is None else item.n

    assert worst(instance(1, FAIL, 5.0), instance(2, OPEN, -9.0), instance(3, PASS, -20.0)) == 1
    assert worst(instance(1, OPEN), instance(2, FAIL, -5.0), instance(3, FAIL, -9.0), instance(4, FAIL, -7.0)) == 3
    assert worst(instance(1, PASS, 9.0), instance(2, PASS, 5.0), instance(3, PASS, 7.0)) == 2
    assert worst(instance(1, FAIL, -5.0), instance(2, FAIL)) == 1, "without a margin it is none smaller"


def test_of_very_many_the_first_and_the_bad_ones_are_kept() -> None:
    many = [instance(n, FAIL if n in (50, 90) else PASS, 5.0) for n in range(100)]
    made = ledger(*many, keep=3)
    assert [item.n for item in made.instances] == [0, 1, 2, 50, 90]
    assert made.tally == {"PASS": 98, "FAIL": 2}


def test_the_hash_is_over_all_that_is_told_of_every_instance() -> None:
    base = instance(1, PASS, 5.0)
    seen = (EvidenceRef("rig#1", "trigger", Stamp(1, 1, 1)),)
    later = (EvidenceRef("rig#1", "trigger", Stamp(1, 0, 1)),)
    changes = [
        {},
        {"outcome": FAIL},
        {"reason": Reason.GAP},
        {"measured": Range(1.0, 2.0, "ms")},
        {"limit": 5.0},
        {"margin": Range(5.0, 7.0, "ms")},
        {"evidence": seen},
        {"evidence": later},
    ]
    bent = [msgspec.structs.replace(base, **change) for change in changes]
    assert len({ledger(item).digest for item in bent}) == len(changes)
    assert ledger(base, keep=0).digest == ledger(base).digest


def test_an_instance_is_open_to_what_is_told_later_for_so_long() -> None:
    """A gap that is told within the horizon takes a verdict that rests on silence back."""
    doubt = {"gap": False}

    def settle(item: Instance) -> Instance:
        return msgspec.structs.replace(item, outcome=OPEN) if doubt["gap"] else item

    made = Ledger(settle)
    made.take(instance(1, PASS, decided_ns=0), 0)
    made.take(instance(2, PASS, decided_ns=HORIZON_NS), HORIZON_NS)
    doubt["gap"] = True
    made.take(instance(3, PASS, decided_ns=HORIZON_NS + 1), HORIZON_NS + 1)
    assert made.tally == {"INCONCLUSIVE": 1}, "the first of them is past the horizon"
    doubt["gap"] = False
    made.close()
    assert made.tally == {"PASS": 2, "INCONCLUSIVE": 1}


def test_the_verdict_of_a_rule_is_that_of_the_worst() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 130, source="gauge")
    run.add("lab.a", 1000)
    run.add("lab.b", 1150, source="gauge")
    run.add("lab.a", 2000)
    run.add("lab.b", 2105, source="gauge", age=90)
    run.end()
    verdict = run.report(rule_of(respond="lab.a => lab.b", within="100 ms")).of("r")
    assert [item.outcome for item in verdict.instances] == [FAIL, FAIL, OPEN]
    assert (verdict.verdict, verdict.margin) == (FAIL, Range(-50.0, -50.0, "ms"))
    assert verdict.instances[1].windows == ((2000 * MS, 2100 * MS),)
