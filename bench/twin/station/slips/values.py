"""Slips in times and measured values: wrong clock, wrong unit, wrong value; and forms that are merely unusual."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

from ..messages import Message
from .kinds import Memory, Slip

__all__ = ["VALUES"]

_TIMES = frozenset({"timestamp", "generatedAt"})
_REGISTER = "Energy.Active.Import.Register"
_ZONE = timezone(timedelta(hours=2))
_MEASURED = frozenset({"MeterValues", "StopTransaction", "TransactionEvent"})


def _text(moment: datetime, timespec: str = "milliseconds") -> str:
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def _two_hours_ahead(text: str) -> str:
    """Local time of a zone two hours east, called UTC."""
    return _text(datetime.fromisoformat(text) + timedelta(hours=2))


def _whole_seconds(text: str) -> str:
    return _text(datetime.fromisoformat(text).astimezone(UTC), "seconds")


def _with_offset(text: str) -> str:
    return _text(datetime.fromisoformat(text).astimezone(_ZONE))


def _retimed(change: Callable[[str], str]) -> Slip:
    def say(message: Message, _memory: Memory) -> list[Message]:
        return [Message(message.action, _walk(message.payload, change))]

    return Slip(say)


def _walk(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, dict):
        table = cast("dict[str, Any]", node)
        return {
            key: change(value) if key in _TIMES and isinstance(value, str) else _walk(value, change)
            for key, value in table.items()
        }
    if isinstance(node, list):
        parts = cast("list[Any]", node)
        return [_walk(part, change) for part in parts]
    return node


def _sampled(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in [*payload.get("meterValue", []), *payload.get("transactionData", [])]:
        yield from entry["sampledValue"]


def _remeasured(change: Callable[[dict[str, Any], Memory], None]) -> Slip:
    """Changes each sampled value in place."""

    def say(message: Message, memory: Memory) -> list[Message]:
        if message.action not in _MEASURED:
            return [message]
        payload = copy.deepcopy(message.payload)
        for one in _sampled(payload):
            change(one, memory)
        return [Message(message.action, payload)]

    return Slip(say)


def _is_register(one: dict[str, Any]) -> bool:
    return one.get("measurand", _REGISTER) == _REGISTER


def _scale(one: dict[str, Any], factor: float, digits: int) -> None:
    value = float(one["value"]) * factor
    one["value"] = f"{value:.{digits}f}" if isinstance(one["value"], str) else round(value, digits)


def _in_kwh(one: dict[str, Any], _memory: Memory) -> None:
    if _is_register(one):
        _scale(one, 1e-3, 4)
        if "unitOfMeasure" in one:
            one["unitOfMeasure"] = {"unit": "kWh"}
        else:
            one["unit"] = "kWh"


def _kwh_called_wh(one: dict[str, Any], _memory: Memory) -> None:
    if _is_register(one):
        _scale(one, 1e-3, 4)


def _zero(one: dict[str, Any], memory: Memory) -> None:
    if _is_register(one) and one["context"] == "Sample.Periodic":
        memory["n"] = memory.get("n", 0) + 1
        if memory["n"] % 2 == 0:
            _scale(one, 0.0, 1)


def _terse(one: dict[str, Any], _memory: Memory) -> None:
    for key, default in (("measurand", _REGISTER), ("context", "Sample.Periodic"), ("unit", "Wh")):
        if one.get(key) == default:
            del one[key]
    if one.get("unitOfMeasure") == {"unit": "Wh"}:
        del one["unitOfMeasure"]


VALUES: dict[str, Slip] = {
    "two-hours-ahead": _retimed(_two_hours_ahead),
    "whole-seconds": _retimed(_whole_seconds),
    "with-offset": _retimed(_with_offset),
    "in-kwh": _remeasured(_in_kwh),
    "kwh-called-wh": _remeasured(_kwh_called_wh),
    "register-zero": _remeasured(_zero),
    "terse": _remeasured(_terse),
}
