"""Dynamic charging profiles (OCPP 2.1 K28): what a station is told when it asks for the present limit."""

from __future__ import annotations

from typing import Any

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import integer, member, objects
from ..service import Answers, Asked
from ..settings import Desk
from ..v2x.device_model import DeviceModel
from ..v2x.smart_charging import SmartCharging
from ..v2x.transaction_book import TransactionBook

__all__ = ["SmartCharging21"]

_PHASES = ("", "_L2", "_L3")
UPDATABLE = tuple(
    f"{name}{phase}" for name in ("limit", "dischargeLimit", "setpoint", "setpointReactive") for phase in _PHASES
)
"""Fields of ChargingScheduleUpdateType."""


class SmartCharging21(SmartCharging):
    """Smart charging with dynamic profiles, priority charging and needs of ISO 15118-20.

    `priority`: transactions that charge with priority (K21, K22).
    """

    def __init__(self, station: str, desk: Desk, transactions: TransactionBook, model: DeviceModel) -> None:
        super().__init__(station, desk, transactions, model)
        self.priority: dict[str, bool] = {}
        self._now: dict[int, Payload] = {}

    def answers(self) -> Answers:
        """See `Service.answers`."""
        more: Answers = {"NotifyPriorityCharging": lambda _, __: {}, "PullDynamicScheduleUpdate": self._pulled}
        return {**super().answers(), **more}

    def dynamic(self, number: int) -> Payload | None:
        """Limits and set points that hold in a dynamic profile; None: the station has no such profile."""
        profile = self.book.of(number)
        if profile is None or profile.payload.get("chargingProfileKind") != "Dynamic":
            return None
        if number in self._now:
            return dict(self._now[number])
        schedules = objects(profile.payload.get("chargingSchedule"))
        periods = objects(schedules[0].get("chargingSchedulePeriod")) if schedules else []
        return _updatable(periods[0]) if periods else {}

    def set_dynamic(self, number: int, **values: float) -> None:
        """What the station is told when it next pulls, e.g. `limit=10.0` or `setpoint=-5000.0` (OCPP's own names).

        Raises:
            CsmsError: the profile is not there or not dynamic, or a field is none of an update.
        """
        if self.dynamic(number) is None:
            raise CsmsError(f"{self.station} has no dynamic profile {number}; set one first (set_dynamic_profile).")
        strange = [name for name in values if name not in UPDATABLE]
        if strange or not values:
            raise CsmsError(f"{', '.join(strange) or 'nothing'} cannot be updated; there are {', '.join(UPDATABLE)}.")
        self._now[number] = {**self._now.get(number, {}), **values}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """See `SmartCharging.settled`."""
        if action == "NotifyPriorityCharging":
            self.priority[str(payload.get("transactionId"))] = payload.get("activated") is True
        elif action == "TransactionEvent" and payload.get("eventType") == "Ended":
            self.priority.pop(str(member(payload, "transactionInfo").get("transactionId")), None)
        return super().settled(action, payload, reply)

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """See `SmartCharging.answered`; an accepted update or profile says what holds."""
        super().answered(action, payload, answer)
        if answer.get("status") != "Accepted":
            return
        if action == "UpdateDynamicSchedule":
            number = integer(payload.get("chargingProfileId"))
            if number is not None:
                self._now[number] = _updatable(member(payload, "scheduleUpdate"))
        elif action == "SetChargingProfile":
            self._now.pop(integer(member(payload, "chargingProfile").get("id")) or 0, None)

    def refusal(self, payload: Payload) -> str:
        """With ISO 15118-20 Rejected would refuse the kind of energy transfer (K18.FR.04, K18.FR.22, K19.FR.04)."""
        return "NoChargingProfile" if _is_iso_20(member(payload, "chargingNeeds")) else "Rejected"

    def kind(self, payload: Payload) -> str:
        """In control mode Dynamic the profile is dynamic (K19)."""
        dynamic = member(payload, "chargingNeeds").get("controlMode") == "DynamicControl"
        return "Dynamic" if dynamic else super().kind(payload)

    def _pulled(self, payload: Payload, how: Asked) -> Payload:
        """K28.FR.07; a profile that is not there or not dynamic: K28.FR.12."""
        values = self.dynamic(integer(payload.get("chargingProfileId")) or 0)
        if values is None:
            return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidProfile"}}
        return {"status": "Accepted", "scheduleUpdate": values}


def _updatable(period: Payload) -> dict[str, Any]:
    return {name: period[name] for name in UPDATABLE if name in period}


def _is_iso_20(needs: Payload) -> bool:
    """ISO 15118-20 names a control mode, or has parameters that -2 does not have."""
    return any(name in needs for name in ("controlMode", "v2xChargingParameters", "derChargingParameters"))
