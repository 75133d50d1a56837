"""Grid services, battery swaps and payments by OCPP 2.1 (use cases C25, Q08, R04, S02)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..dialect import Payload
from ..v2x.verbs_charging import token
from ..verbs import Answer, Caller
from ..verbs.wire import given, utc_text

__all__ = ["Grid21"]


class Grid21:
    """See `verbs.Grid` and `verbs.Payments`."""

    _caller: Caller
    _ids: Iterator[int]

    async def set_der_control(
        self, control: str, kind: str, settings: Mapping[str, Any], *, default: bool = False
    ) -> Answer:
        """SetDERControl."""
        wanted = {"isDefault": default, "controlId": control, "controlType": kind, **settings}
        return await self._caller.ask("SetDERControl", wanted)

    async def get_der_controls(
        self, *, control: str | None = None, kind: str | None = None, default: bool | None = None
    ) -> Answer:
        """GetDERControl."""
        wanted = {"controlId": control, "controlType": kind, "isDefault": default}
        return await self._asked("GetDERControl", given(wanted))

    async def clear_der_control(self, *, control: str | None = None, kind: str | None = None, default: bool) -> Answer:
        """ClearDERControl."""
        wanted = {"isDefault": default, "controlId": control, "controlType": kind}
        return await self._caller.ask("ClearDERControl", given(wanted))

    async def afrr_signal(self, signal: int, *, at: str | None = None) -> Answer:
        """AFRRSignal."""
        return await self._caller.ask("AFRRSignal", {"timestamp": at or utc_text(), "signal": signal})

    async def request_battery_swap(self, id_token: str, *, token_type: str = "ISO14443") -> Answer:
        """RequestBatterySwap."""
        return await self._asked("RequestBatterySwap", {"idToken": token(id_token, token_type)})

    async def web_payment_started(self, evse: int, timeout_s: int) -> Answer:
        """NotifyWebPaymentStarted; its answer has no status."""
        return await self._caller.ask("NotifyWebPaymentStarted", {"evseId": evse, "timeout": timeout_s})

    async def _asked(self, action: str, wanted: Payload) -> Answer:
        number = next(self._ids)
        answer = await self._caller.ask(action, {**wanted, "requestId": number})
        return msgspec.structs.replace(answer, request_id=number)
