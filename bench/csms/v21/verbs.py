"""Requests to a station of OCPP 2.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..dialect import Payload
from ..fields import objects
from ..v2x.verbs import Verbs2x
from ..verbs import Answer, Tx
from ..verbs.wire import given
from .verbs_dynamic import Dynamic21
from .verbs_grid import Grid21

__all__ = ["Verbs21"]

TRIGGERS = frozenset(
    {
        "BootNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "PublishFirmwareStatusNotification",
        "SignChargingStationCertificate",
        "SignCombinedCertificate",
        "SignV2G20Certificate",
        "SignV2GCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)
"""MessageTriggerEnumType, without CustomTrigger."""


class Verbs21(Dynamic21, Grid21, Verbs2x):
    """See `verbs.Verbs`."""

    async def adjust_stream(self, stream: int, *, interval_s: int | None = None, values: int | None = None) -> Answer:
        """AdjustPeriodicEventStream (N14)."""
        wanted = {"id": stream, "params": given({"interval": interval_s, "values": values})}
        return await self._caller.ask("AdjustPeriodicEventStream", wanted)

    async def get_streams(self) -> list[dict[str, Any]]:
        """GetPeriodicEventStream (N13)."""
        answer = await self._caller.ask("GetPeriodicEventStream", {})
        return objects(answer.payload.get("constantStreamData"))

    async def set_default_tariff(self, tariff: Mapping[str, Any], *, evse: int = 0) -> Answer:
        """SetDefaultTariff (I07)."""
        return await self._caller.ask("SetDefaultTariff", {"evseId": evse, "tariff": dict(tariff)})

    async def get_tariffs(self, evse: int = 0) -> list[dict[str, Any]]:
        """GetTariffs (I09)."""
        answer = await self._caller.ask("GetTariffs", {"evseId": evse})
        return objects(answer.payload.get("tariffAssignments"))

    async def clear_tariffs(self, tariffs: Sequence[str] = (), *, evse: int | None = None) -> Answer:
        """ClearTariffs (I10)."""
        return await self._caller.ask("ClearTariffs", given({"tariffIds": list(tariffs) or None, "evseId": evse}))

    async def change_tariff(self, tx: Tx, tariff: Mapping[str, Any]) -> Answer:
        """ChangeTransactionTariff (I11)."""
        return await self._caller.ask("ChangeTransactionTariff", {"transactionId": str(tx), "tariff": dict(tariff)})

    def _message(self, wanted: str) -> Payload:
        # F06.FR.18: whatever is no message of the list is a trigger of the station's own.
        if wanted in TRIGGERS:
            return {"requestedMessage": wanted}
        return {"requestedMessage": "CustomTrigger", "customTrigger": wanted}
