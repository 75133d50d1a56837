"""What a rule needs that a bench may not have: then it can never be decided there, and this says why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..facts import Facts
from ..language.named import NamedRule
from ..language.rule import (
    Absent,
    Agree,
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
    Turn,
)
from ..language.signals import CONFIG, SIGNALS, Signal, feeds, signal_named

__all__ = ["lack", "lack_of_trigger"]

_PILOT = ("cp.", "pilot.")
_SWITCHES = frozenset({"relay", "mains", "supply", "power"})
_PROFILES = frozenset({"profile", "profile.reached", "profile.kept", "allowance"})
_NO_PILOT = "the bench has no control pilot emulator"
_NO_SENSE = "the bench has no output sense"
_NO_METER = "the bench has no meter"
_NO_RELAY = "no relay of the bench switches the station's supply (mains_relay)"
_WATTS = "the station takes charging profiles in watts, and the rule compares amperes"


class _Here(NamedTuple):
    """The bench, and the signals that a rule may name."""

    facts: Facts
    signals: Mapping[str, Signal]


def lack(named: NamedRule, facts: Facts) -> str | None:
    """Why the rule can never be decided on such a bench; None where nothing that it needs is missing."""
    here, rule = _Here(facts, named.known), named.rule
    has = here.facts.inventory
    if rule.ocpp and has.ocpp not in rule.ocpp:
        return f"it is about OCPP {' and '.join(rule.ocpp)}, and the station speaks {has.ocpp}"
    armed = _any_of(rule.arm, here) if rule.arm else None
    parts = [armed, *_all_of(rule.when, here), *_of(rule, here)]
    return next((why for why in parts if why is not None), None)


def _of(rule: AnyRule, here: _Here) -> Iterator[str | None]:
    match rule:
        case Respond():
            yield _triggers(rule.trigger, here)
            if rule.response is not None:
                yield _condition(rule.response, here)
            else:
                yield _any_of(rule.answers, here)
            yield from _all_of(rule.unless, here)
            yield _amount(rule.within, here)
            yield _amount(rule.after, here)
        case Absent():
            yield _happening(rule.never, here)
            if rule.scope is not None:
                yield _condition(rule.scope, here)
            else:
                yield _triggers(rule.trigger, here)
            yield _amount(rule.within, here)
        case Invariant():
            yield from _all_of((rule.holds, rule.scope), here)
        case Order():
            if rule.anchor is not None:
                yield _happening(rule.anchor, here)
            yield from _all_of(rule.before, here)
            yield from (_any_of(side, here) for side in (rule.first, rule.then) if side)
            yield None if rule.sequence is None else _happening(rule.sequence, here)
        case Cadence():
            yield _happening(rule.event, here)
            yield from _all_of([rule.scope] if rule.scope is not None else [], here)
            yield _setting(rule.every or rule.apart, here)
        case Count():
            yield _happening(rule.event, here)
            yield from _all_of([rule.scope] if rule.scope is not None else [], here)
        case Agree():
            yield _NO_METER if "e_bench" in (rule.left, rule.right) and not here.facts.inventory.meter else None


def _triggers(triggers: Sequence[Trigger], here: _Here) -> str | None:
    """Of several triggers one is enough."""
    reasons = [_trigger(item, here) for item in triggers]
    return None if None in reasons else reasons[0]


def lack_of_trigger(trigger: Trigger, named: NamedRule, facts: Facts) -> str | None:
    """Why the bench never sees one of a rule's triggers."""
    return _trigger(trigger, _Here(facts, named.known))


def _trigger(trigger: Trigger, here: _Here) -> str | None:
    parts = (_happening(trigger.on, here), *_all_of(trigger.given, here))
    return next((why for why in parts if why is not None), None)


def _any_of(items: Iterable[Happening], here: _Here) -> str | None:
    reasons = [_happening(item, here) for item in items]
    return None if None in reasons else reasons[0]


def _all_of(items: Iterable[Condition], here: _Here) -> Iterator[str | None]:
    return (_condition(item, here) for item in items)


def _condition(item: Condition, here: _Here) -> str | None:
    return _signal(item.signal, here) or _amount(item.bound, here)


