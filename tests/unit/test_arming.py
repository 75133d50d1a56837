"""arm, disarm: between which events a rule watches."""

from __future__ import annotations

from pilotbench.bench.correlation import Outcome, Reason

from rule_runs import Run, rule_of

FAIL, OPEN = Outcome.FAIL, Outcome.INCONCLUSIVE
ARMED = {"respond": "lab.a => lab.b", "within": "10 ms", "arm": "lab.on"}


def armed(*, evse: int | None = 1) -> Run:
    run = Run()
    run.add("lab.on", 0, source="gauge", evse=evse)
    return run


def test_before_the_first_of_them_it_watches_unless_it_has_arm() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.end()
    assert run.says(rule_of(**ARMED)) == []
    assert run.says(rule_of(respond="lab.a => lab.b", within="10 ms", disarm="lab.off")) == [(FAIL, None)]


def test_an_event_that_is_both_disarms() -> None:
    pack = rule_of(**ARMED, disarm="lab.on[ok]")
    run = armed()
    run.add("lab.a", 10)
    run.add("lab.on", 20, source="gauge", ok=True)
    run.add("lab.a", 30)
    run.end()
    assert run.says(pack) == [(FAIL, None)]


def test_it_is_a_matter_of_the_outlet() -> None:
    for evse, said in ((1, [(FAIL, None)]), (2, []), (None, [(FAIL, None)])):
        run = armed(evse=evse)
        run.add("lab.a", 10)
        run.end()
        assert run.says(rule_of(**ARMED)) == said
    run = armed(evse=2)
    run.add("lab.a", 10)
    run.end()
    assert run.says(rule_of(**ARMED, per="station")) == [(FAIL, None)], "of the station"


def test_a_gap_of_who_arms_leaves_it_open_until_he_speaks_again() -> None:
    run = armed()
    run.add("lab.b", 1)
    run.gap("gauge", 5, 10)
    run.add("lab.a", 20)
    run.add("lab.on", 40, source="gauge")
    run.add("lab.a", 50)
    run.end()
    assert run.says(rule_of(**ARMED)) == [(OPEN, Reason.PRECONDITION), (FAIL, None)]
    other = armed()
    other.add("lab.b", 1)
    other.gap("probe", 5, 10)
    other.add("lab.a", 20)
    other.end()
    assert other.says(rule_of(**ARMED)) == [(FAIL, None)], "he arms nothing"
