"""Operate a station of OCPP 1.6 (sections 5.2, 5.14, 5.17, 5.18; whitepaper: ExtendedTriggerMessage)."""

from __future__ import annotations

from collections.abc import Iterator

from ....errors import CsmsError
from ..verbs import Answer, Caller
from ..verbs.absent import refuse
from ..verbs.wire import given, operational

__all__ = ["Operating16"]

EXTENDED = {
    "LogStatusNotification": "LogStatusNotification",
    "SignedFirmwareStatusNotification": "FirmwareStatusNotification",
    "SignCertificate": "SignChargePointCertificate",
    "SignChargePointCertificate": "SignChargePointCertificate",
    "SignChargingStationCertificate": "SignChargePointCertificate",
}
"""Messages of the security whitepaper: only its own trigger can ask for them."""

RESETS = ("Immediate", "OnIdle", "ImmediateAndResume")
"""Words of 2.x."""


class Operating16:
    """See `verbs.Operating`."""

    _caller: Caller
    _ids: Iterator[int]

    async def unlock(self, evse: int, connector: int = 1) -> Answer:
        """UnlockConnector; accepted when the station says Unlocked."""
        return await self._caller.ask("UnlockConnector", {"connectorId": evse})

    async def reset(self, kind: str = "Soft", *, evse: int | None = None) -> Answer:
        """Reset of the whole station."""
        if kind in RESETS:
            refuse(f"reset({kind!r})", "1.6", 'use "Soft" or "Hard"')
        if evse:
            refuse("the reset of one EVSE", "1.6", "reset the whole station")
        return await self._caller.ask("Reset", {"type": kind})

    async def set_availability(self, evse: int, operative: bool, *, connector: int | None = None) -> Answer:
        """ChangeAvailability."""
        kind = operational(operative)
        return await self._caller.ask("ChangeAvailability", {"connectorId": evse, "type": kind})

    async def trigger(self, message: str, evse: int | None = None, *, connector: int | None = None) -> Answer:
        """TriggerMessage; ExtendedTriggerMessage for the messages of the whitepaper."""
        if message == "TransactionEvent":
            raise CsmsError('TransactionEvent is not in OCPP 1.6; trigger "MeterValues" or "StatusNotification".')
        wanted = EXTENDED.get(message)
        action = "TriggerMessage" if wanted is None else "ExtendedTriggerMessage"
        return await self._caller.ask(action, given({"requestedMessage": wanted or message, "connectorId": evse}))
