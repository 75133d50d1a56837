"""Tests on an event's data, compiled once: what is asked of every event is a closure over its own words.

The meaning is that of `condition.holds`, which also answers for every value that is not of the usual kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..condition import holds, value_at
from ..language.rule import Occurrence, Test

__all__ = ["Data", "Join", "Selector", "is_join", "joined", "tested"]

Data = Mapping[str, Any]
Static = Callable[[Data], bool]
"""The data of an event satisfies the tests that need nothing else."""
Join = Callable[[Data, Data], bool]
"""The data of an event, and the trigger's data, satisfy the tests with `$key`."""


def _never(_: Data) -> bool:
    return False


def is_join(test: Test) -> bool:
    """Whether a test compares with a key of the trigger's data."""
    return any(isinstance(value, str) and value.startswith("$") for value in test.values)


def _getter(key: str) -> Callable[[Data], Any]:
    if "." in key:
        return lambda data: value_at(data, key)
    return lambda data: data.get(key)


def tested(tests: Iterable[Test]) -> Static | None:
    """All of these tests (none of them with `$key`) as one function; None when there are none."""
    parts = [_one(test) for test in tests]
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:
        first, second = parts
        return lambda data: first(data) and second(data)
    return lambda data: all(part(data) for part in parts)


def _one(test: Test) -> Static:
    key, op, values = test.key, test.op, test.values
    if "." in key or op not in ("=", "!=", "?", "!?"):
        return lambda data: holds(test, data)
    if op == "?":
        return lambda data: data.get(key) is not None
    if op == "!?":
        return lambda data: data.get(key) is None
    wanted = op == "="
    if len(values) == 1 and isinstance(values[0], bool):
        value = values[0]
        return lambda data: (data.get(key) is value) is wanted
    for kind in (str, int):
        if all(type(value) is kind for value in values):
            return _among(test, kind, frozenset(values), wanted)
    return lambda data: holds(test, data)


def _among(test: Test, kind: type, values: frozenset[Any], wanted: bool) -> Static:
    key = test.key

    def among(data: Data) -> bool:
        value = data.get(key)
        if type(value) is kind:
            return (value in values) is wanted
        return holds(test, data)

    return among


def joined(tests: Iterable[Test]) -> Join | None:
    """All of these tests with `$key` as one function of the event's and the trigger's data; None for none."""
    parts = [_join(test) for test in tests]
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    return lambda data, params: all(part(data, params) for part in parts)


def _join(test: Test) -> Join:
    if test.op != "=" or len(test.values) != 1:
        return lambda data, params: holds(test, data, params)
    mine, theirs = _getter(test.key), _getter(str(test.values[0])[1:])

    def same(data: Data, params: Data) -> bool:
        value, other = mine(data), theirs(params)
        if type(value) is str and type(other) is str:
            return value == other
        return holds(test, data, params)

    return same


class Selector:
    """Occurrences by topic: which events are one of them, and which are for one trigger's data.

    - `static`: topic -> what every event of it is asked (None: nothing, it is one); without the topic it is none.
    - `joins`: whether any test has a `$key`; then `static` only sorts out and `suits` decides.
    """

    def __init__(self, occurrences: Iterable[Occurrence]) -> None:
        by_topic: dict[str, list[tuple[Static | None, Join | None]]] = {}
        for item in occurrences:
            static = tested(test for test in item.tests if not is_join(test))
            join = joined(test for test in item.tests if is_join(test))
            for topic in item.topics:
                by_topic.setdefault(topic, []).append((static, join))
        self._ways = {topic: tuple(ways) for topic, ways in by_topic.items()}
        self.joins = any(join is not None for ways in self._ways.values() for _, join in ways)
        self.static: dict[str, Static | None] = {topic: _any(ways) for topic, ways in self._ways.items()}
        self.topics = frozenset(self.static)

    def takes(self, topic: str, data: Data) -> bool:
        """Whether an event of this topic is one of them, as far as it can be said without a trigger."""
        test = self.static.get(topic, _never)
        return test is None or test(data)

    def suits(self, topic: str, data: Data, params: Data) -> bool:
        """Whether an event of this topic is one of them for a trigger with these data."""
        return any(
            (static is None or static(data)) and (join is None or join(data, params))
            for static, join in self._ways.get(topic, ())
        )


def _any(ways: tuple[tuple[Static | None, Join | None], ...]) -> Static | None:
    tests = [static for static, _ in ways]
    if None in tests:
        return None
    known = [test for test in tests if test is not None]
    if len(known) == 1:
        return known[0]
    return lambda data: any(test(data) for test in known)
