"""How a request to a 2.x station looks to the gate, and how its answers are read."""

from __future__ import annotations

from typing import Any

from ..dialect import Payload, Request, Trigger
from ..fields import instance_id, integer, member, objects, text
from ..limits import bounds, names_in
from .transactions import id_token
from .variables import variable_name

__all__ = ["REPORTS", "describe", "limits", "numbers", "report_part", "triggered", "verdict"]

AGREED = frozenset(
    {"Accepted", "AcceptedCanceled", "RebootRequired", "Scheduled", "Unlocked", "Unpublished"},
)
"""Status words that mean the station does what was asked (at once, later, or after a restart)."""

RESULTS = {
    "setVariableResult": "attributeStatus",
    "setMonitoringResult": "status",
    "clearMonitoringResult": "status",
    "clearTariffsResult": "status",
}
"""Answers with a status for each part: their list, and where the status stands in it."""

LIMITS = ("limit", "limit_L2", "limit_L3", "setpoint", "setpoint_L2", "setpoint_L3")
"""Fields of a period that let current flow to the vehicle (all but the first: 2.1)."""

REPORTS = {
    "GetBaseReport": "NotifyReport",
    "GetReport": "NotifyReport",
    "GetMonitoringReport": "NotifyMonitoringReport",
    "CustomerInformation": "NotifyCustomerInformation",
    "GetChargingProfiles": "ReportChargingProfiles",
    "GetDisplayMessages": "NotifyDisplayMessages",
}
"""Requests that make the station send a report, in one message or several."""

PER_EVSE = frozenset({"MeterValues", "StatusNotification", "TransactionEvent"})
CERTIFICATES = frozenset(
    {"SignChargingStationCertificate", "SignV2GCertificate", "SignV2G20Certificate", "SignCombinedCertificate"}
)


def verdict(answer: Payload) -> tuple[bool, str]:
    """Whether the station agreed, and its word for it.

    Of an answer with several parts: agreed to all, else the first word that is no agreement. An answer
    without a status (GetVariables, GetTransactionStatus) is agreement.
    """
    for name, field in RESULTS.items():
        if name in answer:
            words = [text(entry.get(field)) for entry in objects(answer[name])]
            refused = [word for word in words if word not in AGREED]
            return (not refused and bool(words)), (refused or words or [""])[0]
    status = answer.get("status")
    return (True, "") if status is None else (str(status) in AGREED, str(status))


def describe(action: str, payload: Payload, unit: str | None = None, phases: int | None = None) -> Request:
    """The plain arguments of a request, and for the gate every limit and setting in it, wherever it stands.

    Raw calls are seen the same way as verbs, so nothing slips past the gate. To the safe state lead the end of a
    transaction, an outlet out of service, and a limit of 0. `unit` and `phases` are those of limits that come without
    (2.1 UpdateDynamicSchedule). The controls of SetDERControl are percentages of what the station can do anyway.
    """
    found = {} if action == "SetDERControl" else bounds(payload, unit, phases)
    names = {"names": names_in(payload)} if action == "SetVariables" else {}
    return Request(_args(action, payload), _to_safe(action, payload, found), {**found, **names})


