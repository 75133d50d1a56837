"""Conditions and bounds of a rule, applied to the world."""

from __future__ import annotations

from collections.abc import Callable

from ...errors import RuleError
from .language.happened import Params, holds, matches, value_at
from .language.pack import NamedRule, Pack
from .language.rule import Amount, Condition
from .language.signals import CONFIG, Signal, signal_named
from .world.amps import amps_of_duty, duty_of_amps
from .world.edge_width import lead_ns, narrowed
from .world.mark import Mark
from .world.setting import number_in, setting_has
from .world.track import Change, Step, possible_values
from .world.tri import Tri, negation
from .world.world import World

__all__ = ["Reader", "holds", "matches", "value_at"]

FREQUENCY_HZ = 0.2
"""Error bound of a measured PWM frequency: the last digit, and a counter that is off by 100 ppm at 1 kHz."""


class Reader:
    """Reads the world for one rule: its conditions, its limits, the accuracies of the bench."""

    def __init__(self, world: World, pack: Pack, named: NamedRule) -> None:
        self.world = world
        self.named = named
        self.signals = named.known
        self._pack = pack

    def signal(self, name: str) -> Signal:
        """What a signal is: one of the rule's pack, or a built-in one."""
        return signal_named(name, self.signals)

    def ns(self, text: str) -> int:
        """A limit or quantity of time in nanoseconds; 0 for nothing."""
        return round(self._pack.quantity(text, "time"))

    def quantity(self, text: str, dimension: str) -> float:
        """A limit or quantity in the base unit of its dimension; 0 for nothing."""
        return self._pack.quantity(text, dimension)

    def bound(self, amount: Amount, dimension: str, params: Params) -> float:
        """The number a condition compares with, in the base unit of its dimension.

        Raises:
            RuleError: it names a key that the trigger or the station's configuration does not have.
        """
        inner = {"duty_of": "current", "amps_of": "share"}.get(amount.by, dimension)
        value = self._number(amount.of, params, inner)
        if amount.by == "duty_of":
            value = duty_of_amps(value)
        elif amount.by == "amps_of":
            value = amps_of_duty(value)
        return value + self._term(amount.plus, params, dimension) - self._term(amount.minus, params, dimension)

    def _term(self, text: str, params: Params, dimension: str) -> float:
        """What is added: a setting that the station does not have adds nothing."""
        absent = text.startswith(CONFIG) and self.world.track(text, 0).value == ""
        return self._number(text, params, dimension) if text and not absent else 0.0

    def _number(self, text: str, params: Params, dimension: str) -> float:
        if text.startswith("$"):
            value = value_at(params, text[1:])
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise RuleError(f"the trigger has no number {text[1:]!r}; it has {sorted(params)}", rule=self.named.id)
            return float(value) * _factor(text, dimension)
        if text.startswith("config."):
            return self.configured(text.removeprefix("config."), dimension)
        return self.quantity(text, dimension)

    def configured(self, key: str, dimension: str) -> float:
        """A number of the station's configuration as read back; OCPP gives times in seconds.

        Raises:
            RuleError: it was not read back, or is no number.
        """
        config = self.world.config
        if config is None or key not in config:
            raise RuleError(f"the station's {key} was not read back", rule=self.named.id)
        try:
            return float(config[key]) * (1e9 if dimension == "time" else 1.0)
        except ValueError as error:
            raise RuleError(f"the station's {key} is {config[key]!r}, no number", rule=self.named.id) from error

    def dimension(self, condition: Condition) -> str:
        """What the condition's number is; a setting of the station is what it is compared with."""
        if condition.bound is not None and condition.signal.startswith(CONFIG):
            return self._pack.dimension(condition.bound.of)
        return self.signal(condition.signal).dimension

    def accuracy(self, signal: str, value: float) -> float:
        """Error bound of a reading."""
        facts = self.world.facts
        if signal == "duty":
            return facts.duty_accuracy_pp if value else 0.0
        if signal in ("offered", "i_limit"):  # 0.6 A for each percentage point, 2.5 A above 51 A (Table A.8)
            return facts.duty_accuracy_pp * (0.6 if value <= 51 else 2.5) if value else 0.0
        if signal == "frequency":
            return FREQUENCY_HZ
        if signal == "current":
            return facts.current_accuracy_a + facts.current_accuracy_pct / 100 * abs(value)
        if signal == "e_bench":
            share = facts.meter_accuracy_pct / 100 * abs(value)
            return share + facts.meter_resolution_wh + self.world.doubts.get(signal, 0.0)
        own = self.named.signals.get(signal)
        return own.reading.accuracy if own is not None and own.reading is not None else 0.0

    def judge(self, condition: Condition, params: Params) -> Callable[[object], Tri]:
        """The condition as a function of a known value."""
        if condition.signal.startswith(CONFIG):
            return self._judge_setting(condition, params)
        if condition.among is not None or condition.is_not is not None:
            return lambda value: _member(condition, value)
        assert condition.bound is not None
        bound = self.bound(condition.bound, self.signal(condition.signal).dimension, params)
        sign = 1 if condition.at_most is not None or condition.above is not None else -1
        if condition.below is not None or condition.above is not None:
            return lambda value: negation(self._compare(condition.signal, value, bound, sign))
        return lambda value: self._compare(condition.signal, value, bound, sign)

    def _judge_setting(self, condition: Condition, params: Params) -> Callable[[object], Tri]:
        """A setting that the station does not have satisfies nothing but `not`."""
        if condition.bound is None:
            words = condition.among if condition.among is not None else condition.is_not or ()
            return lambda value: Tri.of(setting_has(value, words) == (condition.among is not None))
        dimension = self.dimension(condition)
        bound = self.bound(condition.bound, dimension, params)
        sign = 1 if condition.at_most is not None or condition.above is not None else -1
        strict = condition.below is not None or condition.above is not None

        def judge(value: object) -> Tri:
            number = number_in(value, dimension)
            return Tri.FALSE if number is None else Tri.of(((number - bound) * sign <= 0) != strict)

        return judge

    def _compare(self, signal: str, value: object, bound: float, sign: int) -> Tri:
        if not isinstance(value, int | float):
            return Tri.UNKNOWN
        u = self.accuracy(signal, value)
        excess = (value - bound) * sign
        # decimal numbers are meant: 16.1 - 0.1 is no more than 16
        least, most = round(excess - u, 9), round(excess + u, 9)
        return Tri.TRUE if most <= 0 else Tri.FALSE if least > 0 else Tri.UNKNOWN

    def steps(self, condition: Condition, evse: int, params: Params, since: Mark | None = None) -> list[Step]:
        """The condition over time; `since`: from the change that was in force then, so that it costs no more later."""
        judge = self.judge(condition, params)
        track = self.world.track(condition.signal, evse)
        changes = track.changes if since is None else track.since(since)
        narrow = self._narrowing(condition, params)
        found: list[Step] = []
        before: Change | None = None
        for change in changes:
            tri = Tri.UNKNOWN if change.value is None else judge(change.value)
            mark = change.mark
            if narrow is not None and before is not None and found[-1].tri is not tri:
                mark = narrow(before, change)
            found.append(Step(mark, tri, change.event, change.why))
            before = change
        return found

    def _narrowing(self, condition: Condition, params: Params) -> Callable[[Change, Change], Mark] | None:
        """What a declared slew says of the place of an edge between two samples; None for a signal without one."""
        reading = self.signal(condition.signal).reading
        if reading is None or not reading.slew_per_s or condition.bound is None:
            return None
        bound = self.bound(condition.bound, self.dimension(condition), params)
        u, slew = reading.accuracy, reading.slew_per_s

        def narrow(before: Change, change: Change) -> Mark:
            if not isinstance(before.value, float) or not isinstance(change.value, float):
                return change.mark
            start, end = lead_ns(before.value, bound, u, slew), lead_ns(change.value, bound, u, slew)
            return Mark(narrowed(change.mark.stamp, start, end))

        return narrow

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
        return tuple(sorted(self.world.track(condition.signal, evse).sources))


def _member(condition: Condition, value: object) -> Tri:
    if value in condition.unsure:
        return Tri.UNKNOWN
    if condition.among is not None:
        return Tri.of(value in condition.among)
    return Tri.of(value not in (condition.is_not or ()))


_SUFFIXES = {"_s": 1e9, "_ms": 1e6, "_ns": 1.0}


def _factor(text: str, dimension: str) -> float:
    """What a key's unit is worth in the base unit; a time without one is in seconds."""
    if dimension != "time":
        return 1.0
    return next((factor for suffix, factor in _SUFFIXES.items() if text.endswith(suffix)), 1e9)
