"""Charging that is steered while it runs, by OCPP 2.1 (use cases K20-K22, K28, Q02-Q04)."""

from __future__ import annotations

from collections.abc import Sequence

from ..dialect import Payload
from ..v2x.verbs_charging import Charging2x, profile
from ..verbs import Answer, Purpose, Tx
from ..verbs.wire import given, number_of

__all__ = ["Dynamic21"]


class Dynamic21(Charging2x):
    """See `verbs.Dynamic`."""

    async def dynamic_profile(
        self,
        amps: float,
        *,
        evse: int = 1,
        tx: Tx | None = None,
        purpose: Purpose | None = None,
        stack_level: int = 0,
        profile_id: int = 1,
        update_s: int | None = None,
    ) -> Answer:
        """SetChargingProfile of kind Dynamic: one schedule with one period from 0 (K28.FR.01, K28.FR.02)."""
        chosen = self._chosen(purpose, tx)
        body = profile(amps, chosen, stack_level=stack_level, profile_id=profile_id, tx=tx)
        body |= given({"chargingProfileKind": "Dynamic", "dynUpdateInterval": update_s})
        # It is in force from its receipt on, so it names no start.
        body["chargingSchedule"][0].pop("startSchedule", None)
        return await self._set(0 if chosen == "station" else evse, body)

    async def dynamic_limit(
        self,
        profile_id: int,
        *,
        limit: float | None = None,
        discharge_limit: float | None = None,
        setpoint: float | None = None,
    ) -> Answer:
        """UpdateDynamicSchedule (K28.FR.06)."""
        values = {"limit": limit, "dischargeLimit": discharge_limit, "setpoint": setpoint}
        update = {name: number_of(value) for name, value in values.items() if value is not None}
        wanted = {"chargingProfileId": profile_id, "scheduleUpdate": update}
        return await self._caller.ask("UpdateDynamicSchedule", wanted)

    async def set_point(
        self, watts: float, *, tx: Tx, evse: int = 1, stack_level: int = 0, profile_id: int = 1
    ) -> Answer:
        """SetChargingProfile, Dynamic, with a CentralSetpoint and no limits beside it (Q03.FR.01, Q03.FR.02)."""
        period: Payload = {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": number_of(watts)}
        body = profile(0, "transaction", stack_level=stack_level, profile_id=profile_id, tx=tx)
        body["chargingProfileKind"] = "Dynamic"
        body["chargingSchedule"] = [{"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [period]}]
        return await self._set(evse, body)

    async def priority_charging(self, tx: Tx, active: bool) -> Answer:
        """UsePriorityCharging (K21, K22)."""
        return await self._caller.ask("UsePriorityCharging", {"transactionId": str(tx), "activate": active})

    async def allow_energy_transfer(self, tx: Tx, modes: Sequence[str]) -> Answer:
        """NotifyAllowedEnergyTransfer (Q02.FR.05)."""
        wanted = {"transactionId": str(tx), "allowedEnergyTransfer": list(modes)}
        return await self._caller.ask("NotifyAllowedEnergyTransfer", wanted)
