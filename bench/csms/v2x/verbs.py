"""Requests to a station that OCPP 2.0.1 and 2.1 have in common."""

from __future__ import annotations

from typing import Any

from ..dialect import Payload
from ..verbs import Answer, Caller
from ..verbs.wire import given, request_ids
from .verbs_access import Access2x
from .verbs_charging import Charging2x
from .verbs_operating import Operating2x
from .verbs_settings import Settings2x
from .verbs_upkeep import Upkeep2x
from .verbs_watching import Watching2x

__all__ = ["Verbs2x"]


class Verbs2x(Charging2x, Operating2x, Settings2x, Upkeep2x, Access2x, Watching2x):
    """See `verbs.Verbs`. What only one of the versions has stands with it."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._ids = request_ids()
        self._most: dict[str, int] = {}

    async def data_transfer(self, vendor: str, message: str | None = None, data: Any = None) -> Answer:
        """DataTransfer (P01)."""
        return await self._caller.ask("DataTransfer", given({"vendorId": vendor, "messageId": message, "data": data}))

    async def call(
        self, action: str, payload: Payload, *, timeout_s: float | None = None, validate: bool = True
    ) -> Payload:
        """Any request as it is."""
        return (await self._caller.ask(action, payload, timeout_s=timeout_s, validate=validate)).payload

    async def identify(self) -> None:
        """A triggered BootNotification tells vendor and model; a station whose boot is accepted refuses (F06.FR.17)."""
        await self.trigger("BootNotification")

    async def read_back(self) -> None:
        """The whole device model (B07)."""
        await self.get_variables()
