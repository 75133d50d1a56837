"""What a slip is: a function on a message on its way out, or on an answer, and nothing of the station's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..messages import Message, Payload

__all__ = ["Memory", "Slip", "status_of", "transaction_kind"]

Memory = dict[str, Any]
"""What a slip remembers from one message to the next; its own, empty at first."""


def _as_it_is(message: Message, memory: Memory) -> list[Message]:
    return [message]


def _nothing_heard() -> dict[str, Callable[[Payload], Payload]]:
    return {}


def _no_answers() -> dict[str, Callable[[Payload, dict[str, Any]], dict[str, Any]]]:
    return {}


def _nothing_recalled() -> dict[str, Callable[[Payload, dict[str, Any], Memory], dict[str, Any]]]:
    return {}


@dataclass(frozen=True)
class Slip:
    """One way to say something wrong.

    - `say(message, memory)`: the messages that are sent in place of one; none is a message that is never sent.
    - `heard[action](request)`: what the station takes a request of the back end for.
    - `answers[action](request, answer)`: the answer to a request of the back end, changed.
    - `recalled[action](request, answer, memory)`: as `answers`, of a slip that has to know what was said before.
    - `instead[action]`: the answer to a request with which nothing else is done.
    - `between_s`: seconds between the messages that are sent in place of one, so that nobody can doubt their order.
    - `beside`: the action of a request behind which a second one is sent at once, as no station may.
    """

    say: Callable[[Message, Memory], list[Message]] = _as_it_is
    heard: dict[str, Callable[[Payload], Payload]] = field(default_factory=_nothing_heard)
    answers: dict[str, Callable[[Payload, dict[str, Any]], dict[str, Any]]] = field(default_factory=_no_answers)
    recalled: dict[str, Callable[[Payload, dict[str, Any], Memory], dict[str, Any]]] = field(
        default_factory=_nothing_recalled
    )
    instead: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    between_s: float = 0.0
    beside: frozenset[str] = frozenset()


def status_of(message: Message) -> str | None:
    """The status that a message tells of connector 1, None when it tells none."""
    if message.action == "StatusNotification":
        if message.payload.get("connectorId") == 0:
            return None
        return str(message.payload.get("connectorStatus") or message.payload.get("status"))
    if message.action == "NotifyEvent":
        for one in message.payload["eventData"]:
            if one["variable"]["name"] == "AvailabilityState":
                return str(one["actualValue"])
    return None


def transaction_kind(message: Message) -> str | None:
    """Started, Updated or Ended of a TransactionEvent; StartTransaction and StopTransaction are Started and Ended."""
    if message.action == "TransactionEvent":
        return str(message.payload["eventType"])
    return {"StartTransaction": "Started", "StopTransaction": "Ended"}.get(message.action)
