"""Slips in the messages of a transaction: order, numbers, names, reasons, missing and doubled ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ..messages import Message
from .kinds import Memory, Slip, transaction_kind

__all__ = ["TRANSACTIONS"]

_STATES = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})


def _edited(change: Callable[[dict[str, Any], Memory], None], *actions: str) -> Slip:
    """Changes the payload of these actions in place."""

    def say(message: Message, memory: Memory) -> list[Message]:
        if message.action not in (actions or ("TransactionEvent",)):
            return [message]
        payload = copy.deepcopy(message.payload)
        change(payload, memory)
        return [Message(message.action, payload)]

    return Slip(say)


def _skips(payload: dict[str, Any], _memory: Memory) -> None:
    payload["seqNo"] *= 2


def _same_id(payload: dict[str, Any], memory: Memory) -> None:
    payload["transactionInfo"]["transactionId"] = memory.setdefault("id", payload["transactionInfo"]["transactionId"])


def _no_start(payload: dict[str, Any], _memory: Memory) -> None:
    if payload["eventType"] == "Started":
        payload["eventType"] = "Updated"


def _no_evse(payload: dict[str, Any], _memory: Memory) -> None:
    payload.pop("evse", None)


def _no_remote_start_id(payload: dict[str, Any], _memory: Memory) -> None:
    payload["transactionInfo"].pop("remoteStartId", None)


def _never_charging(payload: dict[str, Any], _memory: Memory) -> None:
    if payload["transactionInfo"].get("chargingState") == "Charging":
        payload["transactionInfo"]["chargingState"] = "EVConnected"


def _no_offline_flag(payload: dict[str, Any], _memory: Memory) -> None:
    payload.pop("offline", None)


def _as_change_of_state(trigger: str) -> Slip:
    """An event with this trigger calls itself a mere change of the charging state."""

    def change(payload: dict[str, Any], _memory: Memory) -> None:
        if payload["triggerReason"] == trigger:
            payload["triggerReason"] = "ChargingStateChanged"

    return _edited(change)


def _always_charging(payload: dict[str, Any], memory: Memory) -> None:
    """Once it charged, whatever suspends it is not told."""
    info = payload.get("transactionInfo", payload)
    key = "status" if info is payload else "chargingState"
    if info.get(key) == "Charging":
        memory["charged"] = True
    elif info.get(key) in _STATES and memory.get("charged"):
        info[key] = "Charging"


def _as_local(*reasons: str) -> Slip:
    """The driver's own stop is given as the reason in place of these."""

    def change(payload: dict[str, Any], _memory: Memory) -> None:
        info = payload.get("transactionInfo", payload)
        key = "reason" if info is payload else "stoppedReason"
        if info.get(key) in reasons:
            info[key] = "Local"
            if "triggerReason" in payload:
                payload["triggerReason"] = "StopAuthorized"

    return _edited(change, "StopTransaction", "TransactionEvent")


def _as_change(*triggers: str) -> Slip:
    """An event of these is told as any change of state."""

    def change(payload: dict[str, Any], _memory: Memory) -> None:
        if payload["eventType"] == "Updated" and payload["triggerReason"] in triggers:
            payload["triggerReason"] = "ChargingStateChanged"

    return _edited(change)


def _limit_while_charging(payload: dict[str, Any], _memory: Memory) -> None:
    if payload["triggerReason"].endswith("LimitReached"):
        payload["transactionInfo"]["chargingState"] = "Charging"


def _as_reboot(payload: dict[str, Any], _memory: Memory) -> None:
    if payload["transactionInfo"].get("stoppedReason") == "PowerLoss":
        payload["transactionInfo"]["stoppedReason"] = "Reboot"


def _end_twice(message: Message, _memory: Memory) -> list[Message]:
    if transaction_kind(message) != "Ended":
        return [message]
    again = copy.deepcopy(message.payload)
    if "seqNo" in again:
        again["seqNo"] += 1
    return [message, Message(message.action, again)]


def _end_as_state_change(trigger: str) -> Slip:
    """The end is told, and what led to it is not."""

    def change(payload: dict[str, Any], _memory: Memory) -> None:
        if payload["eventType"] == "Ended" and payload["triggerReason"] == trigger:
            payload["triggerReason"] = "ChargingStateChanged"

    return _edited(change)