def _args(action: str, payload: Payload) -> dict[str, Any]:
    evse = member(payload, "evse")
    if action == "SetChargingProfile":
        return {"evse": payload.get("evseId"), **limits(member(payload, "chargingProfile"))}
    if action == "RequestStartTransaction":
        profile = member(payload, "chargingProfile")
        args: dict[str, Any] = {"evse": payload.get("evseId"), "id_tag": id_token(payload)}
        args["remote_start_id"] = payload.get("remoteStartId")
        return {**args, **limits(profile)} if profile else args
    if action == "RequestStopTransaction":
        return {"tx": payload.get("transactionId")}
    if action == "ChangeAvailability":
        # Without an EVSE it is about the whole station (G03, G04).
        place = {"evse": evse.get("id", 0), "connector": evse.get("connectorId")}
        return {**place, "type": payload.get("operationalStatus")}
    if action == "UnlockConnector":
        return {"evse": payload.get("evseId"), "connector": payload.get("connectorId")}
    if action == "TriggerMessage":
        return {"evse": evse.get("id"), "message": _message(payload)}
    if action == "ClearChargingProfile":
        wanted = member(payload, "chargingProfileCriteria")
        args = {
            "profile_id": payload.get("chargingProfileId"),
            "evse": wanted.get("evseId"),
            "purpose": wanted.get("chargingProfilePurpose"),
            "stack_level": wanted.get("stackLevel"),
        }
        return {key: value for key, value in args.items() if value is not None}
    if action == "SetVariables":
        entries = objects(payload.get("setVariableData"))
        return {"settings": {variable_name(entry): entry.get("attributeValue") for entry in entries}}
    if action == "SetDERControl":
        return {name: payload.get(name) for name in ("controlId", "controlType", "isDefault")}
    if action == "GetTransactionStatus":
        return {"tx": payload.get("transactionId")}
    return dict(payload)


def _to_safe(action: str, payload: Payload, found: dict[str, float]) -> bool:
    if action in ("SetChargingProfile", "UpdateDynamicSchedule"):
        return bool(found) and not any(found.values())
    if any(found.values()):
        return False
    inoperative = (action, payload.get("operationalStatus")) == ("ChangeAvailability", "Inoperative")
    return action == "RequestStopTransaction" or inoperative


def limits(profile: Payload) -> dict[str, Any]:
    """First and highest limit of a profile, `limit_a` and `max_limit_a` or for watts `limit_w` and `max_limit_w`.

    Of several schedules (ISO 15118 offers the vehicle a choice) the highest counts, and where they are in
    different units both stand.
    """
    found: dict[str, list[int | float]] = {}
    for schedule in objects(profile.get("chargingSchedule")):
        unit = "w" if schedule.get("chargingRateUnit") == "W" else "a"
        found.setdefault(unit, [])
        for period in [*objects(schedule.get("chargingSchedulePeriod")), member(schedule, "limitAtSoC")]:
            found[unit] += numbers(period)
    args: dict[str, Any] = {}
    for unit, listed in (found or {"a": []}).items():
        args |= {f"limit_{unit}": next(iter(listed), None), f"max_limit_{unit}": max(listed, default=None)}
    return {**args, "purpose": profile.get("chargingProfilePurpose"), "tx": profile.get("transactionId")}


def numbers(period: Payload) -> list[int | float]:
    """Limits and set points of a period, those that are there."""
    values = [period.get(name) for name in LIMITS]
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def triggered(action: str, payload: Payload, answer: Payload) -> Trigger | None:
    """What the station has just promised to send.

    An accepted TriggerMessage promises one message, or one for every EVSE when it names none (F06.FR.11); an
    accepted request for a report all its parts, each known by request and number (B07.FR.04).
    """
    if answer.get("status") != "Accepted":
        return None
    if action in REPORTS:
        return Trigger(REPORTS[action], None, per_connector=True)
    if action != "TriggerMessage":
        return None
    message, evse = _message(payload), member(payload, "evse")
    if message in CERTIFICATES:
        return Trigger("SignCertificate")
    place, connector = instance_id(evse.get("id")), instance_id(evse.get("connectorId"))
    if message == "StatusNotification":
        # A status is asked for one connector (F06.FR.13); a station may take a request that names none (F06.FR.12).
        named = None if place is None or connector is None else (place, connector)
        return Trigger(message, named, per_connector=True)
    # For a message that belongs to no EVSE a named one is of no account (F06.FR.03).
    return Trigger(message, place if message in PER_EVSE else None, message in PER_EVSE)


def report_part(payload: Payload) -> tuple[int | None, int | None]:
    """What tells one part of a report from another."""
    return integer(payload.get("requestId")), integer(payload.get("seqNo"))


def _message(payload: Payload) -> str:
    """The message asked for; a custom trigger (2.1 F06.FR.18) by its own name."""
    message = text(payload.get("requestedMessage"))
    return text(payload.get("customTrigger")) if message == "CustomTrigger" else message
