"""Rules as Python: the fluent form of a rule, which builds to the same digest."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from typing import Any

from .grammar import write_amount, write_condition, write_happening, write_values
from .named import NamedRule
from .options import write_options
from .rule import (
    Absent,
    Agree,
    Amount,
    Cadence,
    Condition,
    Count,
    Happening,
    Invariant,
    Occurrence,
    Order,
    Respond,
    Trigger,
    Turn,
)

__all__ = ["write_module", "write_python"]

_COMPARED = ("at_most", "at_least", "below", "above")
_OPENERS = ("agree", "always", "before", "count", "every", "name", "never", "values", "when")


def write_module(rules: Sequence[NamedRule]) -> str:
    """The rules as a piece of Python, with what it imports."""
    written = [write_python(rule) for rule in rules]
    used = [word for word in _OPENERS if any(re.search(rf"(?<![.\w]){word}\(", text) for text in written)]
    head = f"from pilotbench.bench.correlation.fluent import {', '.join(used)}"
    return "\n\n".join([head, *written]) + "\n"


def write_python(named: NamedRule) -> str:
    """`its_name = (…)`: the rule in the fluent form, one call a line. It wants the names of `fluent`.

    One that names signals of its pack builds with `build(limits, signals=pack.signals)`.
    """
    writer = _Writer(named)
    calls = [*writer.sentence(), *writer.options(), f"named({_lit(named.id)})"]
    first, *rest = calls
    lines = [f"    {first}", *(f"    .{call}" for call in rest)]
    return f"{_variable(named.id)} = (\n" + "\n".join(lines) + "\n)"


def _variable(rule_id: str) -> str:
    text = re.sub(r"\W", "_", rule_id, flags=re.ASCII)
    return f"rule_{text}" if not text.isidentifier() or keyword.iskeyword(text) or text in _OPENERS else text


def _lit(text: str) -> str:
    """A text as Python writes it, in double quotes where that needs no escape."""
    plain = text.isprintable() and '"' not in text and "\\" not in text
    return f'"{text}"' if plain else repr(text)


class _Writer:
    """Writes one rule; `signals`: those that it may name."""

    def __init__(self, named: NamedRule) -> None:
        self.named = named
        self.signals = named.known

    def sentence(self) -> list[str]:
        rule = self.named.rule
        match rule:
            case Respond():
                goals = [self._condition(rule.response)] if rule.response is not None else self._events(rule.answers)
                return [_call("when", map(self._trigger, rule.trigger)), _call("then", goals)]
            case Absent() if rule.scope is not None:
                return [f"never({self._happening(rule.never)})", f"during({self._condition(rule.scope)})"]
            case Absent():
                return [_call("when", map(self._trigger, rule.trigger)), f"never({self._happening(rule.never)})"]
            case Invariant():
                return [f"always({self._condition(rule.holds)})", f"during({self._condition(rule.scope)})"]
            case Order():
                return self._order(rule)
            case Cadence():
                how = ", apart=True" if rule.apart else ""
                return [
                    f"every({_lit(rule.every or rule.apart)}, {self._happening(rule.event)}{how})",
                    *self._during(rule.scope),
                ]
            case Count():
                numbers = [("at_most", rule.at_most), ("at_least", rule.at_least)]
                asked = [f"{word}({number})" for word, number in numbers if number is not None]
                window = [f"in_any({_lit(rule.within)})"] if rule.within else []
                return [f"count({self._happening(rule.event)})", *asked, *self._during(rule.scope), *window]
            case Agree():
                return [f"agree({_lit(rule.left)}, {_lit(rule.right)})"]

    def _order(self, rule: Order) -> list[str]:
        if rule.sequence is not None:
            return [f"values({self._happening(rule.sequence)}, {_lit(rule.key)}, {_lit(rule.law)})"]
        if rule.anchor is None:
            return [_call("before", self._events(rule.then)), _call("comes", self._events(rule.first))]
        later = [] if rule.not_before is None else [f"then_not_before({self._condition(rule.not_before)})"]
        return [f"before({self._happening(rule.anchor)})", _call("holds", map(self._condition, rule.before)), *later]

    def _during(self, scope: Condition | None) -> list[str]:
        return [] if scope is None else [f"during({self._condition(scope)})"]

    def _events(self, items: Iterable[Happening]) -> list[str]:
        return [self._happening(item) for item in items]

    def _trigger(self, trigger: Trigger) -> str:
        if trigger.given:
            return _lit(self._with_conditions(trigger))
        return self._happening(trigger.on)

    def _with_conditions(self, trigger: Trigger) -> str:
        """A trigger with conditions of its own, as the sentence says it."""
        given = " and ".join(write_condition(item, self.signals) for item in trigger.given)
        return f"{write_happening(trigger.on, self.signals)} (when {given})"

    def _happening(self, on: Happening) -> str:
        if isinstance(on, Turn):
            sides = [write_values(on.signal, side, self.signals) for side in (on.leaves, on.to)]
            only_to = f"to={_lit(sides[1])}" if on.to else ""
            args = ", ".join(map(_lit, sides)) if on.leaves else only_to
            return f"name({_lit(on.signal)}).turns({args})"
        return self._event(on)

    def _event(self, on: Occurrence) -> str:
        text = write_happening(on, self.signals)
        topics, bracket, tests = text.partition("[")
        if not bracket:
            return _lit(text)
        return f"name({_lit(topics)}).where({', '.join(map(_lit, _split(tests.removesuffix(']'))))})"

    def _condition(self, item: Condition) -> str:
        subject = f"name({_lit(item.signal)})"
        for word in _COMPARED:
            bound: Amount | None = getattr(item, word)
            if bound is not None:
                return f"{subject}.{word}({_lit(write_amount(bound))})"
        if item.is_not is not None and not item.unsure:
            return f"{subject}.is_not({_lit(write_values(item.signal, item.is_not, self.signals))})"
        if item.among is None:
            return _lit(write_condition(item, self.signals))
        unsure = f", unsure={_lit(write_values(item.signal, item.unsure, self.signals))}" if item.unsure else ""
        return f"{subject}.is_({_lit(write_values(item.signal, item.among, self.signals))}{unsure})"

    def options(self) -> list[str]:
        rule = self.named.rule
        given = write_options(rule, self.named.pattern, self.signals)
        conditions: dict[str, Iterable[Condition]] = {
            "when": rule.when,
            "unless": rule.unless if isinstance(rule, Respond) else (),
        }
        calls: list[str] = []
        for key, value in given.items():
            match key:
                case "when" | "unless":
                    calls.append(_call("given" if key == "when" else key, map(self._condition, conditions[key])))
                case "arm" | "disarm" | "until":
                    events: Sequence[Occurrence] = getattr(rule, key)
                    calls.append(_call(key, self._events(events)))
                case "per":
                    calls.append(_call(key, map(_lit, rule.per)))
                case "cases" | "ocpp":
                    calls.append(_call(key, map(_lit, value)))
                case "proven" | "settle_from":
                    pass  # said with what they qualify
                case "hold":
                    calls.append(f"hold({_lit(value)}{', proven=True' if given.get('proven') else ''})")
                case "settle":
                    only = given.get("settle_from")
                    calls.append(f"settle({_lit(value)}{'' if only is None else f', only_from={_lit(only)}'})")
                case _:
                    calls.append(f"{key}({_literal(value)})")
        return calls


def _call(name: str, parts: Iterable[str]) -> str:
    return f"{name}({', '.join(parts)})"


def _split(tests: str) -> list[str]:
    """The tests between the brackets; a comma in a text in quotes separates nothing."""
    return [part.strip() for part in re.findall(r'(?:"[^"]*"|[^,"])+', tests)]


def _literal(value: Any) -> str:
    return _lit(value) if isinstance(value, str) else repr(value)
