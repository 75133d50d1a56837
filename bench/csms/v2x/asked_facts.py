"""What a 2.x station answered to a request of the back end, as events of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..dialect import Fact, Payload
from ..fields import boolean, instance_id, member, objects, string, text
from .requests import describe, limits, verdict
from .transactions import id_token
from .variables import variable_name

__all__ = ["asked_facts", "profile_fact"]

RESETS = {"Immediate": "soft", "OnIdle": "idle", "ImmediateAndResume": "resume"}
"""Immediate ends transactions in order before it restarts (B12.FR.04), as 1.6 does at a soft reset."""


def asked_facts(station: str, action: str, payload: Payload, answer: Payload) -> Iterator[Fact]:
    """The events of one request and its answer; none for a request that has no topic of its own."""
    accepted, status = verdict(answer)
    said: dict[str, Any] = {"accepted": accepted, "status": status}
    args = describe(action, payload).args
    # Requests name the outlet by `evseId`, or by an object when a connector matters too.
    place = member(payload, "evse")
    evse = instance_id(place.get("id") if "evse" in payload else payload.get("evseId"))
    connector = place.get("connectorId") if "evse" in payload else payload.get("connectorId")

    def fact(topic: str, at: int | None, /, **data: Any) -> Fact:
        return Fact(topic, {"station": station, **data}, at)

    if action == "SetChargingProfile":
        profile = member(payload, "chargingProfile")
        numbers = {"stack_level": profile.get("stackLevel"), "profile_id": profile.get("id")}
        yield profile_fact(station, evse, {**limits(profile), **numbers, **said})
    elif action == "ClearChargingProfile":
        yield fact("csms.profile_cleared", instance_id(args.get("evse")), args=args, **said)
    elif action == "RequestStartTransaction":
        id_tag, started = args["id_tag"], string(answer.get("transactionId"))
        number = payload.get("remoteStartId")
        known = {"connector": None, "id_tag": id_tag, "remote_start_id": number, "tx": started}
        yield fact("csms.remote_start", evse, **known, **said)
        if accepted:
            # F01.FR.02: with AuthCtrlr.AuthorizeRemoteStart=false the request is the authorisation.
            granted = {"id_tag": id_tag, "status": "Accepted", "accepted": True, "how": "remote", "tx": started}
            yield fact("ocpp.authorized", evse, **granted)
    elif action == "RequestStopTransaction":
        yield fact("csms.remote_stop", None, tx=args["tx"], **said)
    elif action == "Reset":
        kind = payload.get("type")
        yield fact("csms.reset", evse, type=kind, logical=RESETS.get(text(kind)), **said)
    elif action == "ChangeAvailability":
        operative = payload.get("operationalStatus") == "Operative"
        named = connector if evse is not None else 0
        yield fact("csms.availability", evse, connector=named, operative=operative, **said)
    elif action == "UnlockConnector":
        yield fact("csms.unlock", evse, connector=connector, **said)
    elif action == "TriggerMessage":
        yield fact("csms.trigger", evse, connector=connector, message=args["message"], **said)
    elif action == "ReserveNow":
        what = {"reservation": payload.get("id"), "verb": "reserve", "id_tag": id_token(payload)}
        yield fact("csms.reservation", evse, connector=None, **what, expires=payload.get("expiryDateTime"), **said)
    elif action == "CancelReservation":
        what = {"reservation": payload.get("reservationId"), "verb": "cancel", "id_tag": None, "expires": None}
        yield fact("csms.reservation", None, connector=None, **what, **said)
    elif action == "GetTransactionStatus":
        # The indicator is left out when no transaction was named (E14.FR.06).
        states = {"ongoing": answer.get("ongoingIndicator"), "messages_in_queue": answer.get("messagesInQueue")}
        known = {name: boolean(state) for name, state in states.items()}
        yield fact("csms.tx_status", None, tx=args["tx"], **known, **said)
    elif action == "SendLocalList":
        known = {"version": payload.get("versionNumber"), "update": payload.get("updateType")}
        number = len(objects(payload.get("localAuthorizationList")))
        yield fact("csms.local_list", None, **known, entries=number, **said)
    elif action == "SetVariables":
        yield from _settings(station, payload, answer)


def profile_fact(station: str, evse: int | None, data: dict[str, Any]) -> Fact:
    """A charging profile; limits in two units leave the limit in ampere open."""
    known = {"station": station, "connector": None, "limit_a": None, **data}
    if "limit_w" in known:
        known["limit_a"] = None
    known.pop("evse", None)
    return Fact("csms.charging_profile", known, evse)


def _settings(station: str, payload: Payload, answer: Payload) -> Iterator[Fact]:
    """One event for each result, with the value that was to be written."""
    wanted = {variable_name(entry).casefold(): entry for entry in objects(payload.get("setVariableData"))}
    for result in objects(answer.get("setVariableResult")):
        name = variable_name(result)
        entry = wanted.get(name.casefold())
        accepted, status = verdict({"setVariableResult": [result]})
        data: dict[str, Any] = {"key": name if entry is None else variable_name(entry)}
        data |= {"value": None if entry is None else entry.get("attributeValue"), "accepted": accepted}
        yield Fact("csms.setting", {"station": station, **data, "status": status})
