"""Security events of a station (A04 of the 1.6 security whitepaper and of 2.x): kept, and confirmed (A04.FR.03)."""

from __future__ import annotations

import msgspec

from .dialect import Payload
from .fields import string, text
from .service import Answers, Service
from .settings import Desk

__all__ = ["SecurityEvent", "SecurityEvents"]

KEEP = 500


class SecurityEvent(msgspec.Struct, frozen=True):
    """One event: its type, when it happened as the station says, and what more it says."""

    type: str
    claim: str | None
    info: str | None


class SecurityEvents(Service):
    """SecurityEventNotification. `events`: the newest 500, the oldest first."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.events: list[SecurityEvent] = []

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"SecurityEventNotification": lambda _, __: {}}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the event."""
        if action == "SecurityEventNotification":
            claim, info = string(payload.get("timestamp")), string(payload.get("techInfo"))
            self.events.append(SecurityEvent(text(payload.get("type")), claim, info))
            del self.events[:-KEEP]
        return {}
