"""respond to a condition: each sentence of the semantics with its boundaries, on a few events."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation import Facts

from lab_runs import Lab

FAIL, PASS, CLOCK, NA = "FAIL", "PASS", "INCONCLUSIVE CLOCK", "NA"
RULE = {"respond": "cp.state C -> B => output dead", "within": "100 ms"}


def live() -> Lab:
    """Live, state C; B comes at 100."""
    return Lab().output(1, live=True).cp("C", 2).cp("B", 100)


@pytest.mark.parametrize(
    ("dead", "said"),
    [
        ((200.0, 200.0), PASS),
        ((200.001, 200.001), FAIL),
        ((195.0, 200.0), PASS),
        ((199.0, 201.0), CLOCK),
        ((200.0, 205.0), CLOCK),
        ((200.001, 205.0), FAIL),
        ((100.0, 100.0), PASS),
    ],
)
def test_the_limit_belongs_to_what_is_allowed(dead: tuple[float, float], said: str) -> None:
    assert live().output(*dead, live=False).only(**RULE) == said


def test_what_is_true_already_counts_unless_a_new_one_is_wanted() -> None:
    already = Lab().output(1, live=False).cp("C", 2).cp("B", 100)
    assert already.only(**RULE) == PASS
    assert already.only(**RULE, already="new") == FAIL
    assert already.output(120, live=True).output(130, live=False).only(**RULE, already="new") == PASS


def test_what_was_true_may_have_ended_before_the_trigger() -> None:
    """It is received 500 ms later that the output was live again when the trigger came."""
    lab = Lab().put("output", 1, source="probe", live=False).cp("C", 2).cp("B", 100)
    lab.put("output", 90, 95, source="probe", order=600, live=True)
    assert lab.only(**RULE) == FAIL


def test_it_has_to_hold() -> None:
    assert live().output(150, live=False).output(170, live=True).only(**RULE, hold="20 ms") == PASS
    assert live().output(150, live=False).output(169.999, live=True).only(**RULE, hold="20 ms") == FAIL
    again = live().output(150, live=False).output(160, live=True).output(180, live=False)
    assert again.only(**RULE, hold="20 ms") == PASS


def test_that_it_held_is_known_when_its_end_can_no_longer_be_received() -> None:
    lab = Lab().put("output", 1, source="probe", live=True).duty(10.0, 1).cp("C", 2).cp("B", 100)
    lab.put("output", 150, source="probe", live=False).duty(20.0, 190)
    lab.put("output", 160, 165, source="probe", order=900, live=True)
    assert lab.only(**RULE, hold="20 ms", unless="duty >= 50 %") == FAIL


def test_it_has_to_hold_until_it_certainly_was_withdrawn() -> None:
    """Whether it was withdrawn before the response ended again is not known: that proves no response."""
    lab = live().output(150, live=False).output(160, live=True).duty(10.0, 190)
    assert lab.only(**RULE, hold="20 ms", unless="duty >= 50 %").startswith("INCONCLUSIVE")
    known = Lab().duty(60.0, 0.5).output(1, live=True).cp("C", 2).cp("B", 100)
    known.output(150, live=False).output(160, live=True)
    assert known.only(**RULE, hold="20 ms", unless="duty >= 50 %") == NA


def test_until_and_unless_withdraw_what_is_owed() -> None:
    for option in ({"until": "lab.c"}, {"unless": "cp.state C"}):
        assert live().put("lab.c", 150).cp("C", 150).only(**RULE, **option) == NA
        late = live().put("lab.c", 150).cp("C", 150).output(160, live=False)
        assert late.only(**RULE, **option) == NA, "what comes after that answers nothing"
        in_time = live().output(140, live=False).put("lab.c", 150).cp("C", 150)
        assert in_time.only(**RULE, **option) == PASS
        assert live().put("lab.c", 250).cp("C", 250).only(**RULE, **option) == FAIL
    maybe = live().put("lab.c", 190, 210)
    assert maybe.only(**RULE, until="lab.c") == "INCONCLUSIVE PRECONDITION"
    before = Lab().output(1, live=True).cp("C", 2).put("lab.c", 50).cp("B", 100)
    assert before.only(**RULE, until="lab.c") == FAIL


def test_a_trigger_that_nobody_saw_blames_nobody() -> None:
    lab = Lab().output(1, live=True).put("cp.state", 2, source="probe", state="C", pwm=False)
    lab.gap("probe", 50, 60).put("cp.state", 70, source="probe", state="B", pwm=False)
    assert lab.only(**RULE) == "INCONCLUSIVE PRECONDITION"


def test_the_limit_is_longer_where_a_signal_just_changed() -> None:
    rule = {**RULE, "extend": "50 ms if duty changed within 30 ms"}

    def changed(at: float, upto: float | None = None) -> Lab:
        lab = Lab().duty(10.0, 0.5).output(1, live=True).cp("C", 2)
        return lab.put("cp.pwm", at, upto, source="probe", on=True, duty_pct=20.0, freq_hz=1000.0).cp("B", 100)

    assert changed(75).output(150, live=False).only(**rule) == PASS
    assert changed(75).output(250, live=False).only(**rule) == PASS
    assert changed(75).output(250.001, live=False).only(**rule) == FAIL
    assert changed(70).output(220, live=False).only(**rule) == FAIL, "30 ms ago is not within 30 ms"
    assert changed(65, 75).output(220, live=False).only(**rule) == CLOCK
    after = Lab().duty(10.0, 0.5).output(1, live=True).cp("C", 2).cp("B", 100).duty(20.0, 110).output(220, live=False)
    assert after.only(**rule) == FAIL, "it changed after the trigger"


def test_the_end_of_the_record() -> None:
    lab = Lab().output(1, live=True).cp("C", 2).cp("B", 99_950)
    assert lab.only(**RULE) == "INCONCLUSIVE TRUNCATED"
    assert live().only(**RULE, truncated=True) == FAIL, "the limit was over"


# ---- samples of the meter


def sampled(*samples: tuple[float, float] | tuple[float, float, float]) -> Lab:
    lab = Lab(Facts(meter_max_gap_s=0.05, current_accuracy_a=0.0)).amps(5.0, 60).cp("C", 2).cp("B", 100)
    for amps, *at in samples:
        lab.amps(amps, *at)
    return lab


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (((5.0, 100.0), (0.0, 140.0)), PASS),
        (((5.0, 100.0), (5.0, 150.0), (0.0, 200.0)), PASS),
        (((5.0, 100.0), (5.0, 150.0), (5.0, 199.0), (0.0, 201.0)), "INCONCLUSIVE MEASUREMENT"),
        (((5.0, 100.0), (5.0, 150.0), (5.0, 200.0), (0.0, 210.0)), "INCONCLUSIVE MEASUREMENT"),
        (((5.0, 100.0), (5.0, 150.0), (5.0, 200.001), (0.0, 210.0)), "INCONCLUSIVE GAP"),  # more than 50 ms
        (((5.0, 100.0), (5.0, 150.0), (5.0, 190.0), (5.0, 200.001), (0.0, 210.0)), FAIL),
    ],
)
def test_between_two_samples_nobody_knows(samples: tuple[tuple[float, float], ...], said: str) -> None:
    rule = {"respond": "cp.state C -> B => current <= 1 A", "within": "100 ms"}
    assert sampled(*samples).only(**rule) == said
