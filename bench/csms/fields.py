"""Reads pieces of a payload that may be missing or of any type; nothing here raises."""

from __future__ import annotations

from typing import Any, cast

__all__ = ["Payload", "boolean", "instance_id", "integer", "member", "objects", "security_event", "string", "text"]

Payload = dict[str, Any]
"""What an OCPP message carries, as JSON has it."""


def text(value: Any) -> str:
    """A value as text; a number keeps its digits, nothing is ""."""
    return "" if value is None else str(value)


def string(value: Any) -> str | None:
    """A text as it is; None for anything else."""
    return value if isinstance(value, str) else None


def integer(value: Any) -> int | None:
    """A whole number as it is; None for anything else (also for true and false)."""
    return value if type(value) is int else None


def boolean(value: Any) -> bool | None:
    """True or false as they are; None for anything else."""
    return value if isinstance(value, bool) else None


def instance_id(value: Any) -> int | None:
    """The number of an EVSE or connector, which count from 1; None for 0 (the whole station) and anything else."""
    return value if type(value) is int and value > 0 else None


def member(payload: Any, name: str) -> Payload:
    """An object inside an object; an empty one when there is none."""
    value = cast("Payload", payload).get(name) if isinstance(payload, dict) else None
    return cast("Payload", value) if isinstance(value, dict) else {}


def objects(value: Any) -> list[Payload]:
    """The objects of a list; an empty list when it is none."""
    if not isinstance(value, list):
        return []
    return cast("list[Payload]", [entry for entry in cast("list[Any]", value) if isinstance(entry, dict)])


def security_event(payload: Payload) -> dict[str, Any]:
    """Type, further information and claimed time of a SecurityEventNotification; it is the same in every version."""
    return {name: string(payload.get(field)) for name, field in SECURITY_EVENT.items()}


SECURITY_EVENT = {"type": "type", "info": "techInfo", "claim": "timestamp"}
