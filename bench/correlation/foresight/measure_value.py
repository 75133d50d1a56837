"""The limit of a value that a rule compares (a current, a duty cycle), and how finely a bench measures it."""

from __future__ import annotations

from ....errors import RuleError
from ..condition import Reader
from ..facts import Facts
from ..language.named import NamedRule
from ..language.pack import Pack
from ..language.rule import Amount, Condition, Invariant, Respond
from ..language.signals import CONFIG
from ..world.world import World
from .measure import Measure

__all__ = ["value_of"]

_UNIT = {"current": "A", "share": "pp", "frequency": "Hz", "time": "ms"}


def value_of(named: NamedRule, pack: Pack, facts: Facts) -> Measure | None:
    """The limit of what has to be true; None where it is no number."""
    rule = named.rule
    match rule:
        case Invariant():
            return _of(rule.holds, named, pack, facts)
        case Respond() if rule.response is not None:
            return _of(rule.response, named, pack, facts)
        case _:
            return None


def _of(item: Condition, named: NamedRule, pack: Pack, facts: Facts) -> Measure | None:
    if item.bound is None or item.signal.startswith(CONFIG):
        return None
    reader = Reader(World(facts), pack, named)
    dimension = reader.signal(item.signal).dimension
    try:
        limit: float | None = reader.bound(item.bound, dimension, {})
    except RuleError:
        limit = None  # the trigger says it
    u = reader.accuracy(item.signal, facts.rated_a if limit is None else limit)
    tolerance = _tolerance(item.bound, reader, dimension)
    unit = _UNIT.get(dimension, "")
    text = f"{limit:g} {unit}" if limit is not None else _said(item.bound)
    why = None
    upper = item.at_most is not None or item.below is not None
    least = limit if tolerance is None and upper else tolerance
    if least is not None and u >= least:
        why = f"the accuracy of {item.signal} (±{u:g} {unit}) is not below the {_what(tolerance)} {least:g} {unit}"
    return Measure(unit, limit, text, u, f"accuracy of {item.signal} (±{u:g} {unit})" if u else "", why)


def _what(tolerance: float | None) -> str:
    return "limit" if tolerance is None else "tolerance"


def _tolerance(bound: Amount, reader: Reader, dimension: str) -> float | None:
    """By how much a value may be off; None where the rule grants nothing."""
    text = bound.plus or bound.minus
    return reader.quantity(text, dimension) if text and not text.startswith(("$", CONFIG)) else None


def _said(bound: Amount) -> str:
    of = f"{bound.by}({bound.of})" if bound.by else bound.of
    return of + (f" + {bound.plus}" if bound.plus else "") + (f" - {bound.minus}" if bound.minus else "")
