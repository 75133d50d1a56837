"""Who may ask what in OCPP 1.6 (sections 4 and 5, and the security whitepaper), and how a request looks to the gate."""

from __future__ import annotations

from typing import Any

from ..dialect import Payload, Request
from ..fields import instance_id, member, objects, text

__all__ = ["INBOUND", "describe", "evse_of", "text", "verdict"]

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

AGREED = frozenset({"Accepted", "Scheduled", "RebootRequired", "Unlocked"})
"""Status words that mean the station does what was asked (a restart later included: it has taken the value)."""


def verdict(answer: Payload) -> tuple[bool, str]:
    """Whether the station agreed; an answer without a status (GetConfiguration) is agreement."""
    status = answer.get("status")
    return (True, "") if status is None else (str(status) in AGREED, str(status))


def describe(action: str, payload: Payload) -> Request:
    """The plain arguments of a request. Raw calls are seen the same way as verbs, so nothing slips past the gate."""
    if action == "SetChargingProfile":
        return Request({"evse": payload.get("connectorId"), **_limits(member(payload, "csChargingProfiles"))})
    if action == "RemoteStartTransaction":
        profile = member(payload, "chargingProfile")
        args: dict[str, Any] = {"evse": payload.get("connectorId"), "id_tag": payload.get("idTag")}
        return Request({**args, **_limits(profile)} if profile else args)
    if action == "RemoteStopTransaction":
        return Request({"tx": payload.get("transactionId")}, to_safe=True)
    if action == "ChangeAvailability":
        kind = payload.get("type")
        return Request({"evse": payload.get("connectorId"), "type": kind}, to_safe=kind == "Inoperative")
    if action == "UnlockConnector":
        return Request({"evse": payload.get("connectorId")})
    if action == "TriggerMessage":
        return Request({"evse": payload.get("connectorId"), "message": payload.get("requestedMessage")})
    return Request(dict(payload))


def _limits(profile: Payload) -> dict[str, Any]:
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
