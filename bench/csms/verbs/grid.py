"""Grid services, battery swaps and payments at the station: what came with OCPP 2.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .answer import Answer

__all__ = ["Grid", "Payments"]


class Grid(Protocol):
    """2.1: controls of a distributed energy resource (R), signals for frequency reserves (Q08)."""

    async def set_der_control(
        self, control: str, kind: str, settings: Mapping[str, Any], *, default: bool = False
    ) -> Answer:
        """Set a control; `settings` is the member of SetDERControl for the kind, as in `{"curve": {...}}`.

        Its numbers are percentages of what the station can do.
        """
        ...

    async def get_der_controls(
        self, *, control: str | None = None, kind: str | None = None, default: bool | None = None
    ) -> Answer:
        """Have controls reported (ReportDERControl bears the answer's `request_id`)."""
        ...

    async def clear_der_control(self, *, control: str | None = None, kind: str | None = None, default: bool) -> Answer:
        """Remove the controls that fit: the default ones, or the scheduled ones."""
        ...

    async def afrr_signal(self, signal: int, *, at: str | None = None) -> Answer:
        """Give the station a signal, one that its profile has in `v2xSignalWattCurve`; `at` is ISO 8601."""
        ...


class Payments(Protocol):
    """2.1."""

    async def request_battery_swap(self, id_token: str, *, token_type: str = "ISO14443") -> Answer:
        """Let a driver swap a battery (S02); BatterySwap messages bear the answer's `request_id`."""
        ...

    async def web_payment_started(self, evse: int, timeout_s: int) -> Answer:
        """Tell the station that somebody pays on the web for an EVSE, and how long it may wait for that (C25)."""
        ...
