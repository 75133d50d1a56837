"""What the back end knows of one transaction of a 2.x station."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from ..dialect import Payload
from ..fields import instance_id, integer, member, objects, string, text
from ..measured import Reading
from ..state import KeptTransaction
from .seq_numbers import SeqNumbers
from .transactions import readings

__all__ = ["KnownTransaction", "fingerprint", "transaction_id"]

REGISTER = "Energy.Active.Import.Register"
"""What a value is of that names no measurand (SampledValueType)."""

KEEP_REPLIES = 16
"""Answers kept to be given again: a station repeats the event that was not answered, and those after it wait (E13)."""


class KnownTransaction(msgspec.Struct):
    """One transaction.

    - `kept`: what outlives the back end. `restored`: it began before the back end did.
    - `numbers`: the events that have come. `events`, `offline_events`: how many, without repetitions.
    - `charging_state`, `trigger`, `stopped_reason`: as last sent. `charging_s`: timeSpentCharging.
    - `begin_wh`, `last_wh`: first and newest register of the outlet, exact.
    - `limit`: limits that the station says are set (2.1). `limit_sent`: those that were given to it.
    - `resumed`: how often it was resumed after an interruption (2.1 E17). `charged`: whether it ever said Charging.
    """

    id: str
    kept: KeptTransaction
    restored: bool = False
    numbers: SeqNumbers = msgspec.field(default_factory=SeqNumbers)
    events: int = 0
    offline_events: int = 0
    charging_state: str | None = None
    trigger: str | None = None
    stopped_reason: str | None = None
    charging_s: int | None = None
    begin_wh: Decimal | None = None
    last_wh: Decimal | None = None
    limit: Payload = {}
    limit_sent: Payload = {}
    resumed: int = 0
    charged: bool = False
    message_sent: bool = False
    repeated_fields: set[str] = msgspec.field(default_factory=set[str])
    replies: OrderedDict[int, tuple[tuple[str, ...], Payload]] = msgspec.field(
        default_factory=OrderedDict[int, tuple[tuple[str, ...], Payload]]
    )

    @property
    def running(self) -> bool:
        """Whether its end has not come."""
        return self.kept.ended is None

    @property
    def complete(self) -> bool:
        """Whether its start, its end and every event between have come."""
        return self.numbers.complete

    @property
    def energy_wh(self) -> Decimal | None:
        """Energy since its first register; None before there are two."""
        return None if self.begin_wh is None or self.last_wh is None else self.last_wh - self.begin_wh

    def cost(self, payload: Payload, price_per_kwh: Decimal) -> float | None:
        """Cost up to and with the register in this event (I02.FR.01, I03.FR.02), to a hundredth; None: not known yet.

        A transaction without energy costs 0, and says so (I03.FR.04).
        """
        last = [Decimal(one.value) for one in _registers(payload)]
        end = last[-1] if last else self.last_wh
        if self.begin_wh is None or end is None:
            return None
        return float(round((end - self.begin_wh) / 1000 * price_per_kwh, 2))

    def reply_to(self, payload: Payload) -> Payload | None:
        """What this very event was answered before; None: it is new."""
        number = integer(payload.get("seqNo"))
        before = None if number is None else self.replies.get(number)
        return before[1] if before is not None and before[0] == fingerprint(payload) else None

    def take(self, payload: Payload, reply: Payload) -> bool:
        """Note an event that is new, and its answer; returns whether something changed that must outlive a restart."""
        kind, number, info = text(payload.get("eventType")), integer(payload.get("seqNo")), _info(payload)
        before = msgspec.structs.astuple(self.kept)
        self.events += 1
        self.offline_events += payload.get("offline") is True
        if number is not None:
            self.numbers.add(number, start=kind == "Started", end=kind == "Ended")
            self.replies[number] = (fingerprint(payload), reply)
            while len(self.replies) > KEEP_REPLIES:
                self.replies.popitem(last=False)
        self.message_sent = self.message_sent or "updatedPersonalMessage" in reply
        self.limit_sent = {**self.limit_sent, **member(reply, "transactionLimit")}
        self._measured(payload)
        self.charging_state = string(info.get("chargingState")) or self.charging_state
        self.charged = self.charged or self.charging_state == "Charging"
        self.charging_s = _or(integer(info.get("timeSpentCharging")), self.charging_s)
        self.trigger = string(payload.get("triggerReason"))
        if self.trigger == "TxResumed":
            self.resumed += 1
        self.limit = {**self.limit, **member(info, "transactionLimit")}
        self._keep(kind, number, payload, info)
        changed = msgspec.structs.astuple(self.kept) != before
        # The number alone is no reason to write; it goes along with the next change that is.
        if number is not None:
            self.kept.seq = number if self.kept.seq is None else max(self.kept.seq, number)
        return changed

    def _keep(self, kind: str, number: int | None, payload: Payload, info: Payload) -> None:
        kept, place, claim = self.kept, member(payload, "evse"), text(payload.get("timestamp"))
        kept.evse = _or(instance_id(place.get("id")), kept.evse)
        kept.connector = _or(instance_id(place.get("connectorId")), kept.connector)
        kept.remote_start_id = _or(integer(info.get("remoteStartId")), kept.remote_start_id)
        kept.reservation = _or(integer(payload.get("reservationId")), kept.reservation)
        if kind == "Started":
            kept.claim, kept.first = claim, number
        elif kind == "Ended":
            kept.ended = claim
            self.stopped_reason = text(info.get("stoppedReason") or "Local")
        token = member(payload, "idToken")
        if token and kept.id_type is None and not stops(payload):
            kept.id_type = string(token.get("type"))
            kept.id_tag = None if kept.id_type == "KeyCode" else string(token.get("idToken"))

    def _measured(self, payload: Payload) -> None:
        for one in _registers(payload):
            value = Decimal(one.value)
            if self.begin_wh is None or one.context == "Transaction.Begin":
                self.begin_wh = value
            self.last_wh = value


def transaction_id(payload: Payload) -> str:
    """The station's id of the transaction that an event is of."""
    return text(_info(payload).get("transactionId"))


def fingerprint(payload: Payload) -> tuple[str, ...]:
    """What two messages have in common when one repeats the other. `offline` may change in between (E11.FR.07)."""
    return tuple(text(payload.get(name)) for name in ("eventType", "timestamp", "triggerReason"))


def stops(payload: Payload) -> bool:
    """Whether the token of an event, if it has one, ends the authorisation (E07.FR.02)."""
    return payload.get("eventType") == "Ended" or payload.get("triggerReason") == "StopAuthorized"


def _registers(payload: Payload) -> Iterator[Reading]:
    """Registers of the outlet in an event; samples of anything else are not read, as there may be many."""
    for meter_value in objects(payload.get("meterValue")):
        samples = objects(meter_value.get("sampledValue"))
        energy = [sample for sample in samples if sample.get("measurand", REGISTER) == REGISTER]
        if energy:
            yield from (one for one in readings([{**meter_value, "sampledValue": energy}]) if one.is_register)


def _info(payload: Payload) -> Payload:
    return member(payload, "transactionInfo")


def _or(new: Any, old: Any) -> Any:
    return old if new is None else new
