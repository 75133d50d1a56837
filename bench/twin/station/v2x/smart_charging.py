"""Charging profiles (use cases K01, K08 to K10; 2.1 also K28, dynamic profiles)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..clock import text_of
from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts
from ..profiles import STATION_MAX, Profile, ampere, total

__all__ = ["SmartCharging2x"]


class SmartCharging2x:
    """Answers requests; `answers` says which."""

    def __init__(self, version: str, parts: Parts) -> None:
        self._parts = parts
        self._version = version
        self.answers: Answers = {
            "SetChargingProfile": self._set,
            "ClearChargingProfile": self._clear,
            "GetChargingProfiles": self._get,
            "GetCompositeSchedule": self._composite,
        }
        if version == "2.1":
            self.answers = {**self.answers, "UpdateDynamicSchedule": self._update}

    def install(self, evse: int, data: Payload, *, starting: bool) -> bool:
        """Install a profile; `starting`: it came with a remote start."""
        posts = self._parts.posts
        outlet = posts.named(evse)[0].outlet
        try:
            profile = Profile.parse(evse, data, phases=outlet.phases)
            if starting and profile.purpose != "TxProfile":
                return False
            if profile.purpose == "TxProfile" and not starting:
                running = outlet.transaction
                # K01.FR.03: the transaction is named; K01.FR.09, K01.FR.33
                if running is None or profile.transaction_id != running.id:
                    return False
            if profile.kind == "Dynamic" and "dynUpdateTime" not in data:
                profile = replace(profile, raw={**data, "dynUpdateTime": self._parts.clock.stamp()})
            posts.install(profile)
        except ValueError:
            return False
        return True

    def _set(self, payload: Payload) -> Reply:
        evse = payload["evseId"]
        known = bool(self._parts.posts.named(evse))
        accepted = known and self.install(evse, payload["chargingProfile"], starting=False)
        return Reply({"status": "Accepted" if accepted else "Rejected"}, self._parts.posts.step)

    def _clear(self, payload: Payload) -> Reply:
        wanted = payload.get("chargingProfileCriteria", {})
        purpose = wanted.get("chargingProfilePurpose")
        removed = self._parts.posts.clear_profiles(
            payload.get("chargingProfileId"),
            wanted.get("evseId"),
            STATION_MAX if purpose == "ChargingStationMaxProfile" else purpose,
            wanted.get("stackLevel"),
        )
        return Reply({"status": "Accepted" if removed else "Unknown"}, self._parts.posts.step)

    def _get(self, payload: Payload) -> Reply:
        wanted = payload["chargingProfile"]
        found = [one for one in self._parts.posts.profiles() if _fits(one, payload.get("evseId"), wanted)]
        if not found:
            return Reply({"status": "NoProfiles"})
        return Reply({"status": "Accepted"}, lambda: self._report(payload["requestId"], found))

    def _report(self, number: int, found: list[Profile]) -> None:
        async def send() -> None:
            evses = sorted({one.connector for one in found})
            for evse in evses:
                report = {
                    "requestId": number,
                    "chargingLimitSource": "CSO",
                    "chargingProfile": [dict(one.raw) for one in found if one.connector == evse],
                    "tbc": evse != evses[-1],
                    "evseId": evse,
                }
                try:
                    await self._parts.link.call(Message("ReportChargingProfiles", report))
                except (Offline, CallFailed):
                    return

        self._parts.spawn(send(), "station.profiles")

    def _composite(self, payload: Payload) -> Reply:
        evse, duration, unit = payload["evseId"], int(payload["duration"]), payload.get("chargingRateUnit", "A")
        posts, now = self._parts.posts.named(evse), self._parts.clock.now()
        if not posts:
            return Reply({"status": "Rejected"})
        phases = posts[0].outlet.phases
        factor = 230.0 * phases if unit == "W" else 1.0
        periods: list[dict[str, Any]] = [
            {"startPeriod": second, "limit": round(amps * factor, 1), "numberPhases": phases}
            for second, amps in total([post.outlet.schedule(now, duration) for post in posts])
        ]
        schedule = {
            "evseId": evse,
            "duration": duration,
            "scheduleStart": text_of(now),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": periods,
        }
        return Reply({"status": "Accepted", "schedule": schedule})

    def _update(self, payload: Payload) -> Reply:
        """K28.FR.06: a dynamic profile has another limit at once."""
        number = payload["chargingProfileId"]
        limit = payload["scheduleUpdate"].get("limit", payload["scheduleUpdate"].get("setpoint"))
        known = next((one for one in self._parts.posts.profiles() if one.profile_id == number), None)
        if limit is None or known is None:
            return Reply({"status": "Rejected"})
        posts = self._parts.posts.named(known.connector)
        schedule = known.raw["chargingSchedule"][0]
        period = schedule["chargingSchedulePeriod"][0]
        phases = posts[0].outlet.phases
        amps = ampere(float(limit), schedule["chargingRateUnit"], int(period.get("numberPhases") or 3), phases)
        amps /= len(self._parts.posts) if known.purpose == STATION_MAX else 1
        updated = [post.outlet.profiles.update(number, amps) for post in posts]
        return Reply({"status": "Accepted" if all(updated) else "Rejected"}, self._parts.posts.step)


def _fits(one: Profile, evse: int | None, wanted: Payload) -> bool:
    purpose = wanted.get("chargingProfilePurpose")
    return (
        evse in (None, one.connector)
        and ("chargingProfileId" not in wanted or one.profile_id in wanted["chargingProfileId"])
        and purpose in (None, one.raw["chargingProfilePurpose"])
        and wanted.get("stackLevel") in (None, one.stack_level)
        and "CSO" in wanted.get("chargingLimitSource", ["CSO"])
    )
