"""Slips in answers to the back end: what is promised and not done, and what is said of transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..messages import Message, Payload
from .kinds import Memory, Slip

__all__ = ["ANSWERS"]

_ACCEPTED: dict[str, Any] = {"status": "Accepted"}


def _called(was: str, becomes: str) -> Callable[[Payload, dict[str, Any]], dict[str, Any]]:
    def change(_request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "status": becomes} if answer.get("status") == was else answer

    return change


def _taken_for(key: str, was: str, becomes: str) -> Callable[[Payload], Payload]:
    def change(request: Payload) -> Payload:
        return {**request, key: becomes} if request.get(key) == was else request

    return change


def _ongoing(said: bool) -> Callable[[Payload, dict[str, Any]], dict[str, Any]]:
    def change(_request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
        if "ongoingIndicator" not in answer:
            return answer
        return {**answer, "ongoingIndicator": said, "messagesInQueue": False}

    return change


def _says_without_id(request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
    return answer if "transactionId" in request else {**answer, "ongoingIndicator": False}


def _notes_transactions(message: Message, memory: Memory) -> list[Message]:
    if message.action == "TransactionEvent":
        memory.setdefault("ids", set()).add(message.payload["transactionInfo"]["transactionId"])
    return [message]


def _knows_every(request: Payload, answer: dict[str, Any], memory: Memory) -> dict[str, Any]:
    """Of a transaction that it never told of, it says that it goes on."""
    if "transactionId" not in request or request["transactionId"] in memory.get("ids", ()):
        return answer
    return {**answer, "ongoingIndicator": True}


ANSWERS: dict[str, Slip] = {
    "stop-is-talk": Slip(instead={"RemoteStopTransaction": _ACCEPTED, "RequestStopTransaction": _ACCEPTED}),
    "trigger-is-talk": Slip(instead={"TriggerMessage": _ACCEPTED}),
    "start-is-talk": Slip(instead={"RequestStartTransaction": _ACCEPTED}),
    "unlock-is-talk": Slip(instead={"UnlockConnector": {"status": "Unlocked"}}),
    "availability-is-talk": Slip(instead={"ChangeAvailability": _ACCEPTED}),
    "scheduled-as-accepted": Slip(answers={"ChangeAvailability": _called("Scheduled", "Accepted")}),
    "reset-as-accepted": Slip(answers={"Reset": _called("Scheduled", "Accepted")}),
    "reset-is-talk": Slip(instead={"Reset": _ACCEPTED}),
    "puts-reset-off": Slip(heard={"Reset": _taken_for("type", "Immediate", "OnIdle")}),
    "does-not-wait": Slip(
        heard={"Reset": _taken_for("type", "OnIdle", "Immediate")},
        answers={"Reset": _called("Accepted", "Scheduled")},
    ),
    "any-reset-accepted": Slip(answers={"Reset": _called("Rejected", "Accepted")}),
    "any-start-accepted": Slip(answers={"RequestStartTransaction": _called("Rejected", "Accepted")}),
    "any-stop-accepted": Slip(answers={"RequestStopTransaction": _called("Rejected", "Accepted")}),
    "stop-refused": Slip(instead={"RequestStopTransaction": {"status": "Rejected"}}),
    "unknown-as-ongoing": Slip(_notes_transactions, recalled={"GetTransactionStatus": _knows_every}),
    "ended-as-ongoing": Slip(answers={"GetTransactionStatus": _ongoing(True)}),
    "ongoing-as-ended": Slip(answers={"GetTransactionStatus": _ongoing(False)}),
    "ongoing-without-id": Slip(answers={"GetTransactionStatus": _says_without_id}),
}
