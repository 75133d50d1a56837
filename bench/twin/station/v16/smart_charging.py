"""Charging profiles as OCPP 1.6 asks for them (sections 5.5, 5.7 and 5.16)."""

from __future__ import annotations

from typing import Any

from ..clock import text_of
from ..messages import Answers, Payload, Reply
from ..parts import Parts
from ..profiles import Profile, total

__all__ = ["SmartCharging16"]


class SmartCharging16:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.answers: Answers = {
            "SetChargingProfile": self._set,
            "ClearChargingProfile": self._clear,
            "GetCompositeSchedule": self._composite,
        }

    def install(self, connector: int, data: Payload, *, starting: bool) -> bool:
        """Install a profile; `starting`: it came with a remote start."""
        posts = self._parts.posts
        outlet = posts.named(connector)[0].outlet
        try:
            profile = Profile.parse(connector, data, phases=outlet.phases)
            if starting and profile.purpose != "TxProfile":
                return False
            if profile.purpose == "TxProfile" and not starting:
                running = outlet.transaction
                if running is None or profile.transaction_id not in (None, running.id):
                    return False
            posts.install(profile)
        except ValueError:
            return False
        return True

    def _set(self, payload: Payload) -> Reply:
        connector = payload["connectorId"]
        known = bool(self._parts.posts.named(connector))
        accepted = known and self.install(connector, payload["csChargingProfiles"], starting=False)
        return Reply({"status": "Accepted" if accepted else "Rejected"}, self._parts.posts.step)

    def _clear(self, payload: Payload) -> Reply:
        removed = self._parts.posts.clear_profiles(
            payload.get("id"),
            payload.get("connectorId"),
            payload.get("chargingProfilePurpose"),
            payload.get("stackLevel"),
        )
        return Reply({"status": "Accepted" if removed else "Unknown"}, self._parts.posts.step)

    def _composite(self, payload: Payload) -> Reply:
        connector, duration = payload["connectorId"], int(payload["duration"])
        posts, now = self._parts.posts.named(connector), self._parts.clock.now()
        if not posts:
            return Reply({"status": "Rejected"})
        unit = payload.get("chargingRateUnit", "A")
        factor = 230.0 * posts[0].outlet.phases if unit == "W" else 1.0
        periods: list[dict[str, Any]] = [
            {"startPeriod": second, "limit": round(amps * factor, 1)}
            for second, amps in total([post.outlet.schedule(now, duration) for post in posts])
        ]
        return Reply(
            {
                "status": "Accepted",
                "connectorId": connector,
                "scheduleStart": text_of(now),
                "chargingSchedule": {
                    "duration": duration,
                    "chargingRateUnit": unit,
                    "chargingSchedulePeriod": periods,
                },
            }
        )
