"""What an event is for a rule: the tests of all its triggers and answers, looked up instead of tried one by one.

Where every alternative of a topic asks for one key with texts (`[kind=a]`), the event's value of that key finds the few
that are left; most events find none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..language.rule import Condition, Occurrence, Test, Trigger
from .matching import Static, is_join, tested

__all__ = ["NOTHING", "Plan", "Route", "routes"]

Given = tuple[Condition, ...]


class Plan(NamedTuple):
    """What is left to ask: `answer`: it is one (True), is none, or is one by its data; each trigger in turn."""

    answer: Static | bool
    triggers: tuple[tuple[Static | None, Given], ...]


NOTHING = Plan(False, ())
"""The event is not for the rule."""


class Route(NamedTuple):
    """For one topic: the plans by the text value of `key` (empty: there is no such key), and the one for all else."""

    key: str
    table: dict[str, Plan]
    rest: Plan


_Ways = tuple[list[tuple[Test, ...]], list[tuple[tuple[Test, ...], Given]]]


def routes(answers: Iterable[Occurrence], triggers: Iterable[Trigger]) -> dict[str, Route]:
    """Topic -> route. Tests with `$key` are left out: they are asked for each trigger."""
    ways: dict[str, _Ways] = {}
    for item in answers:
        tests = tuple(test for test in item.tests if not is_join(test))
        for topic in item.topics:
            ways.setdefault(topic, ([], []))[0].append(tests)
    for trigger in triggers:
        if isinstance(trigger.on, Occurrence):
            for topic in trigger.on.topics:
                ways.setdefault(topic, ([], []))[1].append((trigger.on.tests, trigger.given))
    return {topic: _route(found) for topic, found in ways.items()}


def _route(ways: _Ways) -> Route:
    answers, triggers = ways
    every = [*answers, *(tests for tests, _ in triggers)]
    key = next((test.key for test in every[0] if all(_asks(tests, test.key) for tests in every)), "")
    rest = _plan(answers, triggers)
    if not key:
        return Route("", {}, rest)
    words = {str(value) for tests in every for test in tests if _is_text(test, key) for value in test.values}
    table: dict[str, Plan] = {}
    for word in words:
        mine = [_without(tests, key) for tests in answers if _allows(tests, key, word)]
        table[word] = _plan(mine, [(_without(t, key), given) for t, given in triggers if _allows(t, key, word)])
    return Route(key, table, rest)


def _plan(answers: Sequence[tuple[Test, ...]], triggers: Sequence[tuple[tuple[Test, ...], Given]]) -> Plan:
    ways = [tested(tests) for tests in answers]
    known = [way for way in ways if way is not None]
    answer: Static | bool = bool(ways)
    if known and len(known) == len(ways):
        answer = known[0] if len(known) == 1 else lambda data: any(way(data) for way in known)
    return Plan(answer, tuple((tested(tests), given) for tests, given in triggers))


def _is_text(test: Test, key: str) -> bool:
    texts = all(isinstance(value, str) for value in test.values)
    return test.key == key and test.op == "=" and "." not in key and texts and not is_join(test)


def _asks(tests: Sequence[Test], key: str) -> bool:
    return any(_is_text(test, key) for test in tests)


def _allows(tests: Sequence[Test], key: str, word: str) -> bool:
    return all(word in test.values for test in tests if _is_text(test, key))


def _without(tests: Sequence[Test], key: str) -> tuple[Test, ...]:
    return tuple(test for test in tests if not _is_text(test, key))
