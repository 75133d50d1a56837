"""The naive evaluator's signals: a few simple ones, as lists of changes, with what holds at an instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from pilotbench.bench.correlation.language.rule import Condition, Turn
from pilotbench.bench.timeline import Event, Stamp, parse_quantity

from naive_record import Record
from naive_time import Point

UNKNOWN = object()
STATION = ("connected",)

Value = Any
Truth = bool | None


class Change(NamedTuple):
    """From `point` on the signal has `value`; `before` is what it had."""

    point: Point
    value: Value
    before: Value
    event: Event


def _offer(data: dict[str, Any]) -> float:
    pct = float(data["duty_pct"])
    return pct if data["on"] and 8 <= pct <= 97 else 0.0


READ: dict[str, dict[str, Callable[[dict[str, Any]], Value]]] = {
    "cp.state": {"cp.state": lambda data: data["state"]},
    "pwm": {"cp.pwm": lambda data: bool(_offer(data))},
    "duty": {"cp.pwm": _offer},
    "output": {"output": lambda data: data["live"]},
    "status": {"ocpp.status": lambda data: data["logical"]},
    "tx": {"ocpp.tx.started": lambda _: True, "ocpp.tx.ended": lambda _: False},
    "connected": {"ocpp.connected": lambda _: True, "ocpp.disconnected": lambda _: False},
}
"""Signal -> topic -> the value that its data give."""


def changes(record: Record, signal: str, evse: int | None, *, told: bool = False) -> list[Change]:
    """The changes of a signal of one outlet, in canonical order. A gap of a source that feeds it makes it unknown.

    `told`: changes from within a gap that were told before it are kept; they ended, or began, what a stay is made of.
    """
    read = READ[signal]
    feeding = {e.source for e in record.events if e.topic in read}
    made: list[Change] = []
    value: Value = UNKNOWN
    for event in record.events:
        if event.topic == "gap" and event.source in feeding:
            if value is UNKNOWN:
                continue
            begin = event.data["from_ns"]
            if told and made:
                begin = max(begin, made[-1].point.stamp.hi_ns)
            while not told and made and made[-1].point.stamp.lo_ns >= begin:
                made.pop()  # told by the source, but from within the gap
            point = Point(Stamp(begin, begin, begin), "", 0)
            made.append(Change(point, UNKNOWN, value, event))
            value = UNKNOWN
        elif event.topic in read and (event.evse == evse or event.evse is None or signal in STATION):
            new = read[event.topic](event.data)
            if new != value:
                made.append(Change(Point.of(event), new, value, event))
                value = new
    return made


def candidates(record: Record, history: Sequence[Change], at: Point | Event) -> list[Value]:
    """The values that the signal may have at an instant."""
    spans = [record.delta(change.point, at) for change in history]
    found: list[Value] = []
    for i, change in enumerate(history):
        if spans[i].hi >= 0 and not any(later.lo >= 0 for later in spans[i + 1 :]):
            found.append(change.value)
    if not any(span.lo >= 0 for span in spans):
        found.append(UNKNOWN)
    return found


def truth_of(record: Record, condition: Condition, value: Value) -> Truth:
    """Whether a value satisfies a condition; None: unknown."""
    if value is UNKNOWN or value in condition.unsure:
        return None
    if condition.among is not None:
        return value in condition.among
    if condition.is_not is not None:
        return value not in condition.is_not
    assert condition.bound is not None
    dimension = {"duty": "share", "current": "current"}[condition.signal]
    limit = Fraction(str(parse_quantity(condition.bound.of, dimension)))
    u = Fraction(str(accuracy(record, condition.signal, value)))
    value = Fraction(str(value))
    if condition.at_most or condition.above:
        below = True if value + u <= limit else False if value - u > limit else None
        return below if condition.at_most or below is None else not below
    above = True if value - u >= limit else False if value + u < limit else None
    return above if condition.at_least or above is None else not above


def accuracy(record: Record, signal: str, value: float) -> float:
    """How far a number that a signal shows may be from the true one."""
    if signal == "duty":
        return record.facts.duty_accuracy_pp if value else 0.0
    return record.facts.current_accuracy_a + abs(value) * record.facts.current_accuracy_pct / 100


def holds(record: Record, condition: Condition, evse: int | None, at: Point | Event) -> Truth:
    """Whether a condition is true at an instant; None: unknown."""
    history = changes(record, condition.signal, evse)
    truths = {truth_of(record, condition, value) for value in candidates(record, history, at)}
    return truths.pop() if len(truths) == 1 else None


def all_hold(record: Record, conditions: Sequence[Condition], evse: int | None, at: Point | Event) -> Truth:
    """Whether all are true at an instant: false if one is, else unknown if one is."""
    truths = [holds(record, condition, evse, at) for condition in conditions]
    return False if False in truths else None if None in truths else True


def turns(record: Record, turn: Turn, evse: int | None) -> list[Change]:
    """The edges of a signal from one of these values to one of those."""
    return [
        change
        for change in changes(record, turn.signal, evse)
        if _among(change.before, turn.leaves) and _among(change.value, turn.to)
    ]


def _among(value: Value, wanted: Sequence[Value]) -> bool:
    return value is not UNKNOWN and (not wanted or value in wanted)


class Stay(NamedTuple):
    """A scope is true from `entry` until `end` (None: to the end of the record), which makes it false or unknown.

    `lost`: the signal was known, and then lost, before the entry.
    """

    entry: Change
    end: Change | None
    lost: bool = False

    @property
    def known(self) -> bool:
        """Whether the scope certainly ended where it ended."""
        return self.end is None or self.end.value is not UNKNOWN


def stays(record: Record, scope: Condition, evse: int | None) -> list[Stay]:
    """Every stay in a scope."""
    found: list[Stay] = []
    entry: Change | None = None
    lost = False
    for i, change in enumerate(changes(record, scope.signal, evse, told=True)):
        truth = truth_of(record, scope, change.value)
        if truth and entry is None:
            entry, lost = change, i > 0 and change.before is UNKNOWN
        elif not truth and entry is not None:
            found.append(Stay(entry, change, lost))
            entry = None
    if entry is not None:
        found.append(Stay(entry, None, lost))
    return found
