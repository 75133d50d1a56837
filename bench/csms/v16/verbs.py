"""Requests to a station of OCPP 1.6 (sections 5.1-5.18)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ..dialect import Payload
from ..verbs import Answer, Caller, Purpose
from .actions import text

__all__ = ["Verbs16"]

PURPOSES: dict[str, str] = {
    "station": "ChargePointMaxProfile",
    "default": "TxDefaultProfile",
    "transaction": "TxProfile",
}


class Verbs16:
    """See `verbs.Verbs`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def remote_start(self, evse: int | None, id_tag: str, *, limit_a: float | None = None) -> Answer:
        """RemoteStartTransaction; the limit goes with it as a TxProfile (section 5.16.2)."""
        payload: Payload = {"idTag": id_tag} if evse is None else {"connectorId": evse, "idTag": id_tag}
        if limit_a is not None:
            payload["chargingProfile"] = profile(limit_a, "transaction")
        return await self._caller.ask("RemoteStartTransaction", payload)

    async def remote_stop(self, tx: int | str) -> Answer:
        """RemoteStopTransaction."""
        return await self._caller.ask("RemoteStopTransaction", {"transactionId": int(tx)})

    async def set_charging_profile(
        self,
        evse: int,
        limit_a: float,
        *,
        tx: int | str | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int = 1,
        phases: int | None = None,
    ) -> Answer:
        """SetChargingProfile with one period without end. `limit_a`: 0 or more, in steps of 0.1 A."""
        chosen: Purpose = purpose or ("default" if tx is None else "transaction")
        body = profile(limit_a, chosen, stack_level=stack_level, profile_id=profile_id, phases=phases)
        if tx is not None:
            body["transactionId"] = int(tx)
        return await self._caller.ask("SetChargingProfile", {"connectorId": evse, "csChargingProfiles": body})

    async def clear_charging_profile(
        self,
        *,
        evse: int | None = None,
        profile_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Answer:
        """ClearChargingProfile; its answer Unknown means that nothing fitted (section 5.5)."""
        wanted = {
            "id": profile_id,
            "connectorId": evse,
            "chargingProfilePurpose": None if purpose is None else PURPOSES[purpose],
            "stackLevel": stack_level,
        }
        return await self._caller.ask("ClearChargingProfile", _given(wanted))

    async def get_configuration(self, keys: list[str] | None = None) -> dict[str, str]:
        """GetConfiguration; a key without a value is "", an unknown one is not in the result."""
        answer = await self._caller.ask("GetConfiguration", {} if keys is None else {"key": keys})
        entries: list[Payload] = answer.payload.get("configurationKey") or []
        return {text(entry.get("key")): text(entry.get("value")) for entry in entries}

    async def change_configuration(self, key: str, value: str) -> Answer:
        """ChangeConfiguration; read back when Accepted (a write-only key is not)."""
        answer = await self._caller.ask("ChangeConfiguration", {"key": key, "value": value})
        if answer.status == "Accepted" and key.casefold() != "authorizationkey":
            await self.get_configuration([key])
        return answer

    async def trigger(self, message: str, evse: int | None = None) -> Answer:
        """TriggerMessage."""
        return await self._caller.ask("TriggerMessage", _given({"requestedMessage": message, "connectorId": evse}))

    async def reset(self, kind: Literal["Soft", "Hard"] = "Soft") -> Answer:
        """Reset."""
        return await self._caller.ask("Reset", {"type": kind})

    async def change_availability(self, evse: int, operative: bool) -> Answer:
        """ChangeAvailability; Scheduled (after the transaction) counts as accepted."""
        kind = "Operative" if operative else "Inoperative"
        return await self._caller.ask("ChangeAvailability", {"connectorId": evse, "type": kind})

    async def unlock(self, evse: int) -> Answer:
        """UnlockConnector; accepted when the station says Unlocked."""
        return await self._caller.ask("UnlockConnector", {"connectorId": evse})

    async def data_transfer(self, vendor: str, message: str | None = None, data: str | None = None) -> Answer:
        """DataTransfer."""
        return await self._caller.ask("DataTransfer", _given({"vendorId": vendor, "messageId": message, "data": data}))

    async def call(
        self, action: str, payload: Payload, *, timeout_s: float | None = None, validate: bool = True
    ) -> Payload:
        """Any request as it is."""
        return (await self._caller.ask(action, payload, timeout_s=timeout_s, validate=validate)).payload

    async def identify(self) -> None:
        """A triggered BootNotification tells vendor and model (section 5.17)."""
        await self.trigger("BootNotification")

    async def read_back(self) -> None:
        """All keys at once (section 5.8: an empty list means all)."""
        await self.get_configuration()


def profile(
    limit_a: float, purpose: Purpose, *, stack_level: int = 0, profile_id: int = 1, phases: int | None = None
) -> Payload:
    """A ChargingProfile with one period that starts at once and has no end.

    For transactions it is Relative to their start; the station's profile has none to relate to
    (section 3.13.1) and is Absolute, begun a minute ago so that a clock a little behind has begun it too.
    """
    period = _given({"startPeriod": 0, "limit": round(float(limit_a), 6), "numberPhases": phases})
    schedule: Payload = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    if purpose == "station":
        begun = datetime.now(UTC) - timedelta(minutes=1)
        schedule["startSchedule"] = begun.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        "chargingProfileId": profile_id,
        "stackLevel": stack_level,
        "chargingProfilePurpose": PURPOSES[purpose],
        "chargingProfileKind": "Absolute" if purpose == "station" else "Relative",
        "chargingSchedule": schedule,
    }


def _given(values: dict[str, Any]) -> Payload:
    return {key: value for key, value in values.items() if value is not None}
