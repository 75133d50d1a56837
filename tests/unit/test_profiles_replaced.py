"""A charging profile replaces the one with its id, also one of another purpose: the station is not held to the old."""

from __future__ import annotations

from typing import Any

from pilotbench.bench.correlation.world.profiles import NO_LIMIT_A, ProfileBook


def told(purpose: str, limit_a: float, number: int | None, level: int | None = 0) -> dict[str, Any]:
    return {"purpose": purpose, "limit_a": limit_a, "max_limit_a": limit_a, "profile_id": number, "stack_level": level}


def test_the_limit_of_a_profile_ends_with_the_next_of_its_id() -> None:
    book = ProfileBook()
    book.accept(told("TxDefaultProfile", 16.0, 1))
    book.accept(told("ChargePointMaxProfile", 20.0, 1))
    assert book.limit_a() == 20.0
    book.accept(told("TxDefaultProfile", 10.0, 1, level=3))
    assert book.limit_a() == 10.0


def test_profiles_with_ids_of_their_own_stand_together() -> None:
    book = ProfileBook()
    book.accept(told("TxDefaultProfile", 16.0, 1))
    book.accept(told("ChargePointMaxProfile", 20.0, 2))
    assert book.limit_a() == 16.0
    book.accept(told("TxProfile", 12.0, 3))
    book.end_transaction()
    book.accept(told("TxDefaultProfile", 18.0, 3, level=1))
    assert book.limit_a() == 18.0


def test_an_id_whose_place_was_taken_names_nothing_any_more() -> None:
    book = ProfileBook()
    book.accept(told("TxDefaultProfile", 16.0, 1))
    book.accept(told("TxDefaultProfile", 14.0, 2))  # same place, another id
    book.accept(told("ChargePointMaxProfile", 30.0, 1))
    assert book.limit_a() == 14.0
    book.clear()
    assert book.limit_a() == NO_LIMIT_A


def test_without_ids_nothing_is_replaced_across_purposes() -> None:
    book = ProfileBook()
    book.accept(told("TxDefaultProfile", 16.0, None))
    book.accept(told("ChargePointMaxProfile", 20.0, None))
    assert book.limit_a() == 16.0
