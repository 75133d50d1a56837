"""From the fields of a rule back to its sentence: what was read and written again is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..rule import (
    Absent,
    Agree,
    Amount,
    AnyRule,
    Cadence,
    Condition,
    Count,
    Happening,
    Invariant,
    Order,
    Respond,
    Scalar,
    Test,
    Trigger,
    Turn,
)
from ..signals import SIGNALS, Signal, signal_named
from .lexer import NAME
from .words import RESERVED

__all__ = ["write_amount", "write_condition", "write_happening", "write_sentence", "write_values"]

Signals = Mapping[str, Signal]


def write_sentence(rule: AnyRule, signals: Signals = SIGNALS) -> str:
    """The sentence of a rule, in the words of the grammar."""
    match rule:
        case Respond():
            goal = (
                write_condition(rule.response, signals)
                if rule.response
                else " or ".join(write_happening(item, signals) for item in rule.answers)
            )
            return f"{_triggers(rule.trigger, signals)} => {goal}"
        case Absent():
            never = write_happening(rule.never, signals)
            if rule.scope is not None:
                return f"{never} while {write_condition(rule.scope, signals)}"
            return f"{_triggers(rule.trigger, signals)} => {never}"
        case Invariant():
            return f"{write_condition(rule.holds, signals)} while {write_condition(rule.scope, signals)}"
        case Order():
            return _order(rule, signals)
        case Cadence():
            word, time = ("every", rule.every) if rule.every else ("apart", rule.apart)
            return f"{write_happening(rule.event, signals)} {word} {time}{_while(rule.scope, signals)}"
        case Count():
            most = "" if rule.at_most is None else f" <= {rule.at_most}"
            least = "" if rule.at_least is None else f" >= {rule.at_least}"
            within = f" within {rule.within}" if rule.within else ""
            return f"{write_happening(rule.event, signals)}{least}{most}{_while(rule.scope, signals)}{within}"
        case Agree():
            return f"{rule.left} ~ {rule.right}"


def _order(rule: Order, signals: Signals) -> str:
    if rule.anchor is not None:
        parts = [" and ".join(write_condition(item, signals) for item in rule.before)]
        parts.append(write_happening(rule.anchor, signals))
        if rule.not_before is not None:
            parts.append(write_condition(rule.not_before, signals))
        return " < ".join(parts)
    if rule.sequence is not None:
        return f"{write_happening(rule.sequence, signals)} {rule.key} {rule.law}"
    sides = (rule.first, rule.then)
    return " < ".join(" or ".join(write_happening(item, signals) for item in side) for side in sides)


def _while(scope: Condition | None, signals: Signals) -> str:
    return "" if scope is None else f" while {write_condition(scope, signals)}"


def _triggers(triggers: Sequence[Trigger], signals: Signals) -> str:
    return " or ".join(_trigger(item, signals) for item in triggers)


def _trigger(trigger: Trigger, signals: Signals) -> str:
    text = write_happening(trigger.on, signals)
    if trigger.given:
        text += f" (when {' and '.join(write_condition(item, signals) for item in trigger.given)})"
    return text


def write_happening(on: Happening, signals: Signals = SIGNALS) -> str:
    """An event or an edge."""
    if isinstance(on, Turn):
        if not on.leaves and not on.to:
            return f"{on.signal} changes"
        leaves = f" {write_values(on.signal, on.leaves, signals)}" if on.leaves else ""
        return f"{on.signal}{leaves} -> {write_values(on.signal, on.to, signals)}"
    tests = f"[{', '.join(_test(test) for test in on.tests)}]" if on.tests else ""
    if not tests and len(on.topics) == 1 and on.topics[0] in signals:
        tests = "[]"
    return "|".join(on.topics) + tests


def write_condition(item: Condition, signals: Signals = SIGNALS) -> str:
    """A condition on a signal."""
    for sign, bound in (("<=", item.at_most), (">=", item.at_least), ("<", item.below), (">", item.above)):
        if bound is not None:
            return f"{item.signal} {sign} {write_amount(bound)}"
    inverse = "" if item.among is not None else "not "
    text = f"{item.signal} {inverse}{write_values(item.signal, item.among or item.is_not or (), signals)}"
    return f"{text} unsure {write_values(item.signal, item.unsure, signals)}" if item.unsure else text


def write_amount(item: Amount) -> str:
    """A number."""
    text = f"{item.by}({item.of})" if item.by else item.of
    return text + (f" + {item.plus}" if item.plus else "") + (f" - {item.minus}" if item.minus else "")


def write_values(signal: str, values: Sequence[Scalar], signals: Signals = SIGNALS) -> str:
    """Values of a signal."""
    words: dict[Scalar, str] = {value: word for word, value in signal_named(signal, signals).words.items()}
    return "|".join(_plain(words.get(value, str(value))) for value in values)


def _plain(text: str) -> str:
    """A word as it is, anything else in quotes."""
    return text if _is_word(text) else f'"{text}"'


def _is_word(text: str) -> bool:
    return NAME.fullmatch(text) is not None and text not in RESERVED


def _test(test: Test) -> str:
    if test.op in ("?", "!?"):
        return f"{test.key}{test.op}"
    if test.op == "=" and test.values in ((True,), (False,)) and isinstance(test.values[0], bool):
        return test.key if test.values[0] else f"not {test.key}"
    return f"{test.key}{test.op}{'|'.join(_scalar(value) for value in test.values)}"


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
        return text if "." in text else f"{text}.0"
    if isinstance(value, int):
        return str(value)
    if value.startswith("$"):
        return value
    return _plain(value) if value not in ("true", "false") else f'"{value}"'
