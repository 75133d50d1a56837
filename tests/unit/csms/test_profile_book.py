"""Charging profiles that a station holds: what replaces, ends or clears which, and when a schedule asks too much."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.csms.profile_book import ProfileBook, exceeds


def profile(number: int, purpose: str = "TxProfile", level: int = 0, tx: str | None = "t1") -> dict[str, Any]:
    body: dict[str, Any] = {"id": number, "chargingProfilePurpose": purpose, "stackLevel": level}
    return body if tx is None else {**body, "transactionId": tx}


def schedule(*steps: tuple[int, float], unit: str = "A") -> dict[str, Any]:
    periods = [{"startPeriod": start, "limit": limit} for start, limit in steps]
    return {"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": periods}


def test_an_id_is_there_once_and_a_place_in_the_stack_belongs_to_one() -> None:
    book = ProfileBook()
    book.put(1, profile(1))
    book.put(1, profile(2, level=1))
    book.put(1, profile(1, level=5))
    assert [(one.number, one.payload["stackLevel"]) for one in book.for_transaction("t1")] == [(2, 1), (1, 5)]
    taken = book.conflict(1, profile(9, level=5))
    assert taken is not None
    assert taken.number == 1
    assert book.conflict(1, profile(1, level=5)) is None, "it replaces itself"
    assert book.conflict(1, profile(9, level=5, tx="t2")) is None
    book.put(2, profile(3, "TxDefaultProfile", 0, None))
    assert book.conflict(1, profile(9, "TxDefaultProfile", 0, None)) is None
    assert book.conflict(2, profile(9, "TxDefaultProfile", 0, None)) is not None


def test_the_end_of_a_transaction_takes_its_profiles_and_no_others() -> None:
    book = ProfileBook()
    for number, tx in ((1, "t1"), (2, "t2"), (3, None)):
        book.put(1, profile(number, "TxProfile" if tx else "TxDefaultProfile", tx=tx))
    book.ended("t1")
    assert [one.number for one in book.profiles] == [2, 3]


def test_a_profile_of_a_remote_start_belongs_to_its_transaction_once_that_is_known() -> None:
    book = ProfileBook()
    book.put(1, profile(1, tx=None), remote_start_id=7)
    book.bind(8, "t8")
    assert book.for_transaction("t8") == []
    book.bind(7, "t7")
    assert [one.number for one in book.for_transaction("t7")] == [1]
    book.bind(7, "t9")
    assert [one.number for one in book.for_transaction("t7")] == [1]


def test_clearing_takes_what_fits_everything_given() -> None:
    book = ProfileBook()
    book.put(1, profile(1, level=0))
    book.put(1, profile(2, level=1))
    book.put(2, profile(3, "TxDefaultProfile", 1, None))
    book.cleared({"chargingProfileCriteria": {"stackLevel": 1, "evseId": 1}})
    assert [one.number for one in book.profiles] == [1, 3]
    book.cleared({"chargingProfileId": 3})
    assert [one.number for one in book.profiles] == [1]
    book.cleared({})
    assert book.profiles == []


def test_a_schedule_asks_too_much_where_it_is_above_the_other() -> None:
    allowed = schedule((0, 16), (600, 10))
    assert not exceeds(schedule((0, 16), (600, 10)), allowed)
    assert not exceeds(schedule((0, 10)), allowed)
    assert exceeds(schedule((0, 11)), allowed)
    assert exceeds(schedule((0, 16.1), (600, 10)), allowed)
    assert exceeds(schedule((0, 16), (601, 10)), allowed)
    assert not exceeds(schedule((0, 11), unit="W"), allowed)


STEPS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), min_size=1, max_size=4, unique_by=lambda one: one[0])


@given(STEPS, STEPS)
def test_asking_too_much_is_being_above_at_some_second(
    wanted: list[tuple[int, float]], allowed: list[tuple[int, float]]
) -> None:
    def at(steps: list[tuple[int, float]], second: int) -> float | None:
        begun = [limit for start, limit in sorted(steps) if start <= second]
        return begun[-1] if begun else None

    above = False
    for second in range(25):
        one, other = at(wanted, second), at(allowed, second)
        above = above or (one is not None and other is not None and one > other)
    assert exceeds(schedule(*wanted), schedule(*allowed)) == above
