"""The options of a rule in a pack: which pattern has which, and how their text is read and written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from ...timeline import did_you_mean
from .grammar import (
    Names,
    SentenceError,
    parse_amount,
    parse_conditions,
    parse_happenings,
    parse_values,
    write_amount,
    write_condition,
    write_happening,
    write_values,
)
from .rule import Absent, AnyRule, Condition, Extension, Occurrence
from .signals import SIGNALS, Signal

__all__ = ["HEAD_OPTIONS", "OPTIONS", "read_option", "write_options"]

HEAD_OPTIONS = (
    "text", "ref", "cases", "ocpp", "per", "at", "subject", "severity", "force", "decision", "when", "arm", "disarm",
)  # fmt: skip
OPTIONS: dict[str, tuple[str, ...]] = {
    "respond": ("within", "after", "extend", "already", "hold", "proven", "unless", "until"),
    "absent": ("within", "until", "settle", "settle_from"),
    "invariant": ("settle",),
    "order": ("settle",),
    "cadence": ("tolerance",),
    "count": (),
    "agree": ("tolerance", "kind", "min"),
}
"""Pattern -> the options that it has beside those of every rule."""

_EXTEND = re.compile(r"(.+?)\s+if\s+(\S+)\s+changed\s+within\s+(.+)")
_FIELD = {"min": "minimum"}


def read_option(key: str, value: object, fields: Mapping[str, Any], names: Names) -> tuple[str, Any]:
    """The field of the rule that an option sets, and its value.

    `fields`: what the sentence gave. Raises ValueError (SentenceError with the place) when it cannot be read.
    """
    reader = _READERS.get(key)
    if reader is None:
        return _FIELD.get(key, key), value
    if key in ("cases", "ocpp", "per") and isinstance(value, list):
        items = cast("list[object]", value)
        if not all(isinstance(item, str) for item in items):
            raise ValueError(f"{key} is a list of texts")
        return key, tuple(cast("list[str]", items))
    if not isinstance(value, str):
        raise ValueError(f"{key} = {value!r} is no text")
    return key, reader(value, fields, names)


def _time(text: str, _: Mapping[str, Any], names: Names) -> Any:
    return parse_amount(text, "time", names)


def _span(text: str, _: Mapping[str, Any], names: Names) -> str:
    found = parse_amount(text, "time", names)
    if found.plus or found.minus or found.of.startswith("$"):
        raise ValueError("one limit or one time with its unit")
    return found.of


def _all(text: str, _: Mapping[str, Any], names: Names) -> Any:
    return parse_conditions(text, names, "and")


def _any(text: str, _: Mapping[str, Any], names: Names) -> Any:
    return parse_conditions(text, names, "or")


def _events(text: str, _: Mapping[str, Any], names: Names) -> Any:
    found = parse_happenings(text, names)
    if not all(isinstance(item, Occurrence) for item in found):
        raise SentenceError("events are meant here, no edges of signals", text, 0, len(text))
    return found


def _words(text: str, _: Mapping[str, Any], __: Names) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _settle_from(text: str, fields: Mapping[str, Any], names: Names) -> Any:
    scope = fields.get("scope")
    if not isinstance(scope, Condition):
        raise ValueError("settle_from goes with a scope (`… while …`)")
    return parse_values(text, scope.signal, names)


def _extend(text: str, _: Mapping[str, Any], names: Names) -> Extension:
    match = _EXTEND.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"extend = {text!r} is not of the form 'TIME if SIGNAL changed within TIME'")
    by, signal, within = match.groups()
    names.signal(signal)
    return Extension(_span(by, {}, names), signal, _span(within, {}, names))


def _tolerance(text: str, fields: Mapping[str, Any], names: Names) -> str:
    for dimension in ("share", "energy", "time"):
        try:
            found = parse_amount(text, dimension, names)
        except ValueError:
            continue
        if not (found.plus or found.minus or found.by):
            return found.of
    parse_amount(text, "time" if "event" in fields else "share", names)
    raise ValueError("a tolerance is one limit or one number with its unit")


_READERS: dict[str, Callable[[str, Mapping[str, Any], Names], Any]] = {
    "cases": _words,
    "ocpp": _words,
    "per": _words,
    "when": _all,
    "unless": _any,
    "arm": _events,
    "disarm": _events,
    "until": _events,
    "within": _time,
    "after": _time,
    "hold": _span,
    "settle": _span,
    "settle_from": _settle_from,
    "extend": _extend,
    "tolerance": _tolerance,
}


def unknown_option(key: str, pattern: str) -> str:
    """What to say of an option that the pattern does not have."""
    known = (*HEAD_OPTIONS, *OPTIONS[pattern])
    return f"unknown key {key!r}{did_you_mean(key, known)}; a {pattern} rule has {', '.join(sorted(known))}"


def write_options(rule: AnyRule, pattern: str, signals: Mapping[str, Signal] = SIGNALS) -> dict[str, Any]:
    """The options of a rule that differ from their defaults, as they stand in a pack."""
    written: dict[str, Any] = {}
    for key in (*HEAD_OPTIONS, *OPTIONS[pattern]):
        field = _FIELD.get(key, key)
        value = getattr(rule, field)
        info = next(item for item in _fields(type(rule)) if item[0] == field)
        if value == info[1]:
            continue
        written[key] = _written(key, value, rule, signals)
    return written


def _fields(kind: type[AnyRule]) -> list[tuple[str, Any]]:
    import msgspec

    return [(item.name, item.default) for item in msgspec.structs.fields(kind)]


def _written(key: str, value: Any, rule: AnyRule, signals: Mapping[str, Signal]) -> Any:
    match key:
        case "cases" | "ocpp":
            return list(value)
        case "per":
            return ", ".join(value)
        case "when":
            return " and ".join(write_condition(item, signals) for item in value)
        case "unless":
            return " or ".join(write_condition(item, signals) for item in value)
        case "arm" | "disarm" | "until":
            return " or ".join(write_happening(item, signals) for item in value)
        case "within" | "after":
            return write_amount(value)
        case "extend":
            return f"{value.by} if {value.signal} changed within {value.within}"
        case "settle_from":
            assert isinstance(rule, Absent)
            assert rule.scope is not None
            return write_values(rule.scope.signal, value, signals)
        case _:
            return value
