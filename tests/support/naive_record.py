"""What the naive evaluator looks at: all events of a run, which of them a sentence names, and their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any, NamedTuple

from pilotbench.bench.correlation import Facts, Outcome, Reason
from pilotbench.bench.correlation.language.rule import Occurrence, Test
from pilotbench.bench.timeline import Event, parse_quantity

from naive_time import INF, Point, Span, delta

SLACK_NS = 1_000_000_000
"""Everything is received so much after it happened, at the latest."""

Key = tuple[Any, ...]


class Judged(NamedTuple):
    """One instance. `reasons`: any of these (empty: none); more than one where the page leaves it open."""

    opened_ns: int
    evse: int | None
    outcome: Outcome
    reasons: frozenset[Reason] = frozenset()
    lo: float | None = None
    hi: float | None = None
    measured: bool = False


class Record:
    """A run: its events in canonical order, and what is known of the bench."""

    def __init__(self, events: Iterable[Event], facts: Facts, end_ns: int, truncated: bool) -> None:
        ordered = sorted(events, key=lambda event: event.order)
        mine = [e for e in ordered if not facts.station or e.data.get("station", facts.station) == facts.station]
        self.events = [e for e in mine if not e.late]
        self.facts = facts
        self.end_ns = end_ns
        self.truncated = truncated

    def delta(self, a: Point | Event, b: Point | Event) -> Span:
        """How much later `b` is than `a`."""
        first = Point.of(a) if isinstance(a, Event) else a
        second = Point.of(b) if isinstance(b, Event) else b
        return delta(first, second)

    def upto(self, last: Event) -> Record:
        """What was received when an event was."""
        seen = [e for e in self.events if e.order <= last.order]
        return Record(seen, self.facts, self.end_ns, self.truncated)

    def over(self, t: Event, window_ns: float) -> bool:
        """Whether the record goes on until a window after an event is over, and what happened in it is received."""
        if self.truncated and t.stamp.order_ns + window_ns + SLACK_NS > self.end_ns:
            return False
        return t.stamp.hi_ns + window_ns <= self.end_ns

    def after(self, a: Point, b: Point, settle: float) -> Span:
        """How much later `b` is than `settle` after `a`."""
        span = self.delta(a, b)
        return Span(span.lo - settle, span.hi - settle)

    def named(self, wanted: Sequence[Occurrence], asking: Event | None = None) -> list[Event]:
        """The events that one of these means; `asking`: the trigger, for `$key`."""
        return [e for e in self.events if any(means(one, e, asking) for one in wanted)]

    def gaps(self, sources: Iterable[str]) -> list[tuple[int, int]]:
        """Spans in which one of these sources may have missed something."""
        known = set(sources)
        return [(e.data["from_ns"], e.data["to_ns"]) for e in self.events if e.topic == "gap" and e.source in known]

    def sources(self, topics: Iterable[str]) -> set[str]:
        """Who speaks of these topics in this run."""
        wanted = set(topics)
        return {e.source for e in self.events if e.topic in wanted}


def means(wanted: Occurrence, event: Event, asking: Event | None) -> bool:
    """Whether a sentence's event is this one."""
    topic = any(event.topic == t or (t.endswith(".*") and event.topic.startswith(t[:-1])) for t in wanted.topics)
    return topic and all(_passes(test, event.data, asking) for test in wanted.tests)


def look(data: Any, path: str) -> Any:
    """The value at a path of keys; None where there is none."""
    if isinstance(data, dict) and path in data:
        return data[path]
    for part in path.split("."):
        data = data.get(part) if isinstance(data, dict) else None
    return data


def _passes(test: Test, data: dict[str, Any], asking: Event | None) -> bool:
    value = look(data, test.key)
    if test.op in ("?", "!?"):
        return (value is not None) == (test.op == "?")
    others = [
        look(asking.data, other[1:]) if isinstance(other, str) and other.startswith("$") and asking else other
        for other in test.values
    ]
    if test.op in ("=", "!="):
        return (value in others) == (test.op == "=")
    limit = others[0]
    return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[test.op]


def keys_of(event: Event, per: Sequence[str], evses: Sequence[int]) -> list[Key]:
    """The keys that an event counts for; none when it lacks one."""
    parts: list[list[Any]] = []
    for part in per:
        if part == "evse":
            parts.append(list(evses) if event.evse is None else [event.evse])
        elif part == "station":
            parts.append([None])
        else:
            value = look(event.data, part)
            if value is None:
                return []
            parts.append([str(value)])
    return list(product(*parts))


def nanoseconds(text: str) -> float:
    """A written time; nothing is 0."""
    return parse_quantity(text, "time") if text else 0


def first_after(record: Record, start: Point | Event, ends: Iterable[Point | Event], least: float = 0) -> Span:
    """The first of several, measured from `start`, not before `least`; infinite where there is none."""
    spans = [span for span in (record.delta(start, end) for end in ends) if span.hi >= least]
    lo = min((max(span.lo, least) for span in spans), default=INF)
    hi = min((span.hi for span in spans if span.lo >= least), default=INF)
    return Span(lo, hi)
