"""Conditions and bounds of a rule, applied to the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import RuleError
from ..timeline import Event
from .amps import duty_of_amps
from .mark import Mark
from .pack import NamedRule, Pack
from .rule import Bound, Condition, Occurrence
from .track import Step, possible_values, sampled_steps
from .tri import Tri
from .world import World

__all__ = ["Reader", "matches"]

Params = Mapping[str, Any]
_NUMBERS = {"duty": "share", "current": "current", "offered": "current", "profile": "current", "allowance": "current"}


def matches(occurrence: Occurrence, event: Event) -> bool:
    """The event is one of these."""
    data = event.data
    if event.topic != occurrence.topic:
        return False
    if any(data.get(key) != value for key, value in occurrence.where.items()):
        return False
    return not any(data.get(key) == value for key, value in occurrence.unless.items())


class Reader:
    """Reads the world for one rule: its conditions, its limits, the accuracies of the bench."""

    def __init__(self, world: World, pack: Pack, named: NamedRule) -> None:
        self.world = world
        self.named = named
        self._pack = pack

    def ns(self, text: str) -> int:
        """A limit or quantity of time in nanoseconds; 0 for nothing."""
        return round(self._pack.quantity(text, "time"))

    def quantity(self, text: str, dimension: str) -> float:
        """A limit or quantity in the base unit of its dimension; 0 for nothing."""
        return self._pack.quantity(text, dimension)

    def bound(self, bound: Bound, signal: str, params: Params) -> float:
        """The number a condition compares with, in percent or ampere.

        Raises:
            RuleError: it names a key that the trigger does not have.
        """
        dimension = _NUMBERS.get(signal, "current")
        base = self._number(bound.duty_of, params, "current") if bound.duty_of else None
        value = duty_of_amps(base) if base is not None else self._number(bound.of, params, dimension)
        return value + self.quantity(bound.plus, dimension) - self.quantity(bound.minus, dimension)

    def _number(self, text: str, params: Params, dimension: str) -> float:
        if not text:
            return 0.0
        if text in params:
            return float(params[text])
        try:
            return self.quantity(text, dimension)
        except ValueError as error:
            raise RuleError(
                f"{text!r} is no number of the trigger, which has {sorted(params)}", rule=self.named.id
            ) from error

    def accuracy(self, signal: str, value: float) -> float:
        """Error bound of a reading."""
        facts = self.world.facts
        if signal == "duty":
            return facts.duty_accuracy_pp if value else 0.0
        if signal == "current":
            return facts.current_accuracy_a + facts.current_accuracy_pct / 100 * abs(value)
        return 0.0

    def judge(self, condition: Condition, params: Params) -> Callable[[object], Tri]:
        """The condition as a function of a known value."""
        if condition.among is not None or condition.is_not is not None:
            return lambda value: _member(condition, value)
        if condition.at_most is not None:
            most = self.bound(condition.at_most, condition.signal, params)
            return lambda value: self._compare(condition.signal, value, most, 1)
        assert condition.at_least is not None
        least = self.bound(condition.at_least, condition.signal, params)
        return lambda value: self._compare(condition.signal, value, least, -1)

    def _compare(self, signal: str, value: object, bound: float, sign: int) -> Tri:
        if not isinstance(value, int | float):
            return Tri.UNKNOWN
        u = self.accuracy(signal, value)
        excess = (value - bound) * sign
        return Tri.TRUE if excess + u <= 0 else Tri.FALSE if excess - u > 0 else Tri.UNKNOWN

    def steps(self, condition: Condition, evse: int, params: Params) -> list[Step]:
        """The condition over time."""
        judge = self.judge(condition, params)
        if condition.signal == "current":
            max_gap_ns = round(self.world.facts.meter_max_gap_s * 1e9)
            return sampled_steps(self.world.samples[evse], judge, max_gap_ns)
        return self.world.track(condition.signal, evse).steps(judge)

    def at(self, condition: Condition, evse: int, mark: Mark, params: Params) -> tuple[Tri, str]:
        """The condition at one instant, and why it is not known if it is not."""
        judge = self.judge(condition, params)
        found: set[Tri] = set()
        why = ""
        for change in possible_values(self.world.track(condition.signal, evse).changes, mark):
            if change is None or change.value is None:
                found.add(Tri.UNKNOWN)
                why = (change.why if change is not None else "") or f"{condition.signal} is not known"
            else:
                found.add(judge(change.value))
        if len(found) == 1:
            return found.pop(), why
        return Tri.UNKNOWN, why

    def sources(self, condition: Condition, evse: int) -> tuple[str, ...]:
        """Whose silence an absence of this condition rests on."""
        if condition.signal == "current":
            return tuple(sorted({sample.event.source for sample in self.world.samples[evse][-1:]}))
        return tuple(sorted(self.world.track(condition.signal, evse).sources))


def _member(condition: Condition, value: object) -> Tri:
    if value in condition.unsure:
        return Tri.UNKNOWN
    if condition.among is not None:
        return Tri.of(value in condition.among)
    return Tri.of(value not in (condition.is_not or ()))
