"""Slips in answers to the back end: what is promised and not done, and what is said of transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..messages import Payload
from .kinds import Slip

__all__ = ["ANSWERS"]

_ACCEPTED: dict[str, Any] = {"status": "Accepted"}


def _called(was: str, becomes: str) -> Callable[[Payload, dict[str, Any]], dict[str, Any]]:
    def change(_request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "status": becomes} if answer.get("status") == was else answer

    return change


def _ongoing(said: bool) -> Callable[[Payload, dict[str, Any]], dict[str, Any]]:
    def change(_request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
        if "ongoingIndicator" not in answer:
            return answer
        return {**answer, "ongoingIndicator": said, "messagesInQueue": False}

    return change


def _says_without_id(request: Payload, answer: dict[str, Any]) -> dict[str, Any]:
    return answer if "transactionId" in request else {**answer, "ongoingIndicator": False}


ANSWERS: dict[str, Slip] = {
    "stop-is-talk": Slip(instead={"RemoteStopTransaction": _ACCEPTED, "RequestStopTransaction": _ACCEPTED}),
    "unlock-is-talk": Slip(instead={"UnlockConnector": {"status": "Unlocked"}}),
    "availability-is-talk": Slip(instead={"ChangeAvailability": _ACCEPTED}),
    "scheduled-as-accepted": Slip(
        answers={
            "ChangeAvailability": _called("Scheduled", "Accepted"),
            "Reset": _called("Scheduled", "Accepted"),
        }
    ),
    "any-stop-accepted": Slip(answers={"RequestStopTransaction": _called("Rejected", "Accepted")}),
    "ended-as-ongoing": Slip(answers={"GetTransactionStatus": _ongoing(True)}),
    "ongoing-as-ended": Slip(answers={"GetTransactionStatus": _ongoing(False)}),
    "ongoing-without-id": Slip(answers={"GetTransactionStatus": _says_without_id}),
}
