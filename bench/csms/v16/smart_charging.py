"""Smart charging with a station of OCPP 1.6: which profiles it holds, and what it says they come to (section 3.13)."""

from __future__ import annotations

from ..dialect import Payload
from ..fields import integer, member, text
from ..profile_book import ProfileBook
from ..service import Service
from ..settings import Desk

__all__ = ["SmartCharging16"]


class SmartCharging16(Service):
    """Profiles of one station. `book`: written as in 2.x. `composites`: the last answer of each connector."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.book = ProfileBook()
        self.composites: dict[int, Payload] = {}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """A transaction that ended takes its profiles along (section 3.13.1)."""
        if action == "StopTransaction":
            self.book.ended(text(payload.get("transactionId")))
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Take note of profiles that the station took or gave up, and of composite schedules."""
        if answer.get("status") != "Accepted":
            return
        connector = integer(payload.get("connectorId"))
        if action == "SetChargingProfile":
            self.book.put(connector or 0, _as_in_2x(member(payload, "csChargingProfiles")))
        elif action == "ClearChargingProfile":
            purpose, level = payload.get("chargingProfilePurpose"), payload.get("stackLevel")
            wanted = {"evseId": connector, "chargingProfilePurpose": purpose, "stackLevel": level}
            criteria = {name: value for name, value in wanted.items() if value is not None}
            self.book.cleared({"chargingProfileId": payload.get("id"), "chargingProfileCriteria": criteria})
        elif action == "GetCompositeSchedule":
            self.composites[integer(answer.get("connectorId")) or 0] = answer


def _as_in_2x(profile: Payload) -> Payload:
    kept = {name: value for name, value in profile.items() if name not in ("chargingProfileId", "chargingSchedule")}
    if "transactionId" in kept:
        kept["transactionId"] = text(kept["transactionId"])
    return {"id": profile.get("chargingProfileId"), **kept, "chargingSchedule": [member(profile, "chargingSchedule")]}
