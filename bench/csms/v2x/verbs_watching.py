"""Watch a station of OCPP 2.x (use cases N02-N10, E14, I02, O01-O06)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..dialect import Payload
from ..fields import integer, objects
from ..verbs import Answer, Caller, Tx
from ..verbs.wire import given
from .names import component_entry, variable_entry
from .verbs_charging import token
from .verbs_upkeep import HASH_DATA

__all__ = ["Watching2x"]


class Watching2x:
    """See `verbs.Monitors`, `verbs.Transactions` and `verbs.Displays`."""

    _caller: Caller
    _ids: Iterator[int]

    async def set_monitor(
        self,
        name: str,
        kind: str,
        value: float,
        *,
        severity: int = 8,
        transaction: bool = False,
        monitor: int | None = None,
    ) -> Answer:
        """SetVariableMonitoring of one (N04)."""
        entry = {
            **variable_entry(name),
            "id": monitor,
            "transaction": transaction or None,
            "value": value,
            "type": kind,
            "severity": severity,
        }
        answer = await self._caller.ask("SetVariableMonitoring", {"setMonitoringData": [given(entry)]})
        results = objects(answer.payload.get("setMonitoringResult"))
        return msgspec.structs.replace(answer, request_id=integer(results[0].get("id")) if results else None)

    async def clear_monitor(self, *monitors: int) -> Answer:
        """ClearVariableMonitoring (N06)."""
        return await self._caller.ask("ClearVariableMonitoring", {"id": list(monitors)})

    async def get_monitors(self, names: Sequence[str] = (), *, criteria: Sequence[str] = ()) -> Answer:
        """GetMonitoringReport (N02)."""
        wanted = {
            "componentVariable": [component_entry(name) for name in names] or None,
            "monitoringCriteria": list(criteria) or None,
        }
        return await self._numbered("GetMonitoringReport", wanted)

    async def set_monitoring_base(self, base: Literal["All", "FactoryDefault", "HardWiredOnly"]) -> Answer:
        """SetMonitoringBase (N03)."""
        return await self._caller.ask("SetMonitoringBase", {"monitoringBase": base})

    async def set_monitoring_level(self, severity: int) -> Answer:
        """SetMonitoringLevel (N05)."""
        return await self._caller.ask("SetMonitoringLevel", {"severity": severity})

    async def transaction_status(self, tx: Tx | None = None) -> Answer:
        """GetTransactionStatus (E14): `ongoingIndicator` and `messagesInQueue` in the payload."""
        return await self._caller.ask("GetTransactionStatus", {} if tx is None else {"transactionId": str(tx)})

    async def customer_information(
        self,
        *,
        report: bool = True,
        clear: bool = False,
        id_token: str | None = None,
        token_type: str = "ISO14443",
        customer: str | None = None,
        certificate: Mapping[str, Any] | None = None,
    ) -> Answer:
        """CustomerInformation (N09, N10)."""
        wanted = {
            "report": report,
            "clear": clear,
            "idToken": None if id_token is None else token(id_token, token_type),
            "customerIdentifier": customer,
            "customerCertificate": None if certificate is None else {key: certificate.get(key) for key in HASH_DATA},
        }
        return await self._numbered("CustomerInformation", wanted)

    async def update_cost(self, tx: Tx, total: float) -> Answer:
        """CostUpdated (I02)."""
        return await self._caller.ask("CostUpdated", {"transactionId": str(tx), "totalCost": total})

    async def show_message(
        self,
        message: int,
        text: str,
        *,
        priority: Literal["AlwaysFront", "InFront", "NormalCycle"] = "NormalCycle",
        state: str | None = None,
        tx: Tx | None = None,
        format: str = "UTF8",  # noqa: A002
        language: str | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> Answer:
        """SetDisplayMessage (O01, O02, O06)."""
        info = {
            "id": message,
            "priority": priority,
            "state": state,
            "startDateTime": start,
            "endDateTime": end,
            "transactionId": None if tx is None else str(tx),
            "message": given({"format": format, "language": language, "content": text}),
        }
        return await self._caller.ask("SetDisplayMessage", {"message": given(info)})

    async def get_messages(
        self, messages: Sequence[int] = (), *, priority: str | None = None, state: str | None = None
    ) -> Answer:
        """GetDisplayMessages (O03, O04)."""
        wanted = {"id": list(messages) or None, "priority": priority, "state": state}
        return await self._numbered("GetDisplayMessages", wanted)

    async def clear_message(self, message: int) -> Answer:
        """ClearDisplayMessage (O05)."""
        return await self._caller.ask("ClearDisplayMessage", {"id": message})

    async def _numbered(self, action: str, wanted: Payload) -> Answer:
        number = next(self._ids)
        answer = await self._caller.ask(action, given({**wanted, "requestId": number}))
        return msgspec.structs.replace(answer, request_id=number)
