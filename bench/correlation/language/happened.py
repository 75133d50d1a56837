"""Tests on the data of an event: which events are meant."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from ...timeline import Event
from .rule import Occurrence, Scalar, Test

__all__ = ["Params", "holds", "matches", "number_of", "value_at"]

Params = Mapping[str, Any]


def matches(occurrence: Occurrence, event: Event, params: Params | None = None) -> bool:
    """The event is one of these; `$key` in a test is a key of `params`."""
    return event.topic in occurrence.topics and all(holds(test, event.data, params) for test in occurrence.tests)


def holds(test: Test, data: Mapping[str, Any], params: Params | None = None) -> bool:
    """The data satisfies the test; a key that is not there satisfies `!?` and `!=` only."""
    value = value_at(data, test.key)
    if test.op == "?":
        return value is not None
    if test.op == "!?":
        return value is None
    wanted = [_resolved(item, params) for item in test.values]
    if test.op == "=":
        return any(_same(value, item) for item in wanted)
    if test.op == "!=":
        return not any(_same(value, item) for item in wanted)
    number, bound = number_of(value), number_of(wanted[0])
    if number is None or bound is None:
        return False
    return {"<": number < bound, "<=": number <= bound, ">": number > bound, ">=": number >= bound}[test.op]


def value_at(data: Mapping[str, Any], key: str) -> Any:
    """The value of a key or of a path through objects (`payload.reason`); None when it is not there."""
    if key in data:
        return data[key]
    value: Any = data
    for part in key.split("."):
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Any]", value).get(part)
    return value


def _resolved(item: Scalar, params: Params | None) -> Any:
    if isinstance(item, str) and item.startswith("$"):
        return None if params is None else value_at(params, item[1:])
    return item


def _same(value: Any, wanted: Any) -> bool:
    """Equal, and no truth value taken for a number; a number is also found as decimal text."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, str) != isinstance(wanted, str):
        numbers = number_of(value), number_of(wanted)
        return numbers[0] is not None and numbers[0] == numbers[1]
    return value is not None and value == wanted


def number_of(value: Any) -> Decimal | None:
    """A number, also where it is decimal text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