def _plug_not_told(payload: dict[str, Any], _memory: Memory) -> None:
    if payload["eventType"] == "Updated" and payload["triggerReason"] == "CablePluggedIn":
        payload["triggerReason"] = "ChargingStateChanged"


def _end_in_two(message: Message, _memory: Memory) -> list[Message]:
    """First what leads to the end, then the end."""
    if transaction_kind(message) != "Ended" or "triggerReason" not in message.payload:
        return [message]
    why, end = copy.deepcopy(message.payload), copy.deepcopy(message.payload)
    why["eventType"] = "Updated"
    for where, key in ((why, "meterValue"), (why["transactionInfo"], "stoppedReason"), (end, "idToken")):
        where.pop(key, None)
    end["seqNo"] += 1
    end["triggerReason"] = "ChargingStateChanged"
    return [Message(message.action, why), Message(message.action, end)]


def _no_end_by_reset(message: Message, _memory: Memory) -> list[Message]:
    return [] if message.payload.get("reason") in ("SoftReset", "HardReset") else [message]


def _asks_to_stop(message: Message, _memory: Memory) -> list[Message]:
    if message.action == "StopTransaction" and "idTag" in message.payload:
        return [Message("Authorize", {"idTag": message.payload["idTag"]}), message]
    return [message]


def _available_at_the_end(message: Message, _memory: Memory) -> list[Message]:
    """As if the end of the transaction were the end of the visit."""
    if transaction_kind(message) != "Ended" or "transactionInfo" not in message.payload:
        return [message]
    stamp = message.payload["timestamp"]
    return [
        message,
        Message(
            "StatusNotification",
            {"timestamp": stamp, "connectorStatus": "Available", "evseId": 1, "connectorId": 1},
        ),
    ]


def _tells_of_the_lock(message: Message, _memory: Memory) -> list[Message]:
    """With the start of a transaction: the lock has failed."""
    if transaction_kind(message) != "Started" or "evse" not in message.payload:
        return [message]
    stamp = message.payload["timestamp"]
    failed = {
        "eventId": 9001,
        "timestamp": stamp,
        "trigger": "Delta",
        "actualValue": "true",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "ConnectorPlugRetentionLock", "evse": message.payload["evse"]},
        "variable": {"name": "Problem"},
    }
    return [message, Message("NotifyEvent", {"generatedAt": stamp, "seqNo": 0, "tbc": False, "eventData": [failed]})]


TRANSACTIONS: dict[str, Slip] = {
    "seq-skips": _edited(_skips),
    "same-tx-id": _edited(_same_id),
    "no-started": _edited(_no_start),
    "no-evse": _edited(_no_evse),
    "no-remote-start-id": _edited(_no_remote_start_id),
    "never-charging": _edited(_never_charging),
    "always-charging": _edited(_always_charging, "TransactionEvent", "StatusNotification"),
    "no-offline-flag": _edited(_no_offline_flag),
    "remote-as-local": _as_local("Remote"),
    "unplug-as-local": _as_local("EVDisconnected"),
    "unplug-unnamed": _as_change_of_state("EVCommunicationLost"),
    "refusal-unnamed": _as_change_of_state("Deauthorized"),
    "reset-as-local": _as_local("ImmediateReset"),
    "reset-untold": _as_change("ResetCommand"),
    "resumption-untold": _as_change("TxResumed"),
    "limit-while-charging": _edited(_limit_while_charging),
    "power-loss-as-reboot": _edited(_as_reboot),
    "end-twice": Slip(_end_twice),
    "plug-not-told": _edited(_plug_not_told),
    "end-in-two": Slip(_end_in_two),
    "stop-unexplained": _end_as_state_change("StopAuthorized"),
    "fault-unexplained": _end_as_state_change("AbnormalCondition"),
    "no-end-by-reset": Slip(_no_end_by_reset),
    "asks-to-stop": Slip(_asks_to_stop, between_s=0.2),
    "available-at-the-end": Slip(_available_at_the_end),
    "tells-of-the-lock": Slip(_tells_of_the_lock),
    "two-at-once": Slip(beside=frozenset({"MeterValues", "TransactionEvent"})),
}
