"""The limit in time of a rule, and how finely a bench sees it."""

from __future__ import annotations

from collections.abc import Sequence

from ..facts import Facts
from ..language.named import NamedRule
from ..language.pack import Pack
from ..language.rule import (
    Absent,
    Amount,
    AnyRule,
    Cadence,
    Condition,
    Count,
    Happening,
    Invariant,
    Occurrence,
    Order,
    Respond,
    Trigger,
)
from ..language.signals import signal_named
from ..patterns.pace import HEARTBEAT
from .measure import Measure
from .needs import lack_of_trigger
from .spread import Apart, Spread, apart, claimed, spread_of

__all__ = ["time_of"]

_MS = 1e6
_SEQUENCE = "the order in which its source reports"


def time_of(named: NamedRule, pack: Pack, facts: Facts) -> Measure:
    """The limit in time, or what else in time the rule asks."""
    return _Times(named, pack, facts).measure()


class _Times:
    def __init__(self, named: NamedRule, pack: Pack, facts: Facts) -> None:
        self.named = named
        self.rule: AnyRule = named.rule
        self.pack = pack
        self.facts = facts
        self.has = facts.inventory

    def measure(self) -> Measure:
        rule = self.rule
        match rule:
            case Respond():
                goals: Sequence[Happening | Condition] = rule.answers or ((rule.response,) if rule.response else ())
                return self._window(rule.trigger, goals, rule.within)
            case Absent() if rule.scope is None:
                return self._window(rule.trigger, (rule.never,), rule.within)
            case Absent():
                assert rule.scope is not None
                return self._edges(rule.scope, (rule.never,), rule.settle)
            case Invariant():
                return self._invariant(rule)
            case Order() if rule.sequence is not None:
                text = f"{rule.key} {rule.law}"
                return self._sequence(text, claimed(self.has) if rule.at == "claim" else None)
            case Order():
                return self._order(rule)
            case Cadence():
                return self._cadence(rule)
            case Count():
                return self._count(rule)
            case _:
                return Measure()

    # ---- the limits

    def _window(
        self, triggers: Sequence[Trigger], goals: Sequence[Happening | Condition], within: Amount | None
    ) -> Measure:
        limit_ms, text, note = self._amount(within)
        seen = [item for item in triggers if lack_of_trigger(item, self.named, self.facts) is None] or list(triggers)
        found = max(
            (self._apart(item.on, goal, limit_ms or 0.0) for item in seen for goal in goals), key=lambda item: item.u_ms
        )
        if within is None:
            text = "measured, no limit" if isinstance(self.rule, Respond) else "until it ends"
            return Measure("ms", None, text, found.u_ms, found.dominant)
        if limit_ms is None:
            return Measure("ms", None, text, found.u_ms, found.dominant, note=note)
        return self._limited(limit_ms, text, found, note)

    def _limited(self, limit_ms: float, text: str, found: Apart, note: str = "") -> Measure:
        why = None
        if found.u_ms >= limit_ms:
            why = f"its uncertainty ±{found.u_ms:.4g} ms is not below the limit {limit_ms:.4g} ms: {found.dominant}"
        return Measure("ms", limit_ms, text, found.u_ms, found.dominant, why, note)

    def _edges(self, scope: Condition, inside: Sequence[Happening | Condition], settle: str) -> Measure:
        """What happens within a scope: at its edges nobody knows whether it was inside."""
        settle_ms = self.pack.quantity(settle, "time") / _MS
        found = max((self._apart(scope, item, settle_ms) for item in inside), key=lambda item: item.u_ms)
        if found.exact and not settle:
            return self._sequence("while it lasts")
        text = f"from {_ms_text(settle_ms)} after its begin" if settle else "while it lasts"
        return Measure("ms", settle_ms if settle else None, text, found.u_ms, found.dominant, kept=True)

    def _invariant(self, rule: Invariant) -> Measure:
        sampled = signal_named(rule.holds.signal, self.named.known).sampled
        settle_ms = self.pack.quantity(rule.settle, "time") / _MS
        held = spread_of(rule.holds, self.has, self.named.known, edge=not sampled)
        found = apart(self._spread(rule.scope), held, settle_ms)
        if found.exact and not rule.settle:
            return self._sequence("while it lasts")
        text = f"from {_ms_text(settle_ms)} after its begin" if rule.settle else "while it lasts"
        return Measure("ms", settle_ms if rule.settle else None, text, found.u_ms, found.dominant, kept=True)

    def _order(self, rule: Order) -> Measure:
        if rule.anchor is not None:
            pairs = [(item, rule.anchor) for item in rule.before]
        else:
            pairs = [(first, then) for first in rule.first for then in rule.then]
        found = [self._apart(first, then, 0.0) for first, then in pairs]
        open_ = [item for item in found if not item.exact]
        if not open_:
            return self._sequence("before it")
        worst = max(open_, key=lambda item: item.u_ms)
        return Measure("ms", None, "before it", worst.u_ms, worst.dominant, kept=True)

    def _cadence(self, rule: Cadence) -> Measure:
        asked, sign = (rule.every, 1) if rule.every else (rule.apart, -1)
        share = sign * self.pack.quantity(rule.tolerance, "share") / 100 if rule.tolerance else 0.0
        found = self._apart(rule.event, rule.event, 0.0)
        factor = f" {'+' if sign > 0 else '-'} {abs(share) * 100:g} %" if share else ""
        if asked.startswith("config."):
            return Measure("ms", None, f"{asked}{factor}", found.u_ms, found.dominant, note="as it is read back")
        every_ms = self.has.heartbeat_s * 1e3 if asked == HEARTBEAT else self.pack.quantity(asked, "time") / _MS
        found = self._apart(rule.event, rule.event, every_ms)
        return self._limited(every_ms * (1 + share), f"{_ms_text(every_ms)}{factor}", found)

    def _count(self, rule: Count) -> Measure:
        limits = [("at most", rule.at_most), ("at least", rule.at_least)]
        text = " and ".join(f"{word} {number}" for word, number in limits if number is not None)
        if rule.within:
            within_ms = self.pack.quantity(rule.within, "time") / _MS
            found = self._apart(rule.event, rule.event, within_ms)
            return self._limited(within_ms, f"{text} in {_ms_text(within_ms)}", found)
        if rule.scope is None:
            return self._sequence(text)
        found = self._apart(rule.scope, rule.event, 0.0)
        if found.exact:
            return self._sequence(text)
        return Measure("ms", None, text, found.u_ms, found.dominant, kept=True)

    def _sequence(self, text: str, spread: Spread | None = None) -> Measure:
        if spread is None:
            return Measure("", None, text, 0.0, _SEQUENCE, kept=True)
        found = apart(spread, spread, 0.0)
        return Measure("ms", None, text, found.u_ms, found.dominant, kept=True)

    # ---- the parts

    def _apart(self, first: Happening | Condition, second: Happening | Condition, span_ms: float) -> Apart:
        return apart(self._spread(first), self._spread(second), span_ms)

    def _spread(self, on: Happening | Condition) -> Spread:
        ocpp = isinstance(on, Occurrence) and any(topic.startswith("ocpp.") for topic in on.topics)
        return claimed(self.has) if ocpp and self.rule.at == "claim" else spread_of(on, self.has, self.named.known)

    def _amount(self, within: Amount | None) -> tuple[float | None, str, str]:
        """The limit in milliseconds if it is known before the run, how it is said, and a note."""
        if within is None:
            return None, "", ""
        numbers = [self._fixed(text) for text in (within.of, within.plus, within.minus)]
        parts = [_ms_text(ms) if ms is not None else name for ms, name in zip(numbers, _names(within), strict=True)]
        text = parts[0] + (f" + {parts[1]}" if within.plus else "") + (f" - {parts[2]}" if within.minus else "")
        of, plus, minus = numbers
        if of is not None and minus is not None:
            later = plus is None
            return of + (plus or 0.0) - minus, text, "longer by what is read back" if later else ""
        return None, text, "known in the run only"

    def _fixed(self, text: str) -> float | None:
        if text.startswith(("$", "config.")):
            return None
        return self.pack.quantity(text, "time") / _MS


def _names(amount: Amount) -> tuple[str, str, str]:
    return amount.of, amount.plus, amount.minus


def _ms_text(ms: float) -> str:
    return f"{ms / 1e3:g} s" if ms >= 1000 else f"{ms:g} ms"
