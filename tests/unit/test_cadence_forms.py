"""cadence: every so often in a scope, and at least so far apart; each sentence of the page with its boundaries."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation.patterns import cadence_apart

from lab_runs import Lab

FAIL, PASS, CLOCK = "FAIL", "PASS", "INCONCLUSIVE CLOCK"
EVERY = "lab.a every 100 ms while cp.state C"


def in_c(begin: float, end: float | None, *events: float | tuple[float, float], first: str = "A") -> Lab:
    lab = Lab().cp(first, 1).cp("C", begin)
    for at in events:
        span = at if isinstance(at, tuple) else (at, at)
        lab.put("lab.a", *span, source="probe")
    return lab if end is None else lab.cp("A", end)


# ---- every


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((1100.0, 1200.0), PASS),
        ((1100.001, 1200.0), FAIL),  # entry to the first
        ((1050.0, 1151.0, 1200.0), FAIL),  # between neighbours
        ((1050.0, 1150.0, 1190.0), FAIL),  # the last to the end
        ((1100.0, 1200.0, 1290.0), PASS),
        (((1090.0, 1110.0), 1200.0), CLOCK),
        (((1101.0, 1110.0), 1200.0), FAIL),
        ((), FAIL),
    ],
)
def test_every_pause_counts(events: tuple[float | tuple[float, float], ...], said: str) -> None:
    assert in_c(1000, 1300, *events).only(cadence=EVERY) == said


def test_the_measured_pause_is_the_worst_by_each_end() -> None:
    # the longest for certain is 40 ms, the longest perhaps is [0, 60]
    verdict = in_c(1000, 1130, 1040, (1040.0, 1100.0), 1100).verdict(cadence="lab.a every 50 ms while cp.state C")
    assert verdict.measured is not None
    assert (verdict.measured.lo, verdict.measured.hi) == (0.04, 0.06)
    assert verdict.verdict.value == "INCONCLUSIVE"


def test_a_tolerance_is_a_share_of_the_time() -> None:
    run = in_c(1000, 1300, 1110, 1220)
    assert run.only(cadence=EVERY) == FAIL
    assert run.only(cadence=EVERY, tolerance="10 %") == PASS
    assert in_c(1000, 1300, 1110.001, 1220).only(cadence=EVERY, tolerance="10 %") == FAIL


def test_what_is_received_in_another_order_blames_nobody() -> None:
    """They came at 1090, 1180 and 1270; the second was received last."""
    lab = Lab().cp("A", 1).cp("C", 1000).put("lab.a", 1090).put("lab.a", 1270)
    lab.put("lab.a", 1180, source="probe", order=1290).cp("A", 1300)
    assert lab.only(cadence=EVERY) == CLOCK
    missing = Lab().cp("A", 1).cp("C", 1000).put("lab.a", 1090).put("lab.a", 1270).cp("A", 1300)
    assert missing.only(cadence=EVERY) == FAIL


def test_a_stay_that_may_be_shorter_than_the_time_asks_nothing() -> None:
    assert in_c(1000, 1100).only(cadence=EVERY) == "NA"
    assert in_c(1000, 1100.001).only(cadence=EVERY) == FAIL
    assert Lab().cp("A", 1).put("lab.a", 50).only(cadence=EVERY) == "NOTHING"


def test_each_stay_is_one_instance_and_words_of_one_scope_are_one_stay() -> None:
    run = Lab().cp("A", 1).cp("C", 1000).cp("D", 1060).cp("A", 1120).cp("C", 3000).cp("A", 3090)
    assert run.said(cadence="lab.a every 100 ms while cp.state C|D") == [FAIL, "NA"]


def test_what_may_lie_inside_counts_and_a_pause_is_cut_to_the_stay() -> None:
    # received before the entry, perhaps after it: the first pause is perhaps shorter
    run = Lab().cp("A", 1).put("lab.a", 1000, 1010, source="probe").cp("C", 995, 1020).cp("A", 1105)
    assert run.only(cadence=EVERY) == CLOCK
    # the next pause begins at the entry at the earliest
    run = Lab().cp("A", 1).put("lab.a", 985, 1005, source="probe").cp("C", 1000)
    run.put("lab.a", 1105, source="probe").cp("A", 1150)
    assert run.only(cadence="lab.a every 110 ms while cp.state C") == PASS
    # certainly before it: it does not count, and takes nothing away either
    run = Lab().cp("A", 1).put("lab.a", 980, 990, source="probe").cp("C", 1000).cp("A", 1150)
    assert run.only(cadence=EVERY) == FAIL
    # an event after the end does not lengthen a pause: it is cut at the end
    run = Lab().cp("A", 1).cp("C", 1000).put("lab.a", 1060).cp("A", 1150).put("lab.a", 1140, 1900, source="probe")
    assert run.only(cadence=EVERY) == PASS


def test_the_end_of_the_record_ends_a_stay() -> None:
    assert in_c(1000, None, 1100).only(cadence=EVERY) == FAIL
    assert in_c(99_800, None, 99_900).only(cadence=EVERY) == PASS
    assert in_c(99_800, None, 99_900).only(cadence=EVERY, truncated=True) == "INCONCLUSIVE TRUNCATED"
    assert in_c(99_800, None, 99_850).only(cadence=EVERY, truncated=True) == FAIL


def test_silence_in_a_gap_of_its_source_is_open() -> None:
    run = in_c(1000, 1300, 1050, 1250)
    assert run.gap("probe", 1100, 1110).only(cadence=EVERY) == "INCONCLUSIVE GAP"
    elsewhere = in_c(1000, 1300, 1050, 1250).gap("probe", 1260, 1270)
    assert elsewhere.only(cadence=EVERY) == FAIL


def test_edges_of_a_signal() -> None:
    lab = Lab().cp("A", 1).cp("C", 1000)
    for i, pct in enumerate((20.0, 30.0, 20.0)):
        lab.duty(pct, 1050 + 90 * i)
    assert lab.cp("A", 1300).only(cadence="duty changes every 100 ms while cp.state C") == PASS
    assert lab.only(cadence="duty changes every 80 ms while cp.state C") == FAIL


def test_keys_of_the_data_are_paced_apart() -> None:
    lab = Lab().cp("A", 1).cp("C", 1000)
    for at, key in ((1090, "x"), (1100, "y"), (1180, "x"), (1260, "x")):
        lab.put("lab.a", at, source="probe", id=key)
    lab.cp("A", 1300)
    assert lab.only(cadence=EVERY) == PASS
    assert sorted(lab.said(cadence=EVERY, per="evse, id")) == [FAIL, PASS]


def test_when_is_asked_at_the_entry() -> None:
    run = in_c(1000, 1300)
    assert run.only(cadence=EVERY, when="output live") == "INCONCLUSIVE PRECONDITION"
    dead = Lab().output(1, live=False).cp("A", 2).cp("C", 1000).output(1100, live=True).cp("A", 1300)
    assert dead.only(cadence=EVERY, when="output live") == "NOTHING"
    assert dead.only(cadence=EVERY, when="output dead") == FAIL


def told(**settings: str) -> Lab:
    return Lab().put("station.config", 5, source="csms", evse=None, values=settings, unknown=[], complete=True)


def paced(lab: Lab) -> Lab:
    lab.cp("A", 10).cp("C", 1000)
    for at in (2500.0, 4000.0, 5500.0):
        lab.put("lab.a", at, source="probe")
    return lab.cp("A", 6000)


def test_a_setting_of_the_station_is_a_time() -> None:
    rule = "lab.a every config.X while cp.state C"
    assert paced(told(X="2")).only(cadence=rule) == PASS
    assert paced(told(X="1")).only(cadence=rule) == FAIL
    assert paced(told(X="1")).only(cadence=rule, tolerance="50 %") == PASS
    assert paced(told(X="0")).only(cadence=rule) == "NA"
    assert paced(told()).only(cadence=rule) == "NA", "a station without such a setting"
    assert paced(Lab()).only(cadence=rule) == "INCONCLUSIVE PRECONDITION"
    changed = paced(told(X="2")).put("csms.setting", 5000, source="csms", evse=None, key="X", value="1", accepted=True)
    assert changed.only(cadence=rule) == "INCONCLUSIVE PRECONDITION"
    lab = told(X="1").put("csms.setting", 500, source="csms", evse=None, key="X", value="2", accepted=True)
    assert paced(lab).only(cadence=rule) == PASS, "changed before the stay began"
    later = paced(told(X="2")).put("csms.setting", 7000, source="csms", evse=None, key="X", value="1", accepted=True)
    assert later.only(cadence=rule) == PASS


# ---- apart


def spaced(*events: float | tuple[float, float], **data: object) -> Lab:
    lab = Lab()
    for at in events:
        span = at if isinstance(at, tuple) else (at, at)
        lab.put("lab.a", *span, source="rig" if span[0] == span[1] else "probe", **data)
    return lab


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((10.0, 20.0, 30.0), PASS),
        ((10.0, 19.999, 30.0), FAIL),
        (((10.0, 12.0), 21.0), CLOCK),
        (((10.0, 12.0), 22.0), PASS),
        (((10.0, 12.0), 19.0), FAIL),
        ((10.0,), "NOTHING"),
    ],
)
def test_neighbours_are_so_far_apart(events: tuple[float | tuple[float, float], ...], said: str) -> None:
    assert spaced(*events).only(cadence="lab.a apart 10 ms") == said


def test_whichever_was_received_first_the_distance_is_the_same() -> None:
    rule = "lab.a apart 10 ms"
    assert Lab().put("lab.a", 130).put("lab.a", 100, source="probe", order=140).only(cadence=rule) == PASS
    between = Lab().put("lab.a", 100).put("lab.a", 130).put("lab.a", 105, source="probe", order=140)
    assert between.only(cadence=rule) == FAIL


def test_apart_has_a_tolerance_too() -> None:
    assert spaced(10.0, 18.0).only(cadence="lab.a apart 10 ms", tolerance="20 %") == PASS
    assert spaced(10.0, 17.999).only(cadence="lab.a apart 10 ms", tolerance="20 %") == FAIL


def test_keys_are_apart_by_themselves() -> None:
    lab = Lab().put("lab.a", 10, id="x").put("lab.a", 12, id="y").put("lab.a", 20, id="x").put("lab.a", 21, id="y")
    assert lab.only(cadence="lab.a apart 10 ms") == FAIL
    assert lab.said(cadence="lab.a apart 10 ms", per="id") == [PASS, FAIL]


def test_in_a_scope_only_certain_neighbours_fail_and_only_possible_ones_forbid_a_pass() -> None:
    rule = "lab.a apart 100 ms while cp.state C"
    near = Lab().cp("A", 1).cp("C", 1000).put("lab.a", 1010).put("lab.a", 1020).cp("A", 1200)
    assert near.only(cadence=rule) == FAIL
    maybe = Lab().cp("A", 1).put("lab.a", 990, 1005).cp("C", 1000).put("lab.a", 1050).cp("A", 1200)
    assert maybe.only(cadence=rule) == CLOCK
    outside = Lab().cp("A", 1).put("lab.a", 990).cp("C", 1000).put("lab.a", 1050).put("lab.a", 1150).cp("A", 1200)
    assert outside.only(cadence=rule) == PASS
    between = Lab().cp("A", 1).cp("C", 1000).put("lab.a", 1010).cp("A", 1020).cp("C", 1030).put("lab.a", 1040)
    assert between.said(cadence=rule) == [], "one in each stay"


def test_a_gap_or_the_end_of_a_cut_record_may_hide_one() -> None:
    assert spaced(10.0, 30.0).gap("rig", 31, 32).only(cadence="lab.a apart 10 ms") == PASS
    hidden = Lab().put("lab.a", 10).gap("rig", 15, 16).put("lab.a", 30)
    assert hidden.only(cadence="lab.a apart 10 ms") == "INCONCLUSIVE GAP"
    near = Lab().put("lab.a", 10).gap("rig", 15, 16).put("lab.a", 19)
    assert near.only(cadence="lab.a apart 10 ms") == FAIL
    assert spaced(10.0, 30.0).only(cadence="lab.a apart 10 ms", truncated=True) == "INCONCLUSIVE TRUNCATED"


def test_apart_asks_when_at_each_event() -> None:
    lab = Lab().cp("C", 1).put("lab.a", 10).cp("A", 12).put("lab.a", 14).cp("C", 18).put("lab.a", 25)
    assert lab.only(cadence="lab.a apart 10 ms") == FAIL
    assert lab.only(cadence="lab.a apart 10 ms", when="cp.state C") == PASS


def test_a_setting_of_0_asks_for_no_distance() -> None:
    rule = "lab.a apart config.X"

    def near(lab: Lab) -> Lab:
        return lab.put("lab.a", 1000).put("lab.a", 1500)

    assert near(told(X="1")).only(cadence=rule) == FAIL
    assert near(told(X="0")).only(cadence=rule) == "NA"
    assert near(Lab()).only(cadence=rule) == "INCONCLUSIVE PRECONDITION"


def test_what_was_silent_for_long_is_settled_when_room_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cadence_apart, "KEYS", 2)
    lab = Lab()
    for i, key in enumerate(("x", "y", "z")):
        lab.put("lab.a", 3000 * i + 10, id=key).put("lab.a", 3000 * i + 30, id=key)
    assert lab.said(cadence="lab.a apart 10 ms", per="id") == [PASS] * 3
    quick = Lab()
    for i, key in enumerate(("x", "y", "z")):
        quick.put("lab.a", 30 * i + 10, id=key).put("lab.a", 30 * i + 30, id=key)
    assert quick.said(cadence="lab.a apart 10 ms", per="id") == ["INCONCLUSIVE LIMIT", PASS, PASS]
