"""Battery swaps (OCPP 2.1 S): batteries that came and went, and for whom."""

from __future__ import annotations

import msgspec

from ..checks import breach
from ..dialect import Payload
from ..fields import integer, member, objects, string, text
from ..service import Answers, Asked, Service
from ..settings import Desk

__all__ = ["BatterySwap", "BatterySwaps"]

KEEP = 200


class BatterySwap(msgspec.Struct):
    """One swap. `id_token`: for whom. `asked`: the back end asked for it. `came`, `went`: BatteryDataType.

    `timed_out`: the driver did not take the batteries.
    """

    request_id: int
    id_token: str | None = None
    asked: bool = False
    came: list[Payload] = []
    went: list[Payload] = []
    timed_out: bool = False


class BatterySwaps(Service):
    """BatterySwap. `swaps`: by the number that ties the messages of a swap together (S01, S02.FR.02)."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.swaps: dict[int, BatterySwap] = {}
        self._booted = False

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"BatterySwap": self._answer}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep what came and went."""
        number = integer(payload.get("requestId"))
        if action != "BatterySwap" or number is None:
            return {}
        swap, kind, batteries = self._swap(number), payload.get("eventType"), objects(payload.get("batteryData"))
        swap.id_token = swap.id_token or string(member(payload, "idToken").get("idToken"))
        if kind == "BatteryIn":
            swap.came += batteries
        elif kind == "BatteryOut":
            swap.went += batteries
        else:
            swap.timed_out = True
        return {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """A swap that the back end asked for, and the station will do."""
        number = integer(payload.get("requestId"))
        if action == "RequestBatterySwap" and answer.get("status") == "Accepted" and number is not None:
            swap = self._swap(number)
            swap.asked, swap.id_token = True, string(member(payload, "idToken").get("idToken"))

    def booted(self) -> None:
        """The station restarted: a swap that goes on now was begun before this back end's eyes, or begins now."""
        self._booted = True

    def _answer(self, payload: Payload, how: Asked) -> Payload:
        number = integer(payload.get("requestId"))
        known = None if number is None else self.swaps.get(number)
        wrong = payload.get("eventType") != "BatteryIn" and (known is None or not known.came)
        # Before a boot the batteries may have come in while another back end listened.
        if wrong and self._booted:
            why = f"{text(payload.get('eventType'))} of swap {number}, for which no battery came in"
            ref = "S03.FR.03, S03.FR.06"
            breach(self.desk, self.station, "BatterySwap", "SwapWithoutBatteryIn", why, ref, how.stamp)
        return {}

    def _swap(self, number: int) -> BatterySwap:
        swap = self.swaps.setdefault(number, BatterySwap(number))
        if len(self.swaps) > KEEP:
            self.swaps.pop(next(iter(self.swaps)))
        return swap
