"""Registration of a station: how its boots are answered, and what is set while one is pending."""

from __future__ import annotations

import abc
from collections.abc import Iterator

from .defaults import now_text
from .dialect import Payload
from .service import Answers, Asked, FollowUp, Service
from .settings import Desk
from .verbs import Caller

__all__ = ["Boots"]


class Boots(Service, abc.ABC):
    """BootNotification and Heartbeat.

    The first boots are answered as `Settings.boots` says, later ones by Accepted. While one is pending the settings
    of the policy are written (1.6 section 4.2, 2.x B02.FR.01), and a new boot is asked for if the policy says so.
    """

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self._boots: Iterator[str] = iter(desk.settings.boots)

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"BootNotification": self._boot, "Heartbeat": lambda _, __: {"currentTime": now_text()}}

    def follow(self, action: str, payload: Payload, reply: Payload) -> FollowUp | None:
        """A pending boot: write what the policy wants written."""
        wanted = action == "BootNotification" and reply.get("status") == "Pending"
        return self._prepare if wanted and self.desk.settings.policy.pending_settings else None

    @abc.abstractmethod
    async def write(self, caller: Caller, name: str, value: str) -> None:
        """Write one setting, in the words of the version."""
        ...

    def _boot(self, payload: Payload, how: Asked) -> Payload:
        # A triggered boot of a station that is served already is no new registration.
        status = "Accepted" if how.asked and how.registered else next(self._boots, "Accepted")
        settings = self.desk.settings
        interval = settings.heartbeat_s if status == "Accepted" else settings.boot_retry_s
        return {"status": status, "currentTime": now_text(), "interval": interval}

    async def _prepare(self, caller: Caller) -> None:
        policy = self.desk.settings.policy
        for name, value in policy.pending_settings.items():
            await self.write(caller, name, value)
        if policy.pending_trigger:
            await caller.ask("TriggerMessage", {"requestedMessage": "BootNotification"})
