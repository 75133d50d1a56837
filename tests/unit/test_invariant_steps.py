"""invariant on signals that hold their value, and on samples, in every comparison; with the boundaries."""

from __future__ import annotations

import msgspec
import pytest
from pilotbench.bench.correlation import Facts

from lab_runs import Lab

FAIL, PASS, CLOCK = "FAIL", "PASS", "INCONCLUSIVE CLOCK"
DEAD = "output dead while cp.state A"
FACTS = Facts(current_accuracy_a=0.05, duty_accuracy_pp=0.1, meter_max_gap_s=0.05)


def dead() -> Lab:
    return Lab(FACTS).output(1, live=False).cp("C", 2)


# ---- signals that hold their value


def test_a_value_that_breaks_it_inside_fails_and_one_outside_does_not() -> None:
    assert dead().cp("A", 100).output(150, live=True).cp("C", 200).only(invariant=DEAD) == FAIL
    assert dead().cp("A", 100).cp("C", 200).output(250, live=True).only(invariant=DEAD) == PASS
    lasting = Lab(FACTS).output(1, live=True).cp("C", 2).cp("A", 100).output(150, live=False).cp("C", 200)
    assert lasting.only(invariant=DEAD) == FAIL, "it was true before the stay began, and still in it"
    assert dead().cp("C", 100).only(invariant=DEAD) == "NOTHING"


def test_where_two_happen_at_one_instant_nothing_held_in_between() -> None:
    # of one source that reports in order the sequence decides even then
    lab = Lab(FACTS).output(1, live=True).cp("C", 2).output(100, live=False).cp("A", 100).cp("C", 200)
    assert lab.only(invariant=DEAD) == PASS
    lab = Lab(FACTS).output(1, live=True).cp("C", 2).cp("A", 100).output(100, live=False).cp("C", 200)
    assert lab.only(invariant=DEAD) == FAIL
    other = Lab(FACTS).cp("C", 2).put("output", 3, source="probe", live=True)
    other.put("output", 100, source="probe", live=False).cp("A", 100).cp("C", 200)
    assert other.only(invariant=DEAD) == PASS
    other.put("output", 200, source="probe", live=True)
    assert other.only(invariant=DEAD) == PASS


def two_clocks(off: tuple[float, float], entry: tuple[float, float]) -> Lab:
    lab = Lab(FACTS).cp("C", 2).put("output", 3, source="probe", live=True)
    return lab.put("output", *off, source="probe", live=False).cp("A", *entry).cp("C", 500)


@pytest.mark.parametrize(
    ("off", "said"), [((90, 100), PASS), ((90, 100.001), CLOCK), ((110, 120), CLOCK), ((110.001, 120), FAIL)]
)
def test_of_two_clocks_the_stamps_decide(off: tuple[float, float], said: str) -> None:
    assert two_clocks(off, (100, 110)).only(invariant=DEAD) == said


def test_settle_is_granted_after_the_entry() -> None:
    lab = Lab(FACTS).cp("C", 2).put("output", 3, source="probe", live=True).cp("A", 100)
    lab.put("output", 120, source="probe", live=False).cp("C", 500)
    assert lab.only(invariant=DEAD, settle="20 ms") == PASS
    assert lab.only(invariant=DEAD, settle="19.999 ms") == FAIL
    short = dead().cp("A", 100).output(110, live=True).cp("C", 130)
    assert short.only(invariant=DEAD, settle="50 ms") == PASS, "the stay was over before"


def test_words_of_one_scope_are_one_stay() -> None:
    lab = dead().cp("A", 100).cp("B", 150).output(160, live=True).cp("C", 200)
    assert lab.only(invariant="output dead while cp.state A|B", settle="55 ms") == FAIL
    assert lab.only(invariant="output dead while cp.state A|B", settle="101 ms") == PASS


