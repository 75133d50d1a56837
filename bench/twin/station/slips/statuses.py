"""Slips in StatusNotification, and in the events that tell a status."""

from __future__ import annotations

from ..messages import Message
from .kinds import Memory, Slip, status_of

__all__ = ["STATUSES"]


def _never_again(message: Message, memory: Memory) -> list[Message]:
    """Available is told until anything else was."""
    told = status_of(message)
    if told is None:
        return [message]
    memory["busy"] = memory.get("busy", False) or told != "Available"
    return [] if told == "Available" and memory["busy"] else [message]


def _on_zero(message: Message, _memory: Memory) -> list[Message]:
    if message.action != "StatusNotification" or message.payload.get("connectorId") != 1:
        return [message]
    return [message, Message(message.action, {**message.payload, "connectorId": 0})]


def _with_error(message: Message, _memory: Memory) -> list[Message]:
    if message.payload.get("status") != "Charging":
        return [message]
    return [Message(message.action, {**message.payload, "errorCode": "EVCommunicationError"})]


def _charging_at_once(message: Message, _memory: Memory) -> list[Message]:
    if message.payload.get("status") != "Preparing":
        return [message]
    return [message, Message(message.action, {**message.payload, "status": "Charging"})]


STATUSES: dict[str, Slip] = {
    "never-free-again": Slip(_never_again),
    "connector-zero": Slip(_on_zero),
    "error-while-charging": Slip(_with_error),
    "charging-at-once": Slip(_charging_at_once),
}
