"""What a station of OCPP 1.6 answered to a request of the back end, as events of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialect import Fact, Payload
from ..fields import member, objects, text
from .actions import describe, evse_of, limits, verdict

__all__ = ["asked_facts"]

RESETS = {"Hard": "hard", "Soft": "soft"}


def asked_facts(station: str, action: str, payload: Payload, answer: Payload) -> Iterator[Fact]:
    """The events of one request and its answer; none for a request that has no topic of its own."""
    accepted, status = verdict(answer)
    said: dict[str, Any] = {"accepted": accepted, "status": status}
    args, evse = describe(action, payload).args, evse_of(payload)
    place = {"connector": payload.get("connectorId")}

    def fact(topic: str, at: int | None, /, **data: Any) -> Fact:
        return Fact(topic, {"station": station, **data}, at)

    if action == "SetChargingProfile":
        profile = member(payload, "csChargingProfiles")
        data = {**place, "limit_a": None, **limits(profile), **said}
        data |= {"stack_level": profile.get("stackLevel"), "profile_id": profile.get("chargingProfileId")}
        yield fact("csms.charging_profile", evse, **data)
    elif action == "ClearChargingProfile":
        yield fact("csms.profile_cleared", evse, args=args, **said)
    elif action == "RemoteStartTransaction":
        id_tag = args["id_tag"]
        yield fact("csms.remote_start", evse, **place, id_tag=id_tag, remote_start_id=None, tx=None, **said)
        if accepted:
            # Section 5.11: with AuthorizeRemoteTxRequests=false the request is the authorisation.
            granted = {"id_tag": id_tag, "status": "Accepted", "accepted": True, "how": "remote", "tx": None}
            yield fact("ocpp.authorized", evse, **granted)
    elif action == "RemoteStopTransaction":
        yield fact("csms.remote_stop", None, tx=args["tx"], **said)
    elif action == "Reset":
        kind = text(payload.get("type"))
        yield fact("csms.reset", None, type=payload.get("type"), logical=RESETS.get(kind), **said)
    elif action == "ChangeAvailability":
        yield fact("csms.availability", evse, **place, operative=payload.get("type") == "Operative", **said)
    elif action == "UnlockConnector":
        yield fact("csms.unlock", evse, **place, **said)
    elif action in ("TriggerMessage", "ExtendedTriggerMessage"):
        yield fact("csms.trigger", evse, **place, message=payload.get("requestedMessage"), **said)
    elif action == "ReserveNow":
        what = {"reservation": payload.get("reservationId"), "verb": "reserve", "id_tag": payload.get("idTag")}
        yield fact("csms.reservation", evse, **place, **what, expires=payload.get("expiryDate"), **said)
    elif action == "CancelReservation":
        what = {"reservation": payload.get("reservationId"), "verb": "cancel", "id_tag": None, "expires": None}
        yield fact("csms.reservation", None, connector=None, **what, **said)
    elif action == "ChangeConfiguration":
        yield fact("csms.setting", None, key=payload.get("key"), value=payload.get("value"), **said)
    elif action == "SendLocalList":
        known = {"version": payload.get("listVersion"), "update": payload.get("updateType")}
        number = len(objects(payload.get("localAuthorizationList")))
        yield fact("csms.local_list", None, **known, entries=number, **said)
