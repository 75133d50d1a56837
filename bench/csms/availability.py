"""What each connector of a station last said of itself."""

from __future__ import annotations

import msgspec

from .dialect import Payload
from .fields import instance_id, integer, member, objects, string, text
from .service import Answers, Service
from .settings import Desk

__all__ = ["Availability", "ConnectorStatus"]

MOST = 1000


class ConnectorStatus(msgspec.Struct, frozen=True):
    """Status as the station wrote it, its error code (1.6), and the time it claims."""

    status: str
    error: str | None
    claim: str | None


class Availability(Service):
    """StatusNotification, and AvailabilityState in NotifyEvent, which is its equal in 2.x (G01.FR.03).

    `statuses`: (EVSE, connector) -> status. In 1.6 the connector is the EVSE; (0, 0) is the station itself, (n, 0) an
    EVSE of 2.x.
    """

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.statuses: dict[tuple[int, int], ConnectorStatus] = {}

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"StatusNotification": lambda _, __: {}}

    def of(self, evse: int, connector: int = 1) -> ConnectorStatus | None:
        """The last status of a connector; None before the first."""
        return self.statuses.get((evse, connector))

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the status."""
        if action == "StatusNotification":
            claim, connector = string(payload.get("timestamp")), integer(payload.get("connectorId")) or 0
            if "connectorStatus" in payload:
                place = integer(payload.get("evseId")) or 0, connector
                self._keep(place, ConnectorStatus(text(payload["connectorStatus"]), None, claim))
            else:
                place = connector, 1 if connector else 0
                error = string(payload.get("errorCode"))
                self._keep(place, ConnectorStatus(text(payload.get("status")), error, claim))
        elif action == "NotifyEvent":
            for entry in objects(payload.get("eventData")):
                if text(member(entry, "variable").get("name")).casefold() == "availabilitystate":
                    evse = member(member(entry, "component"), "evse")
                    place = instance_id(evse.get("id")) or 0, instance_id(evse.get("connectorId")) or 0
                    claim = string(entry.get("timestamp"))
                    self._keep(place, ConnectorStatus(text(entry.get("actualValue")), None, claim))
        return {}

    def _keep(self, place: tuple[int, int], status: ConnectorStatus) -> None:
        if place in self.statuses or len(self.statuses) < MOST:
            self.statuses[place] = status
