"""Smart charging with a station of OCPP 2.0.1 and 2.1: which profiles it holds, and what vehicles ask for (K)."""

from __future__ import annotations

import msgspec

from ..checks import breach
from ..dialect import Payload
from ..fields import boolean, instance_id, integer, member, objects, string, text
from ..profile_book import InstalledProfile, ProfileBook, exceeds
from ..service import Answers, Asked, FollowUp, Service
from ..settings import Desk
from ..verbs import Caller
from .device_model import DeviceModel
from .report_parts import ReportParts
from .transaction import transaction_id
from .transaction_book import TransactionBook

__all__ = ["ExternalLimit", "ReportedProfile", "SmartCharging"]

NEEDS_PROFILE = 15118
"""Id of the profile that answers a vehicle's needs, plus its outlet."""

PERSISTENCE = "SmartChargingCtrlr.ChargingProfilePersistence[TxProfile]"

PARAMETERS = ("acChargingParameters", "dcChargingParameters", "v2xChargingParameters")


class ExternalLimit(msgspec.Struct, frozen=True):
    """A limit that the station has from elsewhere (K11-K14). `evse` 0: the whole station."""

    evse: int
    source: str
    critical: bool | None
    schedules: tuple[Payload, ...]


class ReportedProfile(msgspec.Struct, frozen=True):
    """One profile of a report (K09)."""

    evse: int | None
    source: str
    payload: Payload


