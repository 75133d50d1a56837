"""How much a rule keeps in memory at most, and what happens beyond: from the very constants of its monitor.

Some things are bounded by number, some by time: what may still arrive late is kept until it cannot matter any more.
For the latter the bound holds up to `EVENTS_PER_S` events of the rule's own kinds a second; with more, more is kept.
"""

from __future__ import annotations

import msgspec

from ..language.aggregates import CLOCKS
from ..language.named import NamedRule
from ..language.rule import Absent, Agree, Cadence, Count, Invariant, Order, Respond
from ..language.signals import signal_named
from ..ledger import HORIZON_NS, KEEP
from ..patterns import (
    absent,
    agree_tx,
    cadence,
    cadence_apart,
    count,
    count_stays,
    count_window,
    invariant,
    order_events,
    order_law,
    respond,
    waiting,
)
from ..patterns.base import SLACK_NS

__all__ = ["EVENTS_PER_S", "Bound", "Part", "bound"]

EVENTS_PER_S = 1000
"""Events a second that a rule may have to look at: more than one outlet makes in a session."""

_EVENT = 1200
_KEY = 200
_OWED = 600
_INSTANCE = 2500
_SAMPLE = 1000
_MIB = 1024 * 1024

_GIVEN_UP = "of more, the oldest is given up: INCONCLUSIVE(LIMIT)"
_SLACK_S = SLACK_NS / 1e9


class Part(msgspec.Struct, frozen=True):
    """So many at most of one thing, about so many bytes each, and what becomes of more."""

    what: str
    most: int
    bytes_each: int
    beyond: str


class Bound(msgspec.Struct, frozen=True):
    """What one rule keeps on one outlet; signals are shared by the rules of a group and not counted here."""

    parts: tuple[Part, ...]

    @property
    def mib(self) -> float:
        """All of it together, in MiB."""
        return sum(part.most * part.bytes_each for part in self.parts) / _MIB


def bound(named: NamedRule) -> Bound:
    """What a rule keeps at most."""
    return Bound((*_monitor(named), *_ledger()))


def _ledger() -> tuple[Part, ...]:
    decided = int(HORIZON_NS / 1e9 * EVENTS_PER_S)
    return (
        Part(
            "instances kept", 2 * KEEP + 1, _INSTANCE, "of more, the first, the worst and the newest that are not PASS"
        ),
        Part(
            f"decided instances of the last {HORIZON_NS / 1e9:g} s",
            decided,
            _INSTANCE,
            f"by time; so many at {EVENTS_PER_S} a second",
        ),
    )


def _late(what: str, slacks: int = 1) -> Part:
    most = int(slacks * _SLACK_S * EVENTS_PER_S)
    return Part(what, most, _EVENT, f"by time, {slacks * _SLACK_S:g} s; so many at {EVENTS_PER_S} a second")


def _monitor(named: NamedRule) -> tuple[Part, ...]:
    rule = named.rule
    match rule:
        case Respond() if rule.response is not None:
            return (Part("open triggers", respond.OPEN, _OWED + _EVENT, _GIVEN_UP),)
        case Respond():
            return _waiting(claimed=rule.at == "claim")
        case Absent() if rule.scope is None:
            return _waiting(claimed=rule.at == "claim")
        case Absent():
            late = "of more, the older half; a stay that needs them is INCONCLUSIVE(LIMIT)"
            return (Part("events at the edges of the scope", absent.KEPT, _EVENT, late), _late("stays that ended"))
        case Invariant():
            return _invariant(rule, named)
        case Order():
            return _order(rule)
        case Cadence():
            return _cadence(rule)
        case Count():
            return _count(rule)
        case Agree():
            return _agree(rule)


def _waiting(*, claimed: bool) -> tuple[Part, ...]:
    before = waiting.BEFORE_CLAIMED if claimed else waiting.BEFORE
    lost = "of more, the oldest; a trigger that it may concern is INCONCLUSIVE(LIMIT)"
    parts = [
        Part("open triggers", waiting.OPEN, _OWED + _EVENT, _GIVEN_UP),
        Part("open triggers of one key (of those)", waiting.OPEN_PER_KEY, 0, _GIVEN_UP),
        Part("answers and ends to look back to", 2 * before, _EVENT, lost),
    ]
    if claimed:
        parts.append(Part("candidates of one trigger", waiting.BEFORE_CLAIMED, _EVENT, lost))
    return tuple(parts)


def _invariant(rule: Invariant, named: NamedRule) -> tuple[Part, ...]:
    if not signal_named(rule.holds.signal, named.known).sampled:
        return (_late("stays that ended"),)
    number = "of more, only that there were"
    return (
        Part("samples that break it", invariant.KEPT, _SAMPLE, number),
        Part("samples that may", invariant.KEPT, _SAMPLE, number),
        _late("samples whose place is not certain yet", 2),
    )


def _order(rule: Order) -> tuple[Part, ...]:
    if rule.sequence is not None:
        each = Part("keys remembered", order_law.KEYS, 2 * _EVENT + _KEY, _silent())
        if rule.law != "unique" and rule.at != "claim":
            return (each,)
        return (
            each,
            Part("values remembered", order_law.VALUES, _EVENT + _KEY, "of more, the oldest: INCONCLUSIVE(LIMIT)"),
        )
    if rule.anchor is not None:
        return (_late("happenings to be judged"),)
    kept = order_events.KEYS * order_events.FIRSTS
    return (
        Part("keys remembered", order_events.KEYS, _KEY, "of more, the oldest; what needs it is INCONCLUSIVE(LIMIT)"),
        Part("first events of them", kept, _EVENT, "of one key the middle ones: it may be INCONCLUSIVE(LIMIT)"),
        Part("events that wait", order_events.OPEN, _OWED + _EVENT, _GIVEN_UP),
    )


def _cadence(rule: Cadence) -> tuple[Part, ...]:
    late = _late("events within the slack", 2)
    if rule.every:
        return (
            Part("keys of a stay", cadence.LINES, 5 * _EVENT + _KEY, _GIVEN_UP),
            late,
        )
    return (
        Part("keys remembered", cadence_apart.KEYS, 4 * _EVENT + _KEY, _silent()),
        late,
    )


def _count(rule: Count) -> tuple[Part, ...]:
    late = (_late("events whose `when` is not certain yet"),) if rule.when or rule.arm or rule.disarm else ()
    if rule.scope is not None:
        many = "of more, the oldest; it counts by its entry alone, or is INCONCLUSIVE(LIMIT)"
        return (Part("events of a stay, and before it", 2 * count_stays.KEPT, _EVENT + _KEY, many), *late)
    if rule.within:
        return (
            Part("keys remembered", count_window.KEYS, _EVENT + _KEY, _silent()),
            Part("open windows of one key", count_window.OPEN, _EVENT + _KEY, _GIVEN_UP),
            *late,
        )
    return (Part("keys remembered", count.KEYS, 2 * _EVENT + _KEY, _silent()), *late)


def _agree(rule: Agree) -> tuple[Part, ...]:
    if rule.left in CLOCKS:
        return (Part("claims of one time online", 2, _EVENT, "the first and the last"),)
    return (
        Part("open transactions", agree_tx.OPEN, 4 * _EVENT + _KEY, _GIVEN_UP),
        Part(
            "transactions without an outlet", agree_tx.PLACELESS, 2 * _EVENT + _KEY, "of more, the oldest one's begin"
        ),
        Part("transactions judged", agree_tx.CLOSED, _KEY, "of more, the oldest: what comes for it later is a new one"),
    )


def _silent() -> str:
    return "of more, the one silent the longest: INCONCLUSIVE(LIMIT)"
