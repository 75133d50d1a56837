"""Who may ask what in OCPP 1.6 (sections 4 and 5, and the security whitepaper), and how a request looks to the gate."""

from __future__ import annotations

from typing import Any

from ..dialect import Payload, Request, Trigger
from ..fields import instance_id, member, objects, text
from ..limits import bounds, names_in

__all__ = ["INBOUND", "describe", "evse_of", "limits", "text", "triggered", "verdict"]

INBOUND = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DataTransfer",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)
"""Actions a station may ask of a central system."""

PER_CONNECTOR = frozenset({"MeterValues", "StatusNotification"})
SIGNED = {
    "FirmwareStatusNotification": "SignedFirmwareStatusNotification",
    "SignChargePointCertificate": "SignCertificate",
}
"""What the whitepaper's trigger asks for -> the message that comes (ExtendedTriggerMessage, chapter 5)."""

AGREED = frozenset({"Accepted", "Scheduled", "RebootRequired", "Unlocked"})
"""Status words that mean the station does what was asked (a restart later included: it has taken the value)."""


def verdict(answer: Payload, action: str = "") -> tuple[bool, str]:
    """Whether the station agreed; an answer without a status (GetConfiguration) is agreement.

    That to GetDiagnostics is one when it names the file that will come (section 5.9).
    """
    if action == "GetDiagnostics" and not answer.get("fileName"):
        return False, "nothing to upload"
    status = answer.get("status")
    return (True, "") if status is None else (str(status) in AGREED, str(status))


def describe(action: str, payload: Payload) -> Request:
    """The plain arguments of a request, and for the gate every limit in it, wherever it stands.

    Raw calls are seen the same way as verbs, so nothing slips past the gate. To the safe state lead the end of a
    transaction, an outlet out of service, and a limit of 0.
    """
    found = bounds(payload)
    names = {"names": names_in(payload)} if action == "ChangeConfiguration" else {}
    return Request(_args(action, payload), _to_safe(action, payload, found), {**found, **names})


def triggered(action: str, payload: Payload, answer: Payload) -> Trigger | None:
    """An accepted TriggerMessage (or the whitepaper's extended one) promises one message, or one per connector."""
    if action not in ("TriggerMessage", "ExtendedTriggerMessage") or answer.get("status") != "Accepted":
        return None
    message = text(payload.get("requestedMessage"))
    if action == "ExtendedTriggerMessage":
        message = SIGNED.get(message, message)
    return Trigger(message, payload.get("connectorId"), message in PER_CONNECTOR)


def _args(action: str, payload: Payload) -> dict[str, Any]:
    evse = {"evse": payload.get("connectorId")}
    if action == "SetChargingProfile":
        return {**evse, **limits(member(payload, "csChargingProfiles"))}
    if action == "RemoteStartTransaction":
        profile = member(payload, "chargingProfile")
        return {**evse, "id_tag": payload.get("idTag"), **(limits(profile) if profile else {})}
    if action == "RemoteStopTransaction":
        return {"tx": payload.get("transactionId")}
    if action == "ChangeAvailability":
        return {**evse, "type": payload.get("type")}
    if action == "UnlockConnector":
        return evse
    if action in ("TriggerMessage", "ExtendedTriggerMessage"):
        return {**evse, "message": payload.get("requestedMessage")}
    return dict(payload)


def _to_safe(action: str, payload: Payload, found: dict[str, float]) -> bool:
    if action == "SetChargingProfile":
        return bool(found) and not any(found.values())
    ends = action == "RemoteStopTransaction"
    return not any(found.values()) and (ends or (action, payload.get("type")) == ("ChangeAvailability", "Inoperative"))


def limits(profile: Payload) -> dict[str, Any]:
    """First and highest limit of a profile; in `limit_a` or, for a profile in watts, `limit_w`."""
    schedule = member(profile, "chargingSchedule")
    periods = objects(schedule.get("chargingSchedulePeriod"))
    limits = [limit for limit in (period.get("limit") for period in periods) if isinstance(limit, int | float)]
    unit = "w" if schedule.get("chargingRateUnit") == "W" else "a"
    return {
        f"limit_{unit}": limits[0] if limits else None,
        f"max_limit_{unit}": max(limits) if limits else None,
        "purpose": profile.get("chargingProfilePurpose"),
        "tx": profile.get("transactionId"),
    }


def evse_of(payload: Payload) -> int | None:
    """The outlet a payload speaks of; None for connector 0, the station as a whole (1.6 section 3.5)."""
    return instance_id(payload.get("connectorId"))
