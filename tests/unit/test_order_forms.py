"""order: an event before another in each entity, and laws of a key; each sentence of the page with its boundaries."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation.patterns import order_events, order_law

from lab_runs import Lab

FAIL, PASS, CLOCK = "FAIL", "PASS", "INCONCLUSIVE CLOCK"
AB = "lab.a < lab.b"


def booted() -> Lab:
    return Lab().boot(1)


# ---- events < events


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [
        ((10, 12), (12, 14), PASS),  # Δ.lo = 0
        ((10, 12), (11, 14), CLOCK),
        ((10, 15), (8, 10), CLOCK),  # Δ.hi = 0
        ((11, 15), (8, 10), FAIL),
    ],
)
def test_of_two_sources_the_stamps_decide(first: tuple[int, int], then: tuple[int, int], said: str) -> None:
    lab = booted().put("lab.a", *first).put("lab.b", *then, source="probe")
    assert lab.only(order=AB) == said


def test_one_source_that_reports_in_order_decides_by_its_sequence() -> None:
    assert booted().put("lab.a", 8, 20).put("lab.b", 9, 20).only(order=AB) == PASS
    assert booted().put("lab.b", 8, 20).put("lab.a", 9, 20).only(order=AB) == FAIL


def test_nothing_before_it_fails_unless_the_station_was_there_before_the_record() -> None:
    assert booted().put("lab.b", 10).only(order=AB) == FAIL
    assert Lab().put("lab.b", 10).only(order=AB) == "INCONCLUSIVE TRUNCATED"
    assert Lab().put("lab.b", 10).boot(20).only(order=AB) == "INCONCLUSIVE TRUNCATED"
    assert Lab().put("lab.a", 5).put("lab.b", 10).only(order=AB) == PASS
    assert Lab().put("lab.b", 10).put("lab.a", 20).only(order=AB) == "INCONCLUSIVE TRUNCATED"


def test_an_event_that_is_both_comes_before_itself() -> None:
    lab = booted().put("lab.a", 10, ok=True, n=1)
    assert lab.only(order="lab.a[ok] < lab.a[n=1]") == PASS
    assert lab.only(order="lab.a[not ok] < lab.a[n=1]") == FAIL


def test_what_is_received_later_may_have_come_first() -> None:
    lab = booted().put("lab.b", 50).put("lab.a", 10, 20, source="probe", order=900)
    assert lab.only(order=AB) == PASS
    late = booted().put("lab.b", 50).put("lab.a", 10, 20, source="probe", order=1100)
    assert late.only(order=AB) == "INCONCLUSIVE LATE"


def test_keys_are_kept_apart() -> None:
    lab = booted().put("lab.a", 5, id="x").put("lab.b", 10, id="x").put("lab.b", 11, id="y").put("lab.b", 12)
    assert lab.said(order=AB, per="id") == [PASS, FAIL]
    two = booted().put("lab.a", 5, evse=1).put("lab.b", 10, evse=2)
    assert two.only(order=AB) == "NOTHING", "outlet 2 is not under test"
    assert two.only(order=AB, per="station") == PASS
    assert booted().put("lab.a", 5, evse=None).put("lab.b", 10).only(order=AB) == PASS


def test_a_gap_of_who_would_have_told_leaves_the_absence_open() -> None:
    lab = booted().put("lab.a", 2, id="y").gap("rig", 5, 6).put("lab.b", 10, id="x")
    assert lab.only(order=AB, per="id") == "INCONCLUSIVE GAP"
    assert booted().put("lab.b", 10, id="x").gap("rig", 15, 16).put("lab.a", 17).only(order=AB) == FAIL


def test_when_is_asked_at_the_event_that_needs_the_other() -> None:
    def at_state(*states: str) -> str:
        lab = booted()
        for i, state in enumerate(states):
            lab.cp(state, 2 + i)
        return lab.put("lab.b", 10).only(order=AB, when="cp.state C")

    assert at_state("C") == FAIL
    assert at_state("A") == "NOTHING"
    assert at_state() == "INCONCLUSIVE PRECONDITION"


def test_armed_and_not() -> None:
    lab = booted().put("lab.b", 10).put("lab.c", 20).put("lab.b", 30).put("lab.d", 40).put("lab.b", 50)
    assert lab.said(order=AB, arm="lab.c", disarm="lab.d") == [FAIL]


def claims(*told: tuple[float, str, float | None]) -> Lab:
    """Messages at their receipt, with what they claim; a status that follows a closing bounds the station's clock."""
    lab = Lab().put("clock.anchor", 0, source="bench", evse=None, mono_ns=0, wall_ns=0).boot(1).cp("A", 2)
    status = {"connector": 1, "status": "Available", "logical": "available", "claim": _claim(10)}
    lab.put("ocpp.status", 10, source="csms", **status)
    lab.cp("C", 20)
    status = {"connector": 1, "status": "Charging", "logical": "occupied", "claim": _claim(21)}
    lab.put("ocpp.status", 22, source="csms", **status)
    for at, topic, claimed in told:
        lab.put(topic, at, source="csms", tx=7, claim=None if claimed is None else _claim(claimed), id_tag="T")
    return lab


