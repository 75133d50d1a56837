"""What an event says about whom it concerns: outlet, transaction, token, remote start, message.

Reads the words of the vocabulary and, for raw OCPP calls, the fields of the payloads of OCPP 1.6 and 2.x by name.
An OCPP 2.x message without a connector leaves it unknown; it is never taken to be 1.
"""

from __future__ import annotations

from typing import Any, Literal, TypeGuard, cast

import msgspec

from ...timeline import Event

__all__ = ["Keys", "Role", "keys_of", "phase_of"]

Role = Literal["start", "update", "end", "authorise", "remote_start", "status", "other"]
"""What a message is about; `update` is anything that speaks of a running transaction."""

_CALLS: dict[str, Role] = {
    "Authorize": "authorise",
    "StartTransaction": "start",
    "StopTransaction": "end",
    "MeterValues": "update",
    "StatusNotification": "status",
    "NotifyEvent": "status",
    "RemoteStartTransaction": "remote_start",
    "RequestStartTransaction": "remote_start",
}
_FACTS: dict[str, Role] = {
    "ocpp.authorized": "authorise",
    "ocpp.tx.started": "start",
    "ocpp.tx.updated": "update",
    "ocpp.tx.ended": "end",
    "ocpp.register": "update",
    "ocpp.value": "update",
    "ocpp.status": "status",
    "csms.remote_start": "remote_start",
}
_EVENT_TYPES: dict[str, Role] = {"Started": "start", "Updated": "update", "Ended": "end"}
_PHASES: dict[Role, str] = {"start": "start", "end": "stop", "authorise": "authorise", "remote_start": "authorise"}
_WEIGHT: tuple[Role, ...] = ("start", "end", "update", "remote_start", "authorise", "status", "other")
_STATUS_PHASES = {"Charging": "energise", "Finishing": "stop", "Available": "unplug", "Faulted": "disturbance"}


class Keys(msgspec.Struct, frozen=True):
    """The keys in one event; None where it says nothing.

    - `role`: what the message is about.
    - `evse`: outlet from 1. `token`: idTag or idToken, in one case (1.6 section 7.28: case-insensitive).
    - `tx`: transaction id; None also for a stand-in: a 1.6 station that has no id yet sends a negative number.
    - `remote`: remoteStartId (2.x). `claim`: the time the station claims.
    - `granted`: not a remote start that is only asked for, or that the station refused.
    - `offline`, `seq_no`: what an OCPP 2.x TransactionEvent says of itself.
    """

    role: Role = "other"
    evse: int | None = None
    tx: str | None = None
    token: str | None = None
    remote: str | None = None
    claim: str | None = None
    granted: bool = False
    offline: bool = False
    seq_no: int | None = None

    @property
    def empty(self) -> bool:
        """It names nothing and nobody."""
        return self.evse is None and self.tx is None and self.token is None and self.remote is None

    def joined(self, other: Keys) -> Keys:
        """The keys of two parts of one message."""
        return Keys(
            role=self.role if _WEIGHT.index(self.role) <= _WEIGHT.index(other.role) else other.role,
            evse=self.evse if self.evse is not None else other.evse,
            tx=self.tx or other.tx,
            token=self.token or other.token,
            remote=self.remote or other.remote,
            claim=self.claim or other.claim,
            granted=self.granted or other.granted,
            offline=self.offline or other.offline,
            seq_no=self.seq_no if self.seq_no is not None else other.seq_no,
        )


def keys_of(event: Event) -> Keys:
    """The keys of an event of the station or the back end."""
    if event.topic in ("ocpp.call", "ocpp.result"):
        return _message_keys(event)
    data = event.data
    role = _FACTS.get(event.topic, "other")
    return Keys(
        role=role,
        evse=event.evse,
        tx=_tx(data.get("tx")),
        token=_token(data.get("id_tag")),
        remote=_text(data.get("remote_start_id")),
        claim=_text(data.get("claim")),
        granted=role != "remote_start" or data.get("accepted") is True,
        offline=bool(data.get("offline")),
        seq_no=_int(data.get("seq_no")),
    )


def phase_of(event: Event, keys: Keys) -> str:
    """The phase a fact of the protocol track begins; "" for one that leaves it as it is."""
    if event.topic == "ocpp.status":
        return _STATUS_PHASES.get(str(event.data.get("status")), "")
    if event.topic == "ocpp.problem" and event.data.get("active"):
        return "disturbance"
    if event.topic in ("ocpp.register", "ocpp.value", "ocpp.tx.updated") or event.data.get("action") == "MeterValues":
        return "meter"
    if event.topic == "csms.remote_stop" or event.data.get("action") in (
        "RemoteStopTransaction",
        "RequestStopTransaction",
    ):
        return "stop"
    return _PHASES.get(keys.role, "")


def _message_keys(event: Event) -> Keys:
    payload = _object(event.data.get("payload"))
    action = str(event.data.get("action"))
    info = _object(payload.get("transactionInfo"))
    outlet = _object(payload.get("evse"))
    # 2.x names the outlet by evseId; its connectorId counts within the outlet.
    evse = payload.get("evseId", outlet.get("id"))
    if evse is None and "evse" not in payload:
        evse = payload.get("connectorId")
    profile = _object(payload.get("csChargingProfiles") or payload.get("chargingProfile"))
    told = payload.get("transactionId", info.get("transactionId", profile.get("transactionId")))
    remote = payload.get("remoteStartId", info.get("remoteStartId"))
    role = _CALLS.get(action, "other")
    if action == "TransactionEvent":
        role = _EVENT_TYPES.get(str(payload.get("eventType")), "update")
    return Keys(
        role=role,
        evse=evse if _is_int(evse) and evse > 0 else None,
        tx=_tx(told),
        token=_token(payload.get("idTag", payload.get("idToken"))),
        remote=_text(remote),
        claim=_text(payload.get("timestamp")),
        granted=role != "remote_start" or payload.get("status") == "Accepted",
        offline=bool(payload.get("offline")),
        seq_no=_int(payload.get("seqNo")),
    )


def _tx(value: object) -> str | None:
    """The transaction id as text; None for nothing and for a stand-in."""
    if value is None or value == "" or (isinstance(value, int) and value < 0):
        return None
    return str(value)


def _token(value: object) -> str | None:
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("idToken")
    return value.casefold() if isinstance(value, str) and value else None


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)


def _int(value: object) -> int | None:
    return value if _is_int(value) else None


def _is_int(value: object) -> TypeGuard[int]:
    return type(value) is int


def _object(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
