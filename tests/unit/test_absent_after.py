"""absent after a trigger: each sentence of the semantics on a few events."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation import Outcome, Pack, Reason
from pilotbench.bench.correlation.patterns import waiting

from rule_runs import MS, Run, rule_of

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
WITHIN = rule_of(absent="lab.a => lab.b", within="100 ms")
UNTIL = rule_of(absent="lab.a => lab.b", within="100 ms", until="lab.c[ok]")


def one(run: Run, pack: Pack = WITHIN, *, cut: bool = False) -> tuple[Outcome, Reason | None]:
    (said,) = run.says(pack, cut=cut)
    return said


@pytest.mark.parametrize(
    ("at", "age", "says"),
    [
        (0, 0, FAIL),
        (100, 0, FAIL),
        (100.001, 0, PASS),
        (-0.001, 0, PASS),
        (None, 0, PASS),
        (104, 5, OPEN),
        (3, 5, OPEN),
        (106, 5, PASS),
    ],
)
def test_both_ends_of_the_window_belong_to_it(at: float | None, age: float, says: Outcome) -> None:
    run = Run()
    if at is not None and at < 0:
        run.add("lab.b", at, source="gauge", age=age)
    run.add("lab.a", 0)
    if at is not None and at >= 0:
        run.add("lab.b", at, source="gauge", age=age)
    run.end()
    assert one(run) == (says, Reason.CLOCK if says is OPEN else None)


def test_what_is_received_before_the_trigger_may_have_happened_after_it() -> None:
    run = Run()
    run.add("lab.b", 10, source="gauge", age=5)
    run.add("lab.a", 11, age=4)
    run.end()
    assert one(run) == (OPEN, Reason.CLOCK)
    own = Run()
    own.add("lab.b", 10, age=5)
    own.add("lab.a", 11, age=5)
    own.end()
    assert one(own) == (PASS, None)


def test_the_trigger_is_not_what_it_forbids() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.a", 50)
    run.end()
    assert run.says(rule_of(absent="lab.a => lab.a", within="100 ms")) == [(FAIL, None), (PASS, None)]


def test_a_breach_is_said_at_once_where_nothing_can_excuse_it_and_else_after_the_slack() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge")
    run.add("lab.x", 60)
    run.end()
    (item,) = run.instances(WITHIN)
    assert (item.outcome, item.decided_ns - item.opened_ns) == (FAIL, 50 * MS)
    assert [(ref.id, ref.role) for ref in item.evidence] == [("rig#1", "trigger"), ("gauge#1", "violation")]
    (item,) = run.instances(UNTIL)
    assert item.outcome is FAIL
    assert item.decided_ns - item.opened_ns == 1050 * MS


def test_until_ends_the_window_also_when_it_is_received_later() -> None:
    said: list[tuple[Outcome, Reason | None]] = []
    for at, received, age, ok in ((40, 40, 0, True), (40, 40, 0, False), (40, 500, 0, True), (52, 52, 5, True)):
        run = Run()
        run.add("lab.a", 0)
        run.add("lab.c", at, source="csms", received=received, age=age, ok=ok)
        run.add("lab.b", 50, source="gauge")
        run.end()
        said.append(one(run, UNTIL))
    assert said == [(PASS, None), (FAIL, None), (PASS, None), (OPEN, Reason.CLOCK)]


def test_what_happens_at_the_instant_of_until_lies_in_the_window() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.b", 50, source="gauge")
    run.add("lab.c", 50, source="csms", ok=True)
    run.end()
    assert one(run, UNTIL) == (FAIL, None)


def test_only_until_ends_it() -> None:
    pack = rule_of(absent="lab.a => lab.b", until="lab.c")
    run = Run()
    run.add("lab.a", 0)
    run.end()
    assert one(run, pack) == (OPEN, Reason.TRUNCATED)
    run.add("lab.c", 3000)
    assert one(run, pack) == (PASS, None)
    run.add("lab.b", 2000, source="gauge")
    assert one(run, pack) == (FAIL, None)


def test_keys_and_outlets_and_what_the_trigger_says() -> None:
    run = Run()
    run.add("lab.a", 0, id="x", n=1)
    run.add("lab.a", 1, id="y", n=2, evse=2)
    run.add("lab.b", 50, source="gauge", id="y", n=2, evse=1)
    run.end()
    assert run.says(WITHIN) == [(FAIL, None), (PASS, None)]
    assert run.says(rule_of(absent="lab.a => lab.b", within="100 ms", per="id")) == [(PASS, None), (FAIL, None)]
    joined = rule_of(absent="lab.a => lab.b[n=$n]", within="100 ms", per="station")
    assert run.says(joined) == [(PASS, None), (FAIL, None)]


def test_an_edge_is_forbidden_and_the_signal_has_to_be_seen() -> None:
    pack = rule_of(absent="lab.a => cp.state A|B -> C", within="100 ms")
    run = Run(evses=(1,))
    run.add("lab.a", 0)
    run.end()
    assert one(run, pack) == (OPEN, Reason.PRECONDITION)
    for value, says in (("C", FAIL), ("B", PASS)):
        seen = Run(evses=(1,))
        seen.cp(-10, "A")
        seen.add("lab.a", 0)
        seen.cp(50, value)
        seen.end()
        assert one(seen, pack) == (says, None)


def test_an_edge_counts_for_the_outlets_that_it_is_of() -> None:
    """Outlet 2 is live already when both are told to be."""
    run = Run()
    for evse in (1, 2):
        run.add("output", -20, source="pilot", evse=evse, live=evse == 2, kind="ac")
    run.add("lab.a", 0, evse=None)
    run.add("output", 10, source="pilot", evse=None, live=True, kind="ac")
    run.end()
    found = run.instances(rule_of(absent="lab.a => output dead -> live", within="100 ms"))
    assert [(item.evse, item.outcome) for item in found] == [(1, FAIL), (2, PASS)]


def test_an_edge_triggers() -> None:
    pack = rule_of(absent="cp.state A -> B => lab.b", within="100 ms")
    run = Run()
    run.cp(-10, "A", evse=2)
    run.cp(0, "B", evse=2)
    run.add("lab.b", 50, source="gauge", evse=2)
    run.end()
    assert one(run, pack) == (FAIL, None)


def test_when_and_arm_at_the_trigger() -> None:
    pack = rule_of(absent="lab.a => lab.b", within="100 ms", when="cp.state B", arm="lab.on")
    run = Run()
    run.cp(-10, "A")
    run.add("lab.on", -5)
    run.add("lab.a", 0)
    run.cp(10, "B", age=15)
    run.add("lab.a", 5, received=20)
    run.add("lab.b", 50, source="gauge")
    run.add("lab.a", 60)
    run.add("lab.b", 70, source="gauge")
    run.end()
    assert run.says(pack) == [(OPEN, Reason.PRECONDITION), (OPEN, Reason.PRECONDITION), (FAIL, None)]
    unarmed = rule_of(absent="lab.a => lab.b", within="100 ms", arm="lab.never")
    assert run.says(unarmed) == []


def test_the_end_of_the_record_and_gaps() -> None:
    for end, cut, gap, says in (
        (50, False, None, (OPEN, Reason.TRUNCATED)),
        (100, False, None, (PASS, None)),
        (500, True, None, (OPEN, Reason.TRUNCATED)),
        (3000, True, None, (PASS, None)),
        (3000, False, "gauge", (OPEN, Reason.GAP)),
        (3000, False, "csms", (PASS, None)),
    ):
        run = Run()
        run.add("lab.b", -500, source="gauge")
        run.add("lab.a", 0)
        if gap is not None:
            run.gap(gap, 30, 40)
        run.end(end)
        assert one(run, cut=cut) == says


def test_a_breach_needs_no_silence() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.gap("gauge", 10, 20)
    run.add("lab.b", 30, source="gauge")
    run.end()
    assert one(run) == (FAIL, None)


def test_of_too_many_the_oldest_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "OPEN_PER_KEY", 2)
    run = Run()
    for at in range(3):
        run.add("lab.a", at)
    run.end()
    assert run.says(WITHIN) == [(OPEN, Reason.LIMIT), (PASS, None), (PASS, None)]
