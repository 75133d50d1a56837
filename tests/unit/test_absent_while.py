"""absent while a scope lasts: each sentence of the semantics with its boundaries, on a few events."""

from __future__ import annotations

import pytest

from lab_runs import Lab

FAIL, PASS, CLOCK, GAP = "FAIL", "PASS", "INCONCLUSIVE CLOCK", "INCONCLUSIVE GAP"
AMBIGUOUS = "INCONCLUSIVE AMBIGUOUS"
RULE = {"absent": "lab.a while cp.state C"}


def in_c(*events: tuple[float, float], **more: float) -> Lab:
    """State C from 100 to 200."""
    lab = Lab().cp("A", 1).cp("C", 100)
    for begin, end in events:
        lab.put("lab.a", begin, end, **more)
    return lab.cp("A", 200)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ((100.0, 100.0), PASS),
        ((100.001, 100.001), FAIL),
        ((199.999, 199.999), FAIL),
        ((200.0, 200.0), PASS),
        ((90.0, 100.0), PASS),
        ((90.0, 110.0), CLOCK),
        ((199.0, 201.0), CLOCK),
        ((200.0, 210.0), PASS),
        ((101.0, 199.0), FAIL),
    ],
)
def test_inside_is_certainly_after_the_entry_and_before_the_end(when: tuple[float, float], said: str) -> None:
    assert in_c(when).only(**RULE) == said


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ((105.0, 105.0), AMBIGUOUS),
        ((110.0, 110.0), AMBIGUOUS),
        ((110.001, 110.001), FAIL),
        ((108.0, 112.0), AMBIGUOUS),
        ((195.0, 205.0), CLOCK),
    ],
)
def test_what_comes_so_soon_after_the_entry_settles_nothing(when: tuple[float, float], said: str) -> None:
    assert in_c(when).only(**RULE, settle="10 ms") == said


def test_settle_is_granted_where_the_scope_was_entered_from_these_values() -> None:
    early = in_c((105.0, 105.0))
    assert early.only(**RULE, settle="10 ms", settle_from="A") == AMBIGUOUS
    assert early.only(**RULE, settle="10 ms", settle_from="B|D") == FAIL


def test_a_certain_one_is_worse_than_one_that_may_be() -> None:
    assert in_c((90.0, 110.0), (150.0, 150.0)).only(**RULE) == FAIL
    assert in_c((105.0, 105.0), (195.0, 205.0)).only(**RULE, settle="10 ms").startswith("INCONCLUSIVE")


def test_an_end_that_is_received_later_excuses_what_came_after_it() -> None:
    """The scope was over at 150, which is received at 900 only; what happened at 160 was outside."""
    lab = Lab().put("output", 1, source="probe", live=False).put("output", 100, source="probe", live=True)
    lab.put("lab.a", 160).put("output", 150, source="probe", order=900, live=False)
    assert lab.only(absent="lab.a while output live") == PASS


def test_each_stay_is_one_instance() -> None:
    lab = in_c((150.0, 150.0)).cp("C", 300).cp("A", 400).cp("C", 500).put("lab.a", 550)
    assert lab.said(**RULE) == [FAIL, PASS, FAIL]
    other = in_c().put("lab.a", 150, evse=2)
    assert other.only(**RULE) == PASS, "of another outlet"
    every = in_c().put("lab.a", 150, evse=None)
    assert every.only(**RULE) == FAIL, "of every outlet"


def test_what_may_be_the_scope_is_none() -> None:
    """A duty cycle of 16.05 % ± 0.1 % may be 16 % at most: nobody knows whether the scope is there."""
    lab = Lab().duty(16.05, 100).put("lab.a", 150).duty(50.0, 200)
    assert lab.only(absent="lab.a while duty <= 16 %") == "NOTHING"
    assert Lab().duty(15.0, 100).put("lab.a", 150).duty(50.0, 200).only(absent="lab.a while duty <= 16 %") == FAIL


def test_silence_in_a_gap_of_who_would_have_told() -> None:
    assert in_c((50.0, 50.0)).gap("rig", 150, 160).only(**RULE) == GAP
    assert in_c((50.0, 50.0)).gap("rig", 250, 260).only(**RULE) == PASS
    assert in_c((50.0, 50.0)).gap("meter", 150, 160).only(**RULE) == PASS, "it tells nothing of this"
    assert in_c((120.0, 120.0)).gap("rig", 150, 160).only(**RULE) == FAIL, "a breach needs no silence"


def test_an_edge_is_absent_where_its_signal_was_known_throughout() -> None:
    rule = {"absent": "output dead -> live while cp.state C"}

    def scope(lab: Lab) -> Lab:
        return lab.cp("A", 1).cp("C", 100).cp("A", 200)

    assert scope(Lab().put("output", 0.5, source="probe", live=False)).only(**rule) == PASS
    assert scope(Lab()).only(**rule) == "INCONCLUSIVE PRECONDITION"
    assert scope(Lab()).put("output", 150, source="probe", live=False).only(**rule) == GAP
    lost = scope(Lab().put("output", 0.5, source="probe", live=False).gap("probe", 50, 60))
    assert lost.put("output", 150, source="probe", live=False).only(**rule) == GAP, "not known since the gap before"
    told = scope(Lab().put("output", 0.5, source="probe", live=False).gap("probe", 50, 60))
    assert told.put("output", 70, source="probe", live=False).only(**rule) == PASS


def test_when_is_asked_at_the_entry() -> None:
    lab = Lab().duty(10.0, 0.5).cp("A", 1).cp("C", 100).put("lab.a", 150).cp("A", 200)
    assert lab.only(**RULE, when="duty >= 50 %") == "NOTHING"
    assert lab.only(**RULE, when="duty <= 50 %") == FAIL
    unknown = Lab().cp("A", 1).cp("C", 100).put("lab.a", 150).cp("A", 200)
    assert unknown.only(**RULE, when="duty >= 50 %") == "INCONCLUSIVE PRECONDITION"


def test_the_end_of_the_record() -> None:
    lasting = Lab().cp("A", 1).cp("C", 100)
    assert lasting.only(**RULE) == PASS
    assert lasting.only(**RULE, truncated=True) == "INCONCLUSIVE TRUNCATED"
    assert in_c().only(**RULE, truncated=True) == PASS
