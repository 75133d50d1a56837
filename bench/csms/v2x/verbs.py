"""Requests to a station of OCPP 2.0.1 or 2.1."""

from __future__ import annotations

from ..dialect import Payload
from ..verbs import Caller

__all__ = ["Verbs2x"]


class Verbs2x:
    """See `verbs.Verbs`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def call(
        self, action: str, payload: Payload, *, timeout_s: float | None = None, validate: bool = True
    ) -> Payload:
        """Any request as it is."""
        return (await self._caller.ask(action, payload, timeout_s=timeout_s, validate=validate)).payload

    async def identify(self) -> None:
        """A triggered BootNotification tells vendor and model."""
        await self._caller.ask("TriggerMessage", {"requestedMessage": "BootNotification"})

    async def read_back(self) -> None:
        """The whole device model (B07)."""
        await self._caller.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