def _claim(at: float) -> str:
    return f"2026-03-01T12:{int(at) // 60_000:02d}:{int(at) // 1000 % 60:02d}.{int(at) % 1000:03d}Z"


def test_by_claims_what_waited_in_a_queue_is_placed_where_it_was() -> None:
    late = claims((9000, "ocpp.tx.ended", 8991), (9500, "ocpp.tx.started", 5003))
    assert late.only(order="ocpp.tx.started < ocpp.tx.ended", per="tx") == FAIL
    assert late.only(order="ocpp.tx.started < ocpp.tx.ended", per="tx", at="claim") == PASS
    after = claims((9000, "ocpp.tx.ended", 5003), (9500, "ocpp.tx.started", 8991))
    assert after.only(order="ocpp.tx.started < ocpp.tx.ended", per="tx", at="claim") == FAIL
    none = claims((9000, "ocpp.tx.ended", None), (9500, "ocpp.tx.started", 8991))
    assert none.only(order="ocpp.tx.started < ocpp.tx.ended", per="tx", at="claim") == CLOCK


# ---- conditions < happening


def test_conditions_are_asked_once_everything_before_the_happening_must_have_been_received() -> None:
    lab = Lab().cp("A", 1).put("lab.a", 100).put("cp.state", 50, source="pilot", order=600, state="C", pwm=False)
    assert lab.only(order="cp.state C < lab.a") == PASS
    assert lab.only(order="cp.state A < lab.a") == FAIL


def test_a_contradiction_lies_between_the_last_end_and_the_happening() -> None:

    def second(*sample: float, **more: str) -> str:
        lab = Lab().cp("C", 1).output(2, live=False).output(10, live=True).output(50, live=False)
        lab.amps(5.0, *sample).output(100, live=True)
        return lab.said(order="cp.state C < output dead -> live < current >= 1 A", **more)[1]

    assert second(70) == "ERROR"
    assert second(45, 55) == PASS, "it may have flowed before"
    assert second(50) == PASS
    assert second(95, 105) == PASS, "it may have flowed after"
    assert second(70, settle="20 ms") == PASS


def test_bounded_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_events, "KEYS", 3)
    lab = booted()
    for i in range(6):
        lab.put("lab.a", 10 + i, id=f"k{i}")
    lab.put("lab.b", 30, id="k5").put("lab.b", 31, id="k0")
    assert lab.said(order=AB, per="id") == [PASS, "INCONCLUSIVE LIMIT"]
    monkeypatch.setattr(order_events, "OPEN", 2)
    waiting = booted()
    for i in range(4):
        waiting.put("lab.b", 10 + i, id=f"k{i}")
    assert waiting.said(order=AB, per="id") == ["INCONCLUSIVE LIMIT"] * 2 + [FAIL] * 2


# ---- laws


def values(*told: object, key: str = "n") -> Lab:
    lab = Lab()
    for i, value in enumerate(told):
        lab.put("lab.a", 10 + i, **{key: value})
    return lab


@pytest.mark.parametrize(
    ("law", "told", "said"),
    [
        ("contiguous", (1, 2, 3), PASS),
        ("contiguous", (1, 2, 2, 3), PASS),
        ("contiguous", (1, "2", "3.0"), PASS),
        ("contiguous", (1, 3), FAIL),
        ("contiguous", (2, 1), FAIL),
        ("contiguous", ("a", "b"), FAIL),
        ("contiguous", (1, 1), "NA"),
        ("contiguous", (1,), "NA"),
        ("increasing", (1, 5, 5, 5.5), PASS),
        ("increasing", ("9.5", "10.0"), PASS),
        ("increasing", (5, 4), FAIL),
        ("increasing", ("2026-01-01T10:00:00+01:00", "2026-01-01T09:30:00Z"), PASS),
        ("increasing", ("2026-01-01T10:00:00Z", "2026-01-01T10:30:00+01:00"), FAIL),
        ("increasing", ("a", "b"), PASS),
        ("unique", (3, 1, 2), PASS),
        ("unique", (3, 1, 3), FAIL),
        ("unique", (3, 3), FAIL),
        ("unique", ("1.0", 1), FAIL),
        ("constant", ("x", "x"), PASS),
        ("constant", ("x", "y"), FAIL),
        ("constant", ("x", "y", "x"), FAIL),
        ("constant", ("x",), "NA"),
    ],
)
def test_laws(law: str, told: tuple[object, ...], said: str) -> None:
    assert values(*told).only(order=f"lab.a n {law}", per="station") == said


