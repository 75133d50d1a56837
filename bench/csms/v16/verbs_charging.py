"""Start, stop and limit charging by OCPP 1.6 (sections 5.5, 5.7, 5.11, 5.12, 5.16)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import instance_id, integer, member, objects, text
from ..verbs import Answer, Caller, Period, Purpose, Schedule, Tx, Unit
from ..verbs.charging import own_id
from ..verbs.wire import amps_of, given, purpose_of, utc_text

__all__ = ["Charging16"]

PURPOSES: dict[str, str] = {
    "station": "ChargePointMaxProfile",
    "default": "TxDefaultProfile",
    "transaction": "TxProfile",
}


class Charging16:
    """See `verbs.Charging`."""

    _caller: Caller
    _ids: Iterator[int]

    async def remote_start(
        self,
        evse: int | None,
        id_token: str,
        *,
        limit_a: float | None = None,
        token_type: str = "ISO14443",
        group: str | None = None,
    ) -> Answer:
        """RemoteStartTransaction; the limit goes with it as a TxProfile (section 5.16.2)."""
        payload: Payload = given({"connectorId": evse, "idTag": id_token})
        if limit_a is not None:
            payload["chargingProfile"] = profile(limit_a, "transaction")
        return await self._caller.ask("RemoteStartTransaction", payload)

    async def remote_stop(self, tx: Tx) -> Answer:
        """RemoteStopTransaction."""
        return await self._caller.ask("RemoteStopTransaction", {"transactionId": transaction_id(tx)})

    async def set_limit(
        self,
        amps: float,
        *,
        evse: int = 1,
        tx: Tx | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int | None = None,
        phases: int | None = None,
    ) -> Answer:
        """SetChargingProfile with one period without end. A ChargePointMaxProfile goes to connector 0 (3.13.1)."""
        chosen: Purpose = purpose or ("default" if tx is None else "transaction")
        number = own_id(chosen, evse) if profile_id is None else profile_id
        body = profile(amps, chosen, stack_level=stack_level, profile_id=number, phases=phases)
        if tx is not None and chosen == "transaction":
            body["transactionId"] = transaction_id(tx)
        place = 0 if chosen == "station" else evse
        return await self._caller.ask("SetChargingProfile", {"connectorId": place, "csChargingProfiles": body})

    async def clear_limits(
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
            "chargingProfilePurpose": None if purpose is None else purpose_of(purpose, PURPOSES),
            "stackLevel": stack_level,
        }
        return await self._caller.ask("ClearChargingProfile", given(wanted))

    async def composite_schedule(self, evse: int, duration_s: int, *, unit: Unit | None = None) -> Schedule:
        """GetCompositeSchedule (section 5.7)."""
        wanted = given({"connectorId": evse, "duration": duration_s, "chargingRateUnit": unit})
        answer = await self._caller.ask("GetCompositeSchedule", wanted)
        schedule = member(answer.payload, "chargingSchedule")
        return Schedule(
            accepted=answer.accepted,
            status=answer.status,
            evse=evse,
            unit=text(schedule.get("chargingRateUnit")) or unit or "A",
            start=text(answer.payload.get("scheduleStart") or schedule.get("startSchedule")),
            duration_s=integer(schedule.get("duration")) or duration_s,
            periods=tuple(_period(entry) for entry in objects(schedule.get("chargingSchedulePeriod"))),
            payload=answer.payload,
        )


def profile(
    limit_a: float, purpose: Purpose, *, stack_level: int = 0, profile_id: int = 1, phases: int | None = None
) -> Payload:
    """A ChargingProfile with one period that starts at once and has no end.

    For transactions it is Relative to their start; the station's profile has none to relate to
    (section 3.13.1) and is Absolute, begun a minute ago so that a clock a little behind has begun it too.
    """
    period = given({"startPeriod": 0, "limit": amps_of(limit_a), "numberPhases": phases})
    schedule: Payload = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    if purpose == "station":
        schedule["startSchedule"] = utc_text(timedelta(minutes=1))
    return {
        "chargingProfileId": profile_id,
        "stackLevel": stack_level,
        "chargingProfilePurpose": purpose_of(purpose, PURPOSES),
        "chargingProfileKind": "Absolute" if purpose == "station" else "Relative",
        "chargingSchedule": schedule,
    }


def transaction_id(tx: Tx) -> int:
    """The number of a transaction.

    Raises:
        CsmsError: it is none.
    """
    try:
        return int(tx)
    except ValueError as exc:
        raise CsmsError(f"{tx!r} is no transaction of OCPP 1.6: there they are whole numbers.") from exc


def _period(entry: Payload) -> Period:
    limit = entry.get("limit")
    return Period(
        integer(entry.get("startPeriod")) or 0,
        float(limit) if isinstance(limit, int | float) else None,
        instance_id(entry.get("numberPhases")),
    )
