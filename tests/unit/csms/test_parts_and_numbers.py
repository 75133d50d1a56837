"""Laws of what comes in pieces: parts of a report, and the numbered events of a transaction, in any order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.csms.v2x.names import variable_entry
from pilotbench.bench.csms.v2x.report_parts import ReportParts
from pilotbench.bench.csms.v2x.seq_numbers import MOST_SPANS, SeqNumbers
from pilotbench.bench.csms.v2x.variables import variable_name

COUNTS = st.integers(1, 12)


def part(number: int, count: int, request: int = 1) -> dict[str, Any]:
    body: dict[str, Any] = {"requestId": request, "seqNo": number, "data": f"{number};"}
    return body if number == count - 1 else {**body, "tbc": True}


@given(COUNTS.flatmap(lambda n: st.permutations(range(n))), st.data())
def test_a_report_is_complete_with_its_last_part_whichever_that_is(order: list[int], data: st.DataObject) -> None:
    parts, count = ReportParts(), len(order)
    again = data.draw(st.lists(st.sampled_from(order), max_size=4))
    for index, number in enumerate(order):
        taken = parts.take(part(number, count))
        assert taken is not None
        report, new = taken
        assert new
        assert report.complete == (index == count - 1)
        assert not set(report.missing) & set(order[: index + 1])
    for number in again:
        assert parts.take(part(number, count)) == (parts.of(1), False)
    report = parts.of(1)
    assert report is not None
    assert report.entries("data") == [f"{number};" for number in range(count)]
    assert report.missing == []


def test_reports_of_two_requests_are_kept_apart_and_a_number_used_again_begins_anew() -> None:
    parts = ReportParts()
    for request in (1, 2):
        parts.take(part(0, 2, request))
    assert [report.complete for report in parts.reports] == [False, False]
    parts.take(part(1, 2, 1))
    first, second = parts.of(1), parts.of(2)
    assert first is not None
    assert second is not None
    assert (first.complete, second.complete) == (True, False)
    assert second.missing == []
    parts.take({**part(0, 1, 1), "data": "other"})
    anew = parts.of(1)
    assert anew is not None
    assert anew.entries("data") == ["other"]
    assert parts.take({"requestId": 1}) is None
    assert parts.take({"seqNo": 1}) is None


def test_parts_without_numbers_end_with_the_one_that_says_so() -> None:
    parts = ReportParts(numbered=False)
    for text in ("a", "b"):
        taken = parts.take({"requestId": 4, "tbc": True, "data": [text]})
        assert taken is not None
        assert not taken[0].complete
    taken = parts.take({"requestId": 4, "data": ["c"]})
    assert taken is not None
    assert taken[0].complete
    assert taken[0].entries("data") == ["a", "b", "c"]
    taken = parts.take({"requestId": 4, "data": ["d"]})
    assert taken is not None
    assert taken[0].entries("data") == ["d"], "the number belongs to a new report"


@given(st.integers(0, 1000), COUNTS, st.data())
def test_numbers_are_complete_when_each_came_and_repetitions_are_known(
    first: int, count: int, data: st.DataObject
) -> None:
    wanted = list(range(first, first + count))
    order = data.draw(st.permutations(wanted))
    numbers, came = SeqNumbers(), set[int]()
    for number in order:
        assert numbers.add(number, start=number == wanted[0], end=number == wanted[-1])
        came.add(number)
        known = came if numbers.first is None else {first, *came}
        assert set(numbers.missing()) == set(range(min(known), max(known))) - came
        assert numbers.complete == (came == set(wanted))
        assert numbers.highest == max(came)
    for number in data.draw(st.lists(st.sampled_from(wanted), max_size=3)):
        assert not numbers.add(number)
        assert numbers.complete


@given(st.lists(st.integers(0, 40), max_size=40))
def test_a_number_is_there_when_it_came(given_numbers: list[int]) -> None:
    numbers = SeqNumbers()
    for index, number in enumerate(given_numbers):
        assert numbers.add(number) == (number not in given_numbers[:index])
    assert [number for number in range(42) if number in numbers] == sorted(set(given_numbers))


def test_a_transaction_of_holes_stays_small() -> None:
    numbers = SeqNumbers()
    for number in range(0, 1000, 2):
        assert numbers.add(number)
    assert len(numbers._spans) == MOST_SPANS  # pyright: ignore[reportPrivateUsage] - its size is what is bounded
    assert numbers.highest == 998
    for number in range(1, 1000, 2):
        numbers.add(number)
    assert len(numbers._spans) == 1  # pyright: ignore[reportPrivateUsage] - the holes are filled
    assert not numbers.add(998)


WORDS = st.text("ABCdef123", min_size=1, max_size=8)
ENTRIES = st.fixed_dictionaries(
    {
        "component": st.fixed_dictionaries(
            {"name": WORDS},
            optional={
                "instance": WORDS,
                "evse": st.fixed_dictionaries({"id": st.integers(0, 9)}, optional={"connectorId": st.integers(0, 9)}),
            },
        ),
        "variable": st.fixed_dictionaries({"name": WORDS}, optional={"instance": WORDS}),
    },
    optional={"attributeType": st.sampled_from(["Target", "MinSet", "MaxSet"])},
)


@given(ENTRIES)
def test_a_name_of_a_variable_says_all_of_it(entry: dict[str, Any]) -> None:
    assert variable_entry(variable_name(entry)) == entry
