"""What a rule reads: the topics that can change its verdict."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from .language.aggregates import AGGREGATE_TOPICS
from .language.rule import Agree, Amount, AnyRule, Cadence, Condition, Extension, Occurrence, Order, Test, Turn
from .language.signals import CONFIG, SIGNALS, Signal, feeds

__all__ = ["CLAIM_TOPICS", "DISTURBANCES", "family", "lag_ns", "reads", "signals_in"]

DISTURBANCES = frozenset({"gap", "twin.overrun", "bench.state", "clock.anchor", "source", "ocpp.connected"})
"""Read for every rule: they qualify verdicts, or say which rules are about the station."""

CLAIM_TOPICS = frozenset(
    {
        "ocpp.status",
        "ocpp.tx.started",
        "ocpp.tx.updated",
        "ocpp.tx.ended",
        "ocpp.register",
        "ocpp.value",
        "ocpp.clock",
        "csms.remote_start",
        "csms.remote_stop",
    }
)
"""What the estimate of the station's clock is made from."""


def reads(rule: AnyRule, own: Mapping[str, Signal] | None = None) -> frozenset[str]:
    """The topics of the events that a rule has to see, without disturbances; `own`: the signals of its pack."""
    found = _reads(rule)
    return found.union(*(own[name].topics for name in signals_in(rule) if name in own)) if own else found


@functools.lru_cache(maxsize=2048)
def signals_in(rule: AnyRule) -> frozenset[str]:
    """The signals that a rule names."""
    return frozenset(part.signal for part in _parts(rule) if isinstance(part, Turn | Condition | Extension))


def lag_ns(rule: AnyRule, signals: Mapping[str, Signal], max_gap_ns: int) -> int:
    """So much later than its event what a rule asks of a signal may become known: an edge that has to last, a hole.

    `max_gap_ns`: of the bench's meter. Samples that are judged, or answer, one by one need no such time.
    """
    late = 0
    for part in _parts(rule):
        if not isinstance(part, Turn | Condition | Extension):
            continue
        reading = signals[part.signal].reading if part.signal in signals else None
        if reading is None:
            continue
        one_by_one = any(part is getattr(rule, name, None) for name in ("holds", "response", "not_before"))
        if part.signal in SIGNALS:
            late = max(late, 0 if one_by_one else max_gap_ns)
        elif not (one_by_one and reading.kind in ("sampled", "register") and reading.numeric):
            late = max(late, reading.lag_ns)
    return late


@functools.lru_cache(maxsize=2048)
def _reads(rule: AnyRule) -> frozenset[str]:
    found: set[str] = set()
    for part in _parts(rule):
        match part:
            case Occurrence():
                found.update(part.topics)
            case Turn() | Condition() | Extension() if part.signal in SIGNALS or part.signal.startswith(CONFIG):
                found |= feeds(part.signal)
            case Amount() if part.of.startswith("config.") or part.plus.startswith("config."):
                found |= {"station.config", "csms.setting", "ocpp.boot"}
            case Test() if any(isinstance(value, str) and value.startswith("$limit_a") for value in part.values):
                found |= feeds("profile")
            case _:
                pass
    if "csms.charging_profile" in found:
        found |= feeds("profile")  # its limit is what all accepted profiles allow together
    if found & {"csms.remote_stop", "ocpp.tx.ended"} or "tx" in rule.per:
        found |= feeds("tx")  # the outlet of a stop is where its transaction runs
    if rule.at == "claim":
        found |= CLAIM_TOPICS | feeds("auth")
    if isinstance(rule, Cadence) and rule.every == "heartbeat.interval":
        found |= {"ocpp.boot.answered", "station.config", "csms.setting", "csms.request"} | feeds("online")
    elif isinstance(rule, Cadence) and (rule.every or rule.apart).startswith("config."):
        found |= {"station.config", "csms.setting", "ocpp.boot"}
    if isinstance(rule, Order) and rule.then:
        found.add("ocpp.boot")  # without one, what comes first may lie before the record
    if isinstance(rule, Agree):
        found |= AGGREGATE_TOPICS[rule.left] | AGGREGATE_TOPICS[rule.right]
        found |= CLAIM_TOPICS | feeds("auth") | feeds("output")
    return frozenset(found)


def family(topic: str) -> str:
    """The family of sources that speak of a topic: rules that read the same families wait for the same sources."""
    head = topic.partition(".")[0]
    return _FAMILY.get(head, head)


_FAMILY = {"cp": "pilot", "output": "pilot", "lock": "pilot", "pp": "pilot", "csms": "ocpp", "station": "ocpp"}


def _parts(node: object) -> Iterator[msgspec.Struct]:
    if isinstance(node, msgspec.Struct):
        yield node
        for name in node.__struct_fields__:
            yield from _parts(getattr(node, name))
    elif isinstance(node, tuple):
        for item in cast("tuple[object, ...]", node):
            yield from _parts(item)
