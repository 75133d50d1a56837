"""count: per key, per stay in a scope, and in a window that begins with each event."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation import Outcome, Reason
from pilotbench.bench.correlation.patterns import count, count_stays, count_window

from rule_runs import MS, Run, rule_of

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
STAY_MOST = rule_of(count="lab.a <= 1 while cp.state B")
STAY_LEAST = rule_of(count="lab.a >= 2 while cp.state B")
MOST = rule_of(count="lab.a <= 2 within 100 ms")


def lab(*times: float, end: float = 5000, **more: object) -> Run:
    run = Run()
    for at in times:
        run.add("lab.a", at, **more)  # type: ignore[arg-type]
    run.end(end)
    return run


@pytest.mark.parametrize(("number", "most", "least"), [(1, PASS, FAIL), (2, PASS, PASS), (3, FAIL, PASS)])
def test_of_each_key(number: int, most: Outcome, least: Outcome) -> None:
    run = lab(*range(number))
    (item,) = run.instances(rule_of(count="lab.a <= 2"))
    assert item.outcome is most
    assert item.measured is not None
    assert (item.measured.lo, item.measured.hi, item.limit) == (number, number, 2)
    assert run.says(rule_of(count="lab.a >= 2")) == [(least, None)]
    assert run.says(rule_of(count="lab.a <= 1 >= 1")) == [(PASS if number == 1 else FAIL, None)]


def test_keys_are_apart_and_one_without_events_has_no_instance() -> None:
    run = Run()
    run.add("lab.a", 0, evse=1, id="x")
    run.add("lab.a", 1, evse=2, id="x")
    run.add("lab.a", 2, evse=2)
    run.end()
    found = run.instances(rule_of(count="lab.a <= 1"))
    assert [(item.evse, item.outcome) for item in found] == [(1, PASS), (2, FAIL)]
    assert run.says(rule_of(count="lab.a <= 1", per="id")) == [(FAIL, None)]
    assert run.says(rule_of(count="lab.a <= 2", per="station")) == [(FAIL, None)]
    assert run.says(rule_of(count="lab.x <= 1")) == []


def test_too_many_is_said_at_once_and_enough_too() -> None:
    run = lab(0, 10, 20, 30)
    (item,) = run.instances(rule_of(count="lab.a <= 1"))
    assert item.decided_ns - item.opened_ns == 10 * MS
    (item,) = run.instances(rule_of(count="lab.a >= 3"))
    assert item.decided_ns - item.opened_ns == 20 * MS


def test_the_end_of_a_cut_record() -> None:
    for rule, says in (
        ("lab.a <= 2", (OPEN, Reason.TRUNCATED)),
        ("lab.a <= 1", (FAIL, None)),
        ("lab.a >= 2", (PASS, None)),
        ("lab.a >= 3", (OPEN, Reason.TRUNCATED)),
    ):
        assert lab(0, 1).says(rule_of(count=rule), cut=True) == [says]


def test_what_may_have_been_missed() -> None:
    for rule, says in (("lab.a <= 2", OPEN), ("lab.a <= 1", FAIL), ("lab.a >= 2", PASS), ("lab.a >= 3", OPEN)):
        run = lab(0, 10)
        run.gap("rig", 5, 6)
        assert run.says(rule_of(count=rule)) == [(says, Reason.GAP if says is OPEN else None)]


def test_an_event_for_which_when_is_unknown_may_count() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.cp(10, "B")
    run.add("lab.a", 20)
    run.cp(30, "A")
    run.add("lab.a", 40)
    run.end()
    assert run.says(rule_of(count="lab.a <= 1", when="cp.state B")) == [(OPEN, Reason.PRECONDITION)]
    assert run.says(rule_of(count="lab.a <= 2", when="cp.state B")) == [(PASS, None)]
    assert run.says(rule_of(count="lab.a >= 2", when="cp.state B")) == [(OPEN, Reason.PRECONDITION)]
    assert run.says(rule_of(count="lab.a >= 3", when="cp.state B")) == [(FAIL, None)]
    armed = rule_of(count="lab.a <= 1", arm="lab.b")
    assert run.says(armed) == []
    run.add("lab.b", 15)
    assert run.says(armed) == [(FAIL, None)]


def test_when_is_asked_once_everything_before_the_event_must_have_been_received() -> None:
    run = Run()
    run.cp(-10, "A")
    run.add("lab.a", 20)
    run.add("cp.state", 10, source="pilot", received=500, state="B", pwm=False)
    run.end()
    assert run.says(rule_of(count="lab.a <= 0", when="cp.state B")) == [(FAIL, None)]
    assert run.says(rule_of(count="lab.a <= 0", when="cp.state A")) == []


def stay(*times: float, age: float = 0.0, source: str = "rig", last: str | None = "A") -> Run:
    """A stay in B from 0 to 100."""
    run = Run(evses=(1,))
    run.cp(-50, "A")
    run.cp(0, "B")
    for at in times:
        run.add("lab.a", at, age=age, source=source)
    if last is not None:
        run.cp(100, last)
    run.end()
    return run


@pytest.mark.parametrize(
    ("times", "age", "most", "least"),
    [
        ((), 0, PASS, FAIL),
        ((50,), 0, PASS, FAIL),
        ((50, 60), 0, FAIL, PASS),
        ((50, 110), 0, PASS, FAIL),
        ((0, 50, 100), 0, PASS, FAIL),
        ((50, 103), 5, OPEN, OPEN),
        ((3, 50), 5, OPEN, OPEN),
        ((3, 50, 60), 5, FAIL, PASS),
    ],
)
def test_of_each_stay(times: tuple[float, ...], age: float, most: Outcome, least: Outcome) -> None:
    run = stay(*times, age=age)
    assert run.says(STAY_MOST) == [(most, Reason.CLOCK if most is OPEN else None)]
    assert run.says(STAY_LEAST) == [(least, Reason.CLOCK if least is OPEN else None)]


def test_what_is_of_every_outlet_counts_once_for_the_station() -> None:
    run = Run()
    run.add("ocpp.connected", 0, source="csms", evse=None, version="1.6")
    run.add("lab.a", 50, evse=None)
    run.add("ocpp.disconnected", 100, source="csms", evse=None, code=1000, reason="")
    run.end()
    assert run.says(rule_of(count="lab.a <= 1 while connected yes")) == [(PASS, None)]
    assert run.says(rule_of(count="lab.a >= 2 while connected yes")) == [(FAIL, None)]


def test_stays_are_apart_and_outlets_too() -> None:
    run = Run()
    for evse in (1, 2):
        run.cp(0, "A", evse=evse)
        run.cp(10, "B", evse=evse)
        run.cp(50, "A", evse=evse)
        run.cp(60, "B", evse=evse)
        run.cp(90, "A", evse=evse)
    for at in (20, 30, 70):
        run.add("lab.a", at, evse=2)
    run.end()
    assert [(item.evse, item.outcome) for item in run.instances(STAY_MOST)] == [
        (1, PASS),
        (2, FAIL),
        (1, PASS),
        (2, PASS),
    ]


def test_a_stay_to_the_end_of_the_record() -> None:
    run = stay(50, last=None)
    assert run.says(STAY_MOST) == [(PASS, None)]
    assert run.says(STAY_LEAST) == [(FAIL, None)]
    assert run.says(STAY_MOST, cut=True) == [(OPEN, Reason.TRUNCATED)]
    assert run.says(STAY_LEAST, cut=True) == [(OPEN, Reason.TRUNCATED)]
    assert stay(50, 60, last=None).says(STAY_MOST, cut=True) == [(FAIL, None)]


def test_too_many_in_a_stay_is_said_while_it_lasts() -> None:
    run = stay(50, 60, last=None)
    (item,) = run.instances(STAY_MOST)
    assert item.outcome is FAIL
    assert item.decided_ns - item.opened_ns == 1060 * MS


def test_what_is_received_before_the_entry_counts_if_it_may_lie_inside() -> None:
    run = Run(evses=(1,))
    run.cp(-50, "A")
    run.add("lab.a", 3, source="gauge")
    run.add("cp.state", 2, source="pilot", received=5, state="B", pwm=False, high_v=9.0, low_v=9.0)
    run.add("lab.a", 50)
    run.cp(100, "A")
    run.end()
    assert run.says(STAY_LEAST) == [(PASS, None)]


@pytest.mark.parametrize(
    ("times", "most"), [((0, 50, 100), FAIL), ((0, 50, 100.001), PASS), ((0, 200, 210, 300), FAIL)]
)
def test_in_any_window(times: tuple[float, ...], most: Outcome) -> None:
    assert lab(*times).says(MOST) == [(most, None)]
    assert lab(*times).says(MOST, cut=True) == [(most, None) if most is FAIL else (OPEN, Reason.TRUNCATED)]


def test_what_may_lie_in_a_window_fails_nothing() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.a", 50)
    run.add("lab.a", 104, source="gauge", age=5)
    run.end()
    assert run.says(MOST) == [(OPEN, Reason.CLOCK)]


def test_of_one_source_an_earlier_one_is_not_in_the_window_of_a_later_one() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.add("lab.a", 5, age=5)
    run.add("lab.a", 14)
    run.end()
    assert run.says(rule_of(count="lab.a <= 2 within 10 ms")) == [(PASS, None)]


def test_a_window_that_begins_with_an_event_that_may_be_none() -> None:
    run = Run()
    run.add("lab.a", 0)
    run.cp(10, "B")
    run.add("lab.a", 20)
    run.add("lab.a", 30)
    run.end()
    pack = rule_of(count="lab.a <= 2 within 100 ms", when="cp.state B")
    assert run.says(pack) == [(OPEN, Reason.PRECONDITION)]


def test_what_is_given_up_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count, "KEYS", 2)
    monkeypatch.setattr(count_window, "KEYS", 2)
    run = Run()
    for i in range(3):
        run.add("lab.a", i, id=str(i))
    run.end()
    says = [(OPEN, Reason.LIMIT), (PASS, None), (PASS, None)]
    assert run.says(rule_of(count="lab.a <= 1", per="id")) == says
    assert run.says(rule_of(count="lab.a <= 1 within 10 ms", per="id")) == says
    monkeypatch.setattr(count_window, "OPEN", 2)
    assert lab(0, 1, 2, 3).says(rule_of(count="lab.a <= 9 within 1 s")) == [(OPEN, Reason.LIMIT)]
    monkeypatch.setattr(count_stays, "KEPT", 2)
    assert stay(*range(1, 50, 4)).says(rule_of(count="lab.a <= 99 while cp.state B")) == [(PASS, None)]
    assert stay(*range(1, 50, 4)).says(rule_of(count="lab.a <= 11 while cp.state B")) == [(FAIL, None)]
    late = stay(*range(90, 110, 2), age=15)
    assert late.says(rule_of(count="lab.a <= 99 while cp.state B")) == [(OPEN, Reason.LIMIT)]


def test_edges_are_counted() -> None:
    run = Run(evses=(1,))
    for at, state in ((0, "A"), (10, "B"), (20, "A"), (30, "B"), (40, "B")):
        run.cp(at, state)
    run.end()
    assert run.says(rule_of(count="cp.state A -> B <= 1")) == [(FAIL, None)]
    assert run.says(rule_of(count="cp.state A -> B <= 2")) == [(PASS, None)]