def test_what_was_not_known_is_open() -> None:
    assert Lab(FACTS).cp("A", 100).cp("C", 200).only(invariant=DEAD) == "INCONCLUSIVE GAP"
    late = Lab(FACTS).cp("A", 100).output(150, live=False).cp("C", 200)
    assert late.only(invariant=DEAD) == "INCONCLUSIVE GAP"
    lost = Lab(FACTS).cp("C", 2).put("output", 3, source="probe", live=False).cp("A", 100)
    lost.gap("probe", 150, 160).put("output", 170, source="probe", live=False).cp("C", 200)
    assert lost.only(invariant=DEAD) == "INCONCLUSIVE GAP"
    before = Lab(FACTS).cp("C", 2).put("output", 3, source="probe", live=False).gap("probe", 50, 60)
    before.put("output", 70, source="probe", live=False).cp("A", 100).cp("C", 200)
    assert before.only(invariant=DEAD) == PASS


def test_what_is_not_known_since_a_gap_before_the_stay_is_open() -> None:
    lost = Lab(FACTS).cp("C", 2).put("output", 3, source="probe", live=False).gap("probe", 50, 60)
    lost.cp("A", 100).cp("C", 200).put("output", 300, source="probe", live=False)
    assert lost.only(invariant=DEAD) == "INCONCLUSIVE GAP"


def test_the_end_of_the_record_ends_a_stay() -> None:
    assert dead().cp("A", 100).only(invariant=DEAD) == PASS
    assert dead().cp("A", 100).only(invariant=DEAD, truncated=True) == "INCONCLUSIVE TRUNCATED"
    assert dead().cp("A", 100).output(150, live=True).only(invariant=DEAD, truncated=True) == FAIL


@pytest.mark.parametrize(
    ("pct", "rule", "said"),
    [
        (16.0, "duty <= 16.1 %", PASS),
        (16.0, "duty <= 16.05 %", "INCONCLUSIVE MEASUREMENT"),
        (16.0, "duty <= 15.9 %", "INCONCLUSIVE MEASUREMENT"),
        (16.0, "duty <= 15.89 %", FAIL),
        (16.0, "duty >= 15.9 %", PASS),
        (16.0, "duty >= 16.11 %", FAIL),
        (16.0, "duty < 16.11 %", PASS),
        (16.0, "duty < 15.9 %", FAIL),
        (16.0, "duty > 15.89 %", PASS),
        (16.0, "duty > 16.1 %", FAIL),
    ],
)
def test_numbers_have_their_accuracy(pct: float, rule: str, said: str) -> None:
    verdict = Lab(FACTS).duty(pct, 1).cp("A", 2).cp("C", 100).cp("A", 200).verdict(invariant=f"{rule} while cp.state C")
    assert f"{verdict.verdict.value} {verdict.reason.value if verdict.reason else ''}".strip() == said
    assert verdict.measured is not None
    assert verdict.margin is not None
    assert verdict.margin.lo is not None
    if said == PASS:
        assert verdict.margin.lo >= -1e-9
    if said == FAIL:
        assert verdict.margin.hi is not None
        assert verdict.margin.hi <= 0


def test_a_breach_is_told_while_the_stay_lasts() -> None:
    lab = dead().cp("A", 100).output(150, live=True).cp("C", 50_000)
    assert lab.verdict(invariant=DEAD).instances[0].decided_ns < 1_500_000_000


def test_a_setting_that_was_not_read_back_decides_nothing() -> None:
    lab = Lab(FACTS).duty(16.0, 1).cp("C", 2).cp("A", 100)
    assert lab.only(invariant="duty <= config.X while cp.state C") == "INCONCLUSIVE PRECONDITION"


def test_when_is_asked_at_the_entry() -> None:
    lab = dead().duty(16.0, 3).cp("A", 100).output(150, live=True).cp("C", 200)
    assert lab.only(invariant=DEAD, when="pwm off") == "NOTHING"
    assert lab.only(invariant=DEAD, when="pwm on") == FAIL
    assert lab.only(invariant=DEAD, when="tx running") == "INCONCLUSIVE PRECONDITION"


# ---- samples


def sampled(*values: float, every: float = 20, begin: float = 100) -> Lab:
    """State C from 100 on, one sample every 20 ms, over at the last."""
    lab = Lab(FACTS).cp("A", 1).cp("C", 100)
    for i, value in enumerate(values):
        lab.amps(value, begin + every * i)
    return lab.cp("A", begin + every * len(values))


