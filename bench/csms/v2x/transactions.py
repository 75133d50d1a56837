"""TransactionEvents of a 2.x station as events of the vocabulary.

The station chooses the transaction's id (E01.FR.08), and names EVSE and connector only in the first message after they
are known (E01.FR.16) and the token only when it becomes known (E03.FR.01). So EVSE, connector and token are remembered
for each transaction; a connector that was never named stays unknown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from ..dialect import Fact, Payload
from ..fields import instance_id, integer, member, objects, string, text
from ..measured import Reading, reading, reading_facts
from ..transaction import transaction_fact

__all__ = ["Transactions", "id_token", "readings"]

MOST = 256
"""Transactions remembered; the one that was longest without a message is forgotten first."""
MOST_MESSAGES = 1000
"""Messages remembered, to tell a repetition (E13.FR.02: a message that failed is sent again)."""

TOPICS = {"Started": "ocpp.tx.started", "Updated": "ocpp.tx.updated", "Ended": "ocpp.tx.ended"}
ENDS = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}
"""Context of the register that belongs to the event itself (E01.FR.09, E06.FR.11)."""

STOPPING = frozenset({"StopAuthorized"})
"""Triggers whose token asks for the end (E07.FR.02): that it is valid lets nobody in."""


class _Known(msgspec.Struct):
    """What is known of one transaction."""

    evse: int | None = None
    connector: int | None = None
    id_tag: str | None = None


class Transactions:
    """The transactions of one station. They outlive connections and boots (2.1 E17: one may be resumed)."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._told: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def heard(self, payload: Payload) -> Iterator[Fact]:
        """The event itself and the values measured with it; nothing for a message that was told before."""
        kind, info = text(payload.get("eventType")), member(payload, "transactionInfo")
        tx, topic = string(info.get("transactionId")), TOPICS.get(kind)
        if tx is None or topic is None or self._repeated(tx, payload):
            return
        orphan = tx not in self._known
        known = self._learn(tx, payload)
        measured = list(readings(payload.get("meterValue")))
        wanted = ENDS.get(kind)
        registers = [one.value for one in measured if one.is_register and wanted in (None, one.context)]
        data: dict[str, Any] = {
            "tx": tx,
            "connector": known.connector,
            "id_tag": id_token(payload),
            "meter_wh": registers[-1] if registers else None,
            "claim": string(payload.get("timestamp")),
            "via": "TransactionEvent",
            "seq_no": integer(payload.get("seqNo")),
            "trigger": string(payload.get("triggerReason")),
            "charging_state": string(info.get("chargingState")),
            "offline": payload.get("offline") is True,
            "remote_start_id": integer(info.get("remoteStartId")),
            "reservation": integer(payload.get("reservationId")),
            "operation_mode": string(info.get("operationMode")),
            "phases_used": integer(payload.get("numberOfPhasesUsed")),
            "cable_a": integer(payload.get("cableMaxCurrent")),
        }
        values = reading_facts(self._station, measured, tx, known.evse)
        if kind == "Ended":
            # The values of the whole transaction may come here; they belong to the time before its end.
            yield from values
            # TransactionType: only the reason Local may be left out.
            data |= {"reason": text(info.get("stoppedReason") or "Local"), "orphan": orphan}
        yield transaction_fact(topic, self._station, known.evse, **data)
        if kind != "Ended":
            yield from values

    def replied(self, payload: Payload, reply: Payload) -> Iterator[Fact]:
        """Whether the back end accepts the transaction's token (E01.FR.12; refused later on: E05, C15)."""
        status = string(member(reply, "idTokenInfo").get("status"))
        if status is None or payload.get("eventType") == "Ended" or text(payload.get("triggerReason")) in STOPPING:
            return
        tx = string(member(payload, "transactionInfo").get("transactionId"))
        known = self._known.get(tx or "", _Known())
        id_tag = id_token(payload)
        data: dict[str, Any] = {"station": self._station, "id_tag": known.id_tag if id_tag is None else id_tag}
        data |= {"status": status, "accepted": status == "Accepted", "how": "start", "tx": tx}
        yield Fact("ocpp.authorized", data, known.evse, own=True)

    def evse_of(self, payload: Payload) -> int | None:
        """The EVSE of a TransactionEvent: the one it names, or that of its transaction."""
        named = instance_id(member(payload, "evse").get("id"))
        known = self._known.get(text(member(payload, "transactionInfo").get("transactionId")))
        return known.evse if named is None and known is not None else named

    def _learn(self, tx: str, payload: Payload) -> _Known:
        known = self._known.setdefault(tx, _Known())
        self._known.move_to_end(tx)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        named = member(payload, "evse")
        evse, connector = instance_id(named.get("id")), instance_id(named.get("connectorId"))
        if evse is not None and evse != known.evse:
            known.evse, known.connector = evse, connector
        elif connector is not None and evse is not None:
            known.connector = connector
        if text(payload.get("triggerReason")) not in STOPPING and known.id_tag is None:
            known.id_tag = id_token(payload)
        return known

    def _repeated(self, tx: str, payload: Payload) -> bool:
        if integer(payload.get("seqNo")) is None:
            return False
        key = (tx, *(text(payload.get(name)) for name in ("seqNo", "eventType", "timestamp", "triggerReason")))
        if key in self._told:
            return True
        self._told[key] = None
        if len(self._told) > MOST_MESSAGES:
            self._told.popitem(last=False)
        return False


def id_token(payload: Payload) -> str | None:
    """The identifier in a message; None when there is none. Its type is left out, as 1.6 has none."""
    return string(member(payload, "idToken").get("idToken"))


def readings(meter_values: Any) -> Iterator[Reading]:
    """The samples of a list of MeterValueType. A signed value has a plain one beside it, which counts."""
    for meter_value in objects(meter_values):
        for sample in objects(meter_value.get("sampledValue")):
            unit = member(sample, "unitOfMeasure")
            one = reading(
                sample.get("value"),
                measurand=sample.get("measurand"),
                context=sample.get("context"),
                location=sample.get("location"),
                phase=sample.get("phase"),
                unit=unit.get("unit"),
                multiplier=unit.get("multiplier"),
                claim=string(meter_value.get("timestamp")),
            )
            if one is not None:
                yield one
