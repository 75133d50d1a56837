"""Operate a station of OCPP 2.x (use cases B11, B12, F05, F06, G03, G04)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..dialect import Payload
from ..verbs import Answer, Caller
from ..verbs.wire import given, operational

__all__ = ["Operating2x"]

SAME = {
    "DiagnosticsStatusNotification": "LogStatusNotification",
    "SignCertificate": "SignChargingStationCertificate",
    "SignChargePointCertificate": "SignChargingStationCertificate",
    "SignedFirmwareStatusNotification": "FirmwareStatusNotification",
}
"""Names that other versions have for a message."""


class Operating2x:
    """See `verbs.Operating`."""

    RESETS: Mapping[str, str] = {"Soft": "OnIdle", "Hard": "Immediate"}

    _caller: Caller
    _ids: Iterator[int]

    async def unlock(self, evse: int, connector: int = 1) -> Answer:
        """UnlockConnector; accepted when the station says Unlocked (not OngoingAuthorizedTransaction, F05.FR.02)."""
        return await self._caller.ask("UnlockConnector", {"evseId": evse, "connectorId": connector})

    async def reset(self, kind: str = "Soft", *, evse: int | None = None) -> Answer:
        """Reset, of one EVSE when it is given. Soft is sent as OnIdle, Hard as Immediate; other words as they are."""
        return await self._caller.ask("Reset", given({"type": self.RESETS.get(kind, kind), "evseId": evse or None}))

    async def set_availability(self, evse: int, operative: bool, *, connector: int | None = None) -> Answer:
        """ChangeAvailability; without an EVSE of the whole station (G04)."""
        place = {"evse": _place(evse, connector)} if evse else {}
        kind = operational(operative)
        return await self._caller.ask("ChangeAvailability", {**place, "operationalStatus": kind})

    async def trigger(self, message: str, evse: int | None = None, *, connector: int | None = None) -> Answer:
        """TriggerMessage; a status is asked for a connector (F06.FR.13): the first, unless it is given."""
        wanted = SAME.get(message, message)
        if wanted == "StatusNotification" and evse and connector is None:
            connector = 1
        place = {"evse": _place(evse, connector)} if evse else {}
        return await self._caller.ask("TriggerMessage", {**self._message(wanted), **place})

    def _message(self, wanted: str) -> Payload:
        return {"requestedMessage": wanted}


def _place(evse: int, connector: int | None) -> Payload:
    return given({"id": evse, "connectorId": connector})
