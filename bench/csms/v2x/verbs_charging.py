"""Start, stop and limit charging by OCPP 2.x (use cases F01-F03, K01, K08-K10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import msgspec

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import instance_id, integer, member, objects, text
from ..verbs import Answer, Caller, Period, Purpose, Schedule, Tx, Unit
from ..verbs.charging import own_id
from ..verbs.wire import amps_of, given, purpose_of, utc_text

__all__ = ["Charging2x", "profile", "token"]

PURPOSES: Mapping[str, str] = {
    "station": "ChargingStationMaxProfile",
    "default": "TxDefaultProfile",
    "transaction": "TxProfile",
}


class Charging2x:
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
        """RequestStartTransaction; the limit goes with it as a TxProfile without a transactionId (F01.FR.08-11)."""
        number = next(self._ids)
        payload = given(
            {
                "evseId": evse or None,
                "idToken": token(id_token, token_type),
                "groupIdToken": None if group is None else token(group, token_type),
                "remoteStartId": number,
                "chargingProfile": None if limit_a is None else profile(limit_a, "transaction"),
            }
        )
        answer = await self._caller.ask("RequestStartTransaction", payload)
        return msgspec.structs.replace(answer, request_id=number)

    async def remote_stop(self, tx: Tx) -> Answer:
        """RequestStopTransaction."""
        return await self._caller.ask("RequestStopTransaction", {"transactionId": str(tx)})

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
        """SetChargingProfile with one schedule of one period. A ChargingStationMaxProfile goes to EVSE 0.

        Raises:
            CsmsError: the limit of a transaction was asked for without its id (K01.FR.03).
        """
        chosen = self._chosen(purpose, tx)
        number = own_id(chosen, evse) if profile_id is None else profile_id
        body = profile(amps, chosen, stack_level=stack_level, profile_id=number, phases=phases, tx=tx)
        return await self._set(0 if chosen == "station" else evse, body)

    async def clear_limits(
        self,
        *,
        evse: int | None = None,
        profile_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Answer:
        """ClearChargingProfile; its answer Unknown means that nothing fitted (K10.FR.01).

        A request has to name a profile or something that it shall have (K10.FR.02): without arguments one request
        goes out for each purpose, and the answer is accepted when one of them cleared anything. With `profile_id`
        nothing else counts (K10.FR.03).
        """
        if profile_id is not None:
            return await self._caller.ask("ClearChargingProfile", {"chargingProfileId": profile_id})
        if evse is None and purpose is None and stack_level is None:
            answers = [await self._clear({"chargingProfilePurpose": word}) for word in PURPOSES.values()]
            return next((answer for answer in answers if answer.accepted), answers[-1])
        named = None if purpose is None else purpose_of(purpose, PURPOSES)
        return await self._clear(given({"evseId": evse, "chargingProfilePurpose": named, "stackLevel": stack_level}))

    async def composite_schedule(self, evse: int, duration_s: int, *, unit: Unit | None = None) -> Schedule:
        """GetCompositeSchedule (K08); EVSE 0: what the whole station draws from the grid."""
        wanted = given({"evseId": evse, "duration": duration_s, "chargingRateUnit": unit})
        answer = await self._caller.ask("GetCompositeSchedule", wanted)
        schedule = member(answer.payload, "schedule")
        return Schedule(
            accepted=answer.accepted,
            status=answer.status,
            evse=evse,
            unit=text(schedule.get("chargingRateUnit")) or unit or "A",
            start=text(schedule.get("scheduleStart")),
            duration_s=integer(schedule.get("duration")) or duration_s,
            periods=tuple(_period(entry) for entry in objects(schedule.get("chargingSchedulePeriod"))),
            payload=answer.payload,
        )

    async def get_profiles(
        self,
        *,
        evse: int | None = None,
        profile_id: int | None = None,
        purpose: Purpose | None = None,
        stack_level: int | None = None,
    ) -> Answer:
        """GetChargingProfiles (K09); "NoProfiles" is no agreement: nothing will be reported."""
        number = next(self._ids)
        criterion = {
            "chargingProfileId": None if profile_id is None else [profile_id],
            "chargingProfilePurpose": None if purpose is None else purpose_of(purpose, PURPOSES),
            "stackLevel": stack_level,
        }
        wanted = {"requestId": number, "evseId": evse, "chargingProfile": given(criterion)}
        answer = await self._caller.ask("GetChargingProfiles", given(wanted))
        return msgspec.structs.replace(answer, request_id=number)

    async def _clear(self, criteria: Payload) -> Answer:
        return await self._caller.ask("ClearChargingProfile", {"chargingProfileCriteria": criteria})

    async def _set(self, evse: int, body: Payload) -> Answer:
        return await self._caller.ask("SetChargingProfile", {"evseId": evse, "chargingProfile": body})

    def _chosen(self, purpose: Purpose | None, tx: Tx | None) -> Purpose:
        chosen: Purpose = purpose or ("default" if tx is None else "transaction")
        if chosen == "transaction" and tx is None:
            raise CsmsError("the limit of a transaction needs its id in OCPP 2.x (`tx`); give it, or another purpose.")
        return chosen


def profile(
    limit_a: float,
    purpose: Purpose,
    *,
    stack_level: int = 0,
    profile_id: int = 1,
    phases: int | None = None,
    tx: Tx | None = None,
) -> Payload:
    """A ChargingProfile with one period that starts at once and has no end.

    For transactions it is Relative to their start. That of the station may not be (K01.FR.38): it is Absolute, begun
    a minute ago so that a clock a little behind has begun it too.
    """
    station = purpose == "station"
    schedule = {
        "id": 1,
        "startSchedule": utc_text(timedelta(minutes=1)) if station else None,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [given({"startPeriod": 0, "limit": amps_of(limit_a), "numberPhases": phases})],
    }
    body = {
        "id": profile_id,
        "stackLevel": stack_level,
        "chargingProfilePurpose": purpose_of(purpose, PURPOSES),
        "chargingProfileKind": "Absolute" if station else "Relative",
        "transactionId": str(tx) if tx is not None and purpose == "transaction" else None,
        "chargingSchedule": [given(schedule)],
    }
    return given(body)


def token(id_token: str, kind: str) -> Payload:
    """An IdTokenType."""
    return {"idToken": id_token, "type": kind}


def _period(entry: Payload) -> Period:
    limit = entry.get("limit")
    return Period(
        integer(entry.get("startPeriod")) or 0,
        float(limit) if isinstance(limit, int | float) else None,
        instance_id(entry.get("numberPhases")),
    )