def test_an_event_without_the_key_is_skipped() -> None:
    lab = Lab().put("lab.a", 10, n=1).put("lab.a", 11, other=5).put("lab.a", 12, n=None).put("lab.a", 13, n=2)
    assert lab.only(order="lab.a n contiguous", per="station") == PASS


def test_each_key_has_its_own_law_and_the_first_breach_is_the_one() -> None:
    lab = Lab()
    for i, (key, value) in enumerate([("x", 1), ("y", 5), ("x", 2), ("y", 7), ("y", 9)]):
        lab.put("lab.a", 10 + i, id=key, n=value)
    assert lab.said(order="lab.a n contiguous", per="id") == [PASS, FAIL]
    evidence = lab.verdict(order="lab.a n contiguous", per="id").evidence
    assert set(evidence) == {"rig#2", "rig#4"}


@pytest.mark.parametrize(
    ("law", "told", "said"),
    [
        ("contiguous", (1, 3), "INCONCLUSIVE GAP"),
        ("contiguous", (1, 3, 4), "INCONCLUSIVE GAP"),
        ("contiguous", (1, 3, 5), FAIL),  # the law goes on from the later value
        ("contiguous", (1, 2), "INCONCLUSIVE GAP"),  # something was not seen
        ("increasing", (5, 4), FAIL),
        ("unique", (5, 5), FAIL),
        ("constant", (5, 4), FAIL),
        ("constant", (5, 5), "INCONCLUSIVE GAP"),
    ],
)
def test_a_gap_between_two_values(law: str, told: tuple[int, ...], said: str) -> None:
    lab = Lab().put("lab.a", 10, n=told[0]).gap("rig", 11, 12)
    for i, value in enumerate(told[1:]):
        lab.put("lab.a", 20 + i, n=value)
    assert lab.only(order=f"lab.a n {law}", per="station") == said
    before = Lab().put("lab.c", 1).gap("rig", 2, 3)
    for i, value in enumerate(told):
        before.put("lab.a", 20 + i, n=value)
    assert "GAP" not in before.only(order=f"lab.a n {law}", per="station")


def test_values_that_when_does_not_want_are_skipped() -> None:
    lab = Lab().cp("A", 1).put("lab.a", 10, n=1).cp("C", 20).put("lab.a", 30, n=9).cp("A", 40).put("lab.a", 50, n=2)
    assert lab.only(order="lab.a n contiguous", per="station") == FAIL
    assert lab.only(order="lab.a n contiguous", per="station", when="cp.state A") == PASS


def test_by_claims_the_order_is_that_of_the_claims() -> None:
    lab = Lab()
    for i, (seq, claimed) in enumerate([(1, 10), (3, 30), (2, 20), (4, 40)]):
        lab.put("ocpp.tx.updated", 10_000 + i, source="csms", tx="T", seq_no=seq, claim=_claim(claimed))
    lab.put("ocpp.tx.updated", 11_000, source="csms", tx="T", seq_no=99, claim=None)
    assert lab.only(order="ocpp.tx.updated seq_no contiguous", per="tx") == FAIL
    assert lab.only(order="ocpp.tx.updated seq_no contiguous", per="tx", at="claim") == PASS


def test_eviction_is_told_and_what_is_over_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_law, "KEYS", 2)
    lab = Lab()
    for i, key in enumerate(("x", "y", "z")):
        lab.put("lab.a", 10 + 2 * i, id=key, n=1).put("lab.a", 11 + 2 * i, id=key, n=2)
    assert lab.said(order="lab.a n contiguous", per="id") == ["INCONCLUSIVE LIMIT", PASS, PASS]
    over = Lab()
    for i in range(4):
        over.put("ocpp.tx.updated", 10 + 2 * i, source="csms", tx=i, seq_no=1)
        over.put("ocpp.tx.ended", 11 + 2 * i, source="csms", tx=i, seq_no=2)
    assert over.said(order="ocpp.tx.updated|ocpp.tx.ended seq_no contiguous", per="tx") == [PASS] * 4


def test_unique_remembers_so_many_values_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_law, "VALUES", 3)
    assert values(1, 2, 3, 4).only(order="lab.a n unique", per="station") == "INCONCLUSIVE LIMIT"
    assert values(1, 2, 3).only(order="lab.a n unique", per="station") == PASS
    assert values(1, 2, 3, 4, 3).only(order="lab.a n unique", per="station") == FAIL