def _amount(amount: Amount | None, here: _Here) -> str | None:
    if amount is None:
        return None
    for text in (amount.of, amount.plus, amount.minus):
        if text.startswith("$limit_a") and here.facts.inventory.profile_unit == "W":
            return _WATTS
        why = _setting(text, here)
        if why is not None:
            return why
    return None


def _setting(text: str, here: _Here) -> str | None:
    if text.startswith(CONFIG) and not here.facts.inventory.configuration_readable:
        return f"the station's configuration cannot be read, and the rule needs {text}"
    return None


def _signal(name: str, here: _Here) -> str | None:
    has = here.facts.inventory
    if name.startswith(CONFIG):
        return _setting(name, here)
    if name in _PROFILES and has.profile_unit == "W":
        return _WATTS
    if name == "ventilation" and here.facts.ventilation is None:
        return "the bench file does not say whether the station may energise in state D (ventilation)"
    topics = feeds(name, here.signals)
    if "output" in topics and name != "auth":
        return _NO_PILOT if not has.pilot else _NO_SENSE if has.sense_ms is None else None
    if "lock" in topics:
        return _NO_PILOT if not has.pilot else _no_lock(here) if has.lock_ms is None else None
    if any(topic.startswith(_PILOT) for topic in topics) and name != "auth":
        return None if has.pilot else _NO_PILOT
    if "meter.sample" in topics:
        own = name not in SIGNALS
        known = signal_named(name, here.signals)
        gap_s = here.facts.meter_max_gap_s if not own else known.reading.max_gap_ns / 1e9 if known.reading else 0.0
        return _meter(here, gap_s if known.kind == "sampled" or own else 0.0)
    return None


def _no_lock(here: _Here) -> str:
    if here.facts.outlet == "cable":
        return "the outlet is a tethered cable: it has no lock to be seen"
    return "the bench has no feedback of the lock (lock_sense)"


def _meter(here: _Here, gap_s: float = 0.0) -> str | None:
    """A signal that is sampled is not known where two samples are further apart than `gap_s` (0: it holds for ever)."""
    has = here.facts.inventory
    if not has.meter:
        return _NO_METER
    apart_s = (has.meter_poll_ms - has.meter_age_ms - has.meter_answer_ms) / 1e3
    if 0 < gap_s < apart_s:
        return (
            f"the meter is read every {has.meter_poll_ms / 1e3:g} s, and what lies between two readings more than "
            f"{gap_s:g} s apart is not known"
        )
    return None


def _happening(on: Happening, here: _Here) -> str | None:
    if isinstance(on, Turn):
        return _signal(on.signal, here)
    reasons = [_topic(topic, on, here) for topic in on.topics]
    return None if None in reasons else reasons[0]


def _topic(topic: str, on: Occurrence, here: _Here) -> str | None:
    has = here.facts.inventory
    if topic == "output":
        return _NO_PILOT if not has.pilot else _NO_SENSE if has.sense_ms is None else None
    if topic == "lock":
        return _NO_PILOT if not has.pilot else _no_lock(here) if has.lock_ms is None else None
    if topic.startswith(_PILOT):
        return None if has.pilot else _NO_PILOT
    if topic == "meter.sample":
        return _meter(here)
    if topic.startswith("ev."):
        return None if has.vehicle else "the bench has no vehicle simulator"
    if topic == "dut.alive_without_mains":
        return None if here.facts.mains_relay is not None else _NO_RELAY
    if topic == "stimulus":
        return _stimulus(on, here)
    if topic == "csms.charging_profile" and has.profile_unit == "W":
        asked = {test.key for test in on.tests}
        return _WATTS if asked & {"limit_a", "max_limit_a"} else None
    return None


def _stimulus(on: Occurrence, here: _Here) -> str | None:
    verbs = {value for test in on.tests if test.key == "verb" and test.op == "=" for value in test.values}
    if verbs and verbs <= _SWITCHES and here.facts.mains_relay is None:
        return _NO_RELAY
    if not here.facts.inventory.pilot:
        return _NO_PILOT
    if verbs == {"token"} and not here.facts.inventory.token_reader:
        return "the pilot cannot present a card (token_reader)"
    return None
