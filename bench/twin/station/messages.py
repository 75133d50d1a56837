"""A message of OCPP without its frame, and what answers one. Keys are written as on the wire, in every version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["Answers", "Message", "Payload", "Reply", "member"]

Payload = Mapping[str, Any]


class Message(NamedTuple):
    """A request of the station."""

    action: str
    payload: dict[str, Any]


class Reply(NamedTuple):
    """The answer to a request; `then` runs once it has been sent, so that the answer always goes first."""

    payload: dict[str, Any]
    then: Callable[[], None] | None = None


Answers = Mapping[str, Callable[[Payload], Reply | Awaitable[Reply]]]
"""Action -> who answers it."""


def member(payload: Payload, name: str) -> Payload:
    """An object inside a payload; empty when it is not there."""
    found: Payload = payload.get(name) or {}
    return found
