"""What a rule needs that a bench may not have: then it can never be decided there, and this says why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from .facts import Facts
from .rule import (
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
from .signals import CONFIG, feeds, signal_named

__all__ = ["lack", "lack_of_trigger"]

_PILOT = ("cp.", "pilot.")
_SWITCHES = frozenset({"relay", "mains", "supply", "power"})
_PROFILES = frozenset({"profile", "profile.reached", "profile.kept", "allowance"})
_NO_PILOT = "the bench has no control pilot emulator"
_NO_SENSE = "the bench has no output sense"
_NO_METER = "the bench has no meter"
_NO_RELAY = "no relay of the bench switches the station's supply (mains_relay)"
_WATTS = "the station takes charging profiles in watts, and the rule compares amperes"


def lack(rule: AnyRule, facts: Facts) -> str | None:
    """Why the rule can never be decided on such a bench; None where nothing that it needs is missing."""
    has = facts.inventory
    if rule.ocpp and has.ocpp not in rule.ocpp:
        return f"it is about OCPP {' and '.join(rule.ocpp)}, and the station speaks {has.ocpp}"
    armed = _any_of(rule.arm, facts) if rule.arm else None
    parts = [armed, *_all_of(rule.when, facts), *_of(rule, facts)]
    return next((why for why in parts if why is not None), None)


def _of(rule: AnyRule, facts: Facts) -> Iterator[str | None]:
    match rule:
        case Respond():
            yield _triggers(rule.trigger, facts)
            if rule.response is not None:
                yield _condition(rule.response, facts)
            else:
                yield _any_of(rule.answers, facts)
            yield from _all_of(rule.unless, facts)
            yield _amount(rule.within, facts)
            yield _amount(rule.after, facts)
        case Absent():
            yield _happening(rule.never, facts)
            if rule.scope is not None:
                yield _condition(rule.scope, facts)
            else:
                yield _triggers(rule.trigger, facts)
            yield _amount(rule.within, facts)
        case Invariant():
            yield from _all_of((rule.holds, rule.scope), facts)
        case Order():
            if rule.anchor is not None:
                yield _happening(rule.anchor, facts)
            yield from _all_of(rule.before, facts)
            yield from (_any_of(side, facts) for side in (rule.first, rule.then) if side)
            yield None if rule.sequence is None else _happening(rule.sequence, facts)
        case Cadence():
            yield _happening(rule.event, facts)
            yield from _all_of([rule.scope] if rule.scope is not None else [], facts)
            yield _setting(rule.every or rule.apart, facts)
        case Count():
            yield _happening(rule.event, facts)
            yield from _all_of([rule.scope] if rule.scope is not None else [], facts)
        case Agree():
            yield _NO_METER if "e_bench" in (rule.left, rule.right) and not facts.inventory.meter else None


def _triggers(triggers: Sequence[Trigger], facts: Facts) -> str | None:
    """Of several triggers one is enough."""
    reasons = [lack_of_trigger(item, facts) for item in triggers]
    return None if None in reasons else reasons[0]


def lack_of_trigger(trigger: Trigger, facts: Facts) -> str | None:
    """Why the bench never sees one of a rule's triggers."""
    parts = (_happening(trigger.on, facts), *_all_of(trigger.given, facts))
    return next((why for why in parts if why is not None), None)


def _any_of(items: Iterable[Happening], facts: Facts) -> str | None:
    reasons = [_happening(item, facts) for item in items]
    return None if None in reasons else reasons[0]


def _all_of(items: Iterable[Condition], facts: Facts) -> Iterator[str | None]:
    return (_condition(item, facts) for item in items)


def _condition(item: Condition, facts: Facts) -> str | None:
    return _signal(item.signal, facts) or _amount(item.bound, facts)


def _amount(amount: Amount | None, facts: Facts) -> str | None:
    if amount is None:
        return None
    for text in (amount.of, amount.plus, amount.minus):
        if text.startswith("$limit_a") and facts.inventory.profile_unit == "W":
            return _WATTS
        why = _setting(text, facts)
        if why is not None:
            return why
    return None


def _setting(text: str, facts: Facts) -> str | None:
    if text.startswith(CONFIG) and not facts.inventory.configuration_readable:
        return f"the station's configuration cannot be read, and the rule needs {text}"
    return None


def _signal(name: str, facts: Facts) -> str | None:
    has = facts.inventory
    if name.startswith(CONFIG):
        return _setting(name, facts)
    if name in _PROFILES and has.profile_unit == "W":
        return _WATTS
    if name == "ventilation" and facts.ventilation is None:
        return "the bench file does not say whether the station may energise in state D (ventilation)"
    topics = feeds(name)
    if "output" in topics and name != "auth":
        return _NO_PILOT if not has.pilot else _NO_SENSE if has.sense_ms is None else None
    if "lock" in topics:
        return _NO_PILOT if not has.pilot else _no_lock(facts) if has.lock_ms is None else None
    if any(topic.startswith(_PILOT) for topic in topics) and name != "auth":
        return None if has.pilot else _NO_PILOT
    if "meter.sample" in topics:
        return _meter(facts, sampled=signal_named(name).kind == "sampled")
    return None


def _no_lock(facts: Facts) -> str:
    if facts.outlet == "cable":
        return "the outlet is a tethered cable: it has no lock to be seen"
    return "the bench has no feedback of the lock (lock_sense)"


def _meter(facts: Facts, *, sampled: bool) -> str | None:
    """A signal that is sampled is not known where two samples are further apart than `meter_max_gap_s`."""
    has = facts.inventory
    if not has.meter:
        return _NO_METER
    apart_s = (has.meter_poll_ms - has.meter_age_ms - has.meter_answer_ms) / 1e3
    if sampled and apart_s > facts.meter_max_gap_s:
        return (
            f"the meter is read every {has.meter_poll_ms / 1e3:g} s, and what lies between two readings more than "
            f"{facts.meter_max_gap_s:g} s apart is not known"
        )
    return None


def _happening(on: Happening, facts: Facts) -> str | None:
    if isinstance(on, Turn):
        return _signal(on.signal, facts)
    reasons = [_topic(topic, on, facts) for topic in on.topics]
    return None if None in reasons else reasons[0]


def _topic(topic: str, on: Occurrence, facts: Facts) -> str | None:
    has = facts.inventory
    if topic == "output":
        return _NO_PILOT if not has.pilot else _NO_SENSE if has.sense_ms is None else None
    if topic == "lock":
        return _NO_PILOT if not has.pilot else _no_lock(facts) if has.lock_ms is None else None
    if topic.startswith(_PILOT):
        return None if has.pilot else _NO_PILOT
    if topic == "meter.sample":
        return _meter(facts, sampled=False)
    if topic.startswith("ev."):
        return None if has.vehicle else "the bench has no vehicle simulator"
    if topic == "dut.alive_without_mains":
        return None if facts.mains_relay is not None else _NO_RELAY
    if topic == "stimulus":
        return _stimulus(on, facts)
    if topic == "csms.charging_profile" and has.profile_unit == "W":
        asked = {test.key for test in on.tests}
        return _WATTS if asked & {"limit_a", "max_limit_a"} else None
    return None


def _stimulus(on: Occurrence, facts: Facts) -> str | None:
    verbs = {value for test in on.tests if test.key == "verb" and test.op == "=" for value in test.values}
    if verbs and verbs <= _SWITCHES and facts.mains_relay is None:
        return _NO_RELAY
    if not facts.inventory.pilot:
        return _NO_PILOT
    if verbs == {"token"} and not facts.inventory.token_reader:
        return "the pilot cannot present a card (token_reader)"
    return None