class SmartCharging(Service):
    """Profiles, limits and schedules of one station.

    - `book`: profiles that the back end has put there. `limits`: limits from elsewhere, by outlet and source.
    - `needs`, `ev_schedules`: what the vehicle at an outlet last asked for, and the schedule it chose.
    - `composites`: the last composite schedule that was asked for, by outlet.
    """

    def __init__(self, station: str, desk: Desk, transactions: TransactionBook, model: DeviceModel) -> None:
        super().__init__(station, desk)
        self.book = ProfileBook()
        self.limits: dict[tuple[int, str], ExternalLimit] = {}
        self.needs: dict[int, Payload] = {}
        self.ev_schedules: dict[int, Payload] = {}
        self.composites: dict[int, Payload] = {}
        self.reports = ReportParts(numbered=False)
        self._transactions = transactions
        self._model = model
        self._resumed: set[tuple[str, int | None]] = set()

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {
            "ClearedChargingLimit": lambda _, __: {},
            "NotifyChargingLimit": lambda _, __: {},
            "NotifyEVChargingNeeds": self._needs,
            "NotifyEVChargingSchedule": self._chosen,
            "ReportChargingProfiles": lambda _, __: {},
        }

    def reported(self, request_id: int) -> list[ReportedProfile] | None:
        """The profiles of a report; None until it has come whole."""
        report = self.reports.of(request_id)
        if report is None or not report.complete:
            return None
        return [
            ReportedProfile(integer(part.get("evseId")), text(part.get("chargingLimitSource")), profile)
            for part in report.parts.values()
            for profile in objects(part.get("chargingProfile"))
        ]

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take note of limits, needs, schedules, reports, and of transactions that begin or end."""
        evse = integer(payload.get("evseId")) or 0
        if action == "NotifyChargingLimit":
            limit = member(payload, "chargingLimit")
            source = text(limit.get("chargingLimitSource"))
            told = ExternalLimit(
                evse, source, boolean(limit.get("isGridCritical")), tuple(objects(payload.get("chargingSchedule")))
            )
            self.limits[evse, source] = told
        elif action == "ClearedChargingLimit":
            self.limits.pop((evse, text(payload.get("chargingLimitSource"))), None)
        elif action == "NotifyEVChargingNeeds":
            self.needs[evse] = payload
        elif action == "NotifyEVChargingSchedule" and reply.get("status") == "Accepted":
            self.ev_schedules[evse] = member(payload, "chargingSchedule")
        elif action == "ReportChargingProfiles":
            self.reports.take(payload)
        elif action == "TransactionEvent":
            self._event(payload)
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Take note of profiles that the station took or gave up, and of composite schedules."""
        if answer.get("status") != "Accepted":
            return
        if action == "SetChargingProfile":
            self.book.put(integer(payload.get("evseId")) or 0, member(payload, "chargingProfile"))
        elif action == "RequestStartTransaction" and "chargingProfile" in payload:
            evse, number = integer(payload.get("evseId")) or 0, integer(payload.get("remoteStartId"))
            self.book.put(evse, member(payload, "chargingProfile"), number)
            tx = string(answer.get("transactionId"))
            if tx is not None and number is not None:
                self.book.bind(number, tx)
        elif action == "ClearChargingProfile":
            self.book.cleared(payload)
        elif action == "GetCompositeSchedule":
            schedule = member(answer, "schedule")
            self.composites[integer(schedule.get("evseId")) or 0] = schedule

    def follow(self, action: str, payload: Payload, reply: Payload) -> FollowUp | None:
        """Send the schedule a vehicle needs (K15.FR.07), a new one for one that was too high (K15.FR.13), or profiles
        of a transaction that was resumed (2.1 E17.FR.15)."""
        if action == "NotifyEVChargingNeeds" and reply.get("status") in ("Accepted", "Processing"):
            return self._send(self._wanted(payload))
        if action == "NotifyEVChargingSchedule" and reply.get("status") == "Rejected":
            return self._send(self._of_outlet(payload))
        if action == "TransactionEvent" and payload.get("triggerReason") == "TxResumed":
            event = transaction_id(payload), integer(payload.get("seqNo"))
            if event in self._resumed or not self.desk.settings.policy.resend_profiles:
                return None
            self._resumed.add(event)
            if text(self._model.value(PERSISTENCE)).casefold() != "true":
                return self._send(self.book.for_transaction(event[0]))
        return None

    def refusal(self, payload: Payload) -> str:
        """What a vehicle's needs are answered by when no schedule will come (K15.FR.04)."""
        return "Rejected"

    def kind(self, payload: Payload) -> str:
        """The kind of the profile for a vehicle's needs."""
        return "Relative"

    def _event(self, payload: Payload) -> None:
        tx, number = transaction_id(payload), integer(member(payload, "transactionInfo").get("remoteStartId"))
        if number is not None:
            self.book.bind(number, tx)
        if payload.get("eventType") == "Ended":
            self.book.ended(tx)

    def _needs(self, payload: Payload, how: Asked) -> Payload:
        if not any(name in member(payload, "chargingNeeds") for name in PARAMETERS):
            why = "chargingNeeds has no charging parameters of AC or DC"
            breach(self.desk, self.station, "NotifyEVChargingNeeds", "ParametersMissing", why, "K15.FR.06", how.stamp)
        return {"status": "Accepted" if self._wanted(payload) else self.refusal(payload)}

    def _chosen(self, payload: Payload, how: Asked) -> Payload:
        """A vehicle's schedule: accepted unless it goes beyond what its transaction is allowed (K15.FR.11, .12)."""
        schedule = member(payload, "chargingSchedule")
        number = payload.get("selectedChargingScheduleId", schedule.get("id"))
        for profile in self._of_outlet(payload):
            allowed = objects(profile.payload.get("chargingSchedule"))
            named = next((one for one in allowed if one.get("id") == number), allowed[0] if allowed else {})
            if exceeds(schedule, named):
                return {"status": "Rejected"}
        return {"status": "Accepted"}

    def _of_outlet(self, payload: Payload) -> list[InstalledProfile]:
        """The highest profile of the transaction on an outlet; none when there is none."""
        known = self._transactions.on(instance_id(payload.get("evseId")) or 0)
        return [] if known is None else self.book.for_transaction(known.id)[-1:]

    def _wanted(self, payload: Payload) -> list[InstalledProfile]:
        """What answers the needs of a vehicle: the profile that its transaction has (K16.FR.12), or the policy's."""
        evse = instance_id(payload.get("evseId")) or 0
        known, limit_a = self._transactions.on(evse), self.desk.settings.policy.ev_limit_a
        if known is None:
            return []
        there = self._of_outlet(payload)
        if there or limit_a is None:
            return there
        period: Payload = {"startPeriod": 0, "limit": limit_a}
        schedule: Payload = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
        profile: Payload = {
            "id": NEEDS_PROFILE + evse,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": self.kind(payload),
            "transactionId": known.id,
            "chargingSchedule": [schedule],
        }
        return [InstalledProfile(evse, profile)]

    def _send(self, profiles: list[InstalledProfile]) -> FollowUp | None:
        if not profiles:
            return None

        async def send(caller: Caller) -> None:
            for one in profiles:
                await caller.ask("SetChargingProfile", {"evseId": one.evse, "chargingProfile": one.payload})

        return send
