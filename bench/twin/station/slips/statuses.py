"""Slips in StatusNotification, and in the events that tell a status."""

from __future__ import annotations

from ..messages import Message
from .kinds import Memory, Slip, status_of, with_status

__all__ = ["STATUSES"]


def _never(status: str, *, after: str | None = None) -> Slip:
    """This status is not told, or no more once another one was."""

    def say(message: Message, memory: Memory) -> list[Message]:
        told = status_of(message)
        if told is None:
            return [message]
        if told not in (status, "Available"):
            memory["busy"] = True
        return [] if told == status and (after is None or memory.get("busy")) else [message]

    return Slip(say)


def _on_zero(message: Message, _memory: Memory) -> list[Message]:
    if message.action != "StatusNotification" or message.payload.get("connectorId") != 1:
        return [message]
    return [message, Message(message.action, {**message.payload, "connectorId": 0})]


def _with_error(message: Message, _memory: Memory) -> list[Message]:
    if message.payload.get("status") != "Charging":
        return [message]
    return [Message(message.action, {**message.payload, "errorCode": "EVCommunicationError"})]


def _called_available(message: Message, _memory: Memory) -> list[Message]:
    if status_of(message) != "Unavailable":
        return [message]
    return [with_status(message, "Available")]


def _charging_at_once(message: Message, _memory: Memory) -> list[Message]:
    if message.payload.get("status") != "Preparing":
        return [message]
    return [message, Message(message.action, {**message.payload, "status": "Charging"})]


STATUSES: dict[str, Slip] = {
    "never-free-again": _never("Available", after="busy"),
    "never-unavailable": _never("Unavailable"),
    "never-reserved": _never("Reserved"),
    "connector-zero": Slip(_on_zero),
    "error-while-charging": Slip(_with_error),
    "unavailable-as-available": Slip(_called_available),
    "charging-at-once": Slip(_charging_at_once),
}