@pytest.mark.parametrize(
    ("rule", "values", "said"),
    [
        ("current <= 1 A", (0.5, 0.95), PASS),
        ("current <= 1 A", (0.5, 0.96), "INCONCLUSIVE MEASUREMENT"),
        ("current <= 1 A", (0.5, 1.06), FAIL),
        ("current < 1 A", (0.5, 1.05), FAIL),
        ("current >= 1 A", (5.0, 1.05), PASS),
        ("current >= 1 A", (5.0, 0.97), "INCONCLUSIVE MEASUREMENT"),
        ("current >= 1 A", (5.0, 0.94), FAIL),
        ("current > 1 A", (5.0, 0.95), FAIL),
        ("current > 1 A", (5.0, 1.06), PASS),
    ],
)
def test_samples_in_every_comparison(rule: str, values: tuple[float, ...], said: str) -> None:
    verdict = sampled(*values).verdict(invariant=f"{rule} while cp.state C")
    assert f"{verdict.verdict.value} {verdict.reason.value if verdict.reason else ''}".strip() == said
    assert verdict.measured is not None
    assert verdict.measured.hi == pytest.approx(values[1] + 0.05)
    assert verdict.margin is not None
    assert verdict.margin.lo is not None
    if said == PASS:
        assert verdict.margin.lo >= -1e-9
    if said == FAIL:
        assert verdict.margin.hi is not None
        assert verdict.margin.hi <= 1e-9


def test_a_sample_that_may_lie_outside_is_open() -> None:
    lab = Lab(FACTS).cp("A", 1).cp("C", 100).amps(5.0, 95, 115).amps(0.0, 130).cp("A", 140)
    assert lab.only(invariant="current <= 1 A while cp.state C") == CLOCK
    assert lab.only(invariant="current <= 1 A while cp.state C", settle="16 ms") == PASS
    inside = Lab(FACTS).cp("A", 1).cp("C", 100).amps(5.0, 101, 115).amps(0.0, 130).cp("A", 140)
    assert inside.only(invariant="current <= 1 A while cp.state C") == FAIL


def test_a_hole_is_open_and_a_stay_too_short_for_a_sample_is_none() -> None:
    assert sampled(0.0, 0.0, every=51).only(invariant="current <= 1 A while cp.state C") == "INCONCLUSIVE GAP"
    assert sampled(0.0, 0.0, every=50).only(invariant="current <= 1 A while cp.state C") == PASS
    late = sampled(0.0, 0.0, begin=151)
    assert late.only(invariant="current <= 1 A while cp.state C") == "INCONCLUSIVE GAP", "from the entry on"
    short = Lab(FACTS).amps(0.0, 50).cp("A", 60).cp("C", 100).cp("A", 140)
    assert short.only(invariant="current <= 1 A while cp.state C") == "NA"
    blind = Lab(FACTS).cp("A", 60).cp("C", 100).cp("A", 200)
    assert blind.only(invariant="current <= 1 A while cp.state C") == "INCONCLUSIVE PRECONDITION"


def test_a_hole_lies_between_the_nearest_ends_of_two_samples() -> None:
    def wide(begin: float) -> Lab:
        return Lab(FACTS).cp("A", 1).cp("C", 100).amps(0.0, 100, 110).amps(0.0, begin, 180).cp("A", 190)

    assert wide(160).only(invariant="current <= 1 A while cp.state C") == PASS
    assert wide(160.001).only(invariant="current <= 1 A while cp.state C") == "INCONCLUSIVE GAP"


def test_a_sample_while_the_scope_is_unknown_is_open_once() -> None:
    lab = Lab(FACTS).amps(5.0, 10).amps(5.0, 20).cp("C", 100).amps(0.0, 110).amps(0.0, 130).cp("A", 150)
    assert lab.said(invariant="current <= 1 A while cp.state C") == ["INCONCLUSIVE PRECONDITION", PASS]


def test_settle_counts_from_the_begin_of_the_stay() -> None:
    facts = msgspec.structs.replace(FACTS, meter_max_gap_s=1.0)
    lab = Lab(facts).cp("A", 1).cp("C", 100).cp("D", 150).amps(5.0, 170).amps(0.0, 250).cp("A", 300)
    assert lab.only(invariant="current <= 1 A while cp.state C|D", settle="60 ms") == FAIL
    assert lab.only(invariant="current <= 1 A while cp.state C|D", settle="71 ms") == PASS
