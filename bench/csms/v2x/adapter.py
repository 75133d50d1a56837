"""Messages of OCPP 2.0.1 and 2.1 as events of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..dialect import Fact, Payload, Place, Request, Trigger
from ..fields import instance_id, integer, member, objects, security_event, string, text
from ..measured import reading_facts
from .asked_facts import asked_facts
from .events import notified, status_notified
from .requests import REPORTS, describe, report_part, triggered, verdict
from .transactions import Transactions, id_token, readings
from .variables import Variables

__all__ = ["Adapter2x"]

TIMES = {"TransactionEvent": "timestamp", "StatusNotification": "timestamp", "NotifyEvent": "generatedAt"}
"""Where a message claims a time; MeterValues does so in its last value."""

NOT_QUEUED = frozenset({"StatusNotification"})
"""Messages that are about now. Events, transactions and values may have waited for a connection (E04, N07)."""


class Adapter2x:
    """The adapter of one station.

    It remembers what was read of its variables, and of each transaction what the station says only once.
    """

    def __init__(self, station: str) -> None:
        self._station = station
        self._variables = Variables(station)
        self._transactions = Transactions(station)

    def heard(self, action: str, payload: Payload) -> Iterable[Fact]:
        """Facts in a request of the station. The start of a transaction is one: its id is the station's own."""
        if action == "Heartbeat":
            yield self._fact("ocpp.heartbeat", None)
        elif action == "StatusNotification":
            yield from status_notified(self._station, payload)
        elif action == "NotifyEvent":
            yield from notified(self._station, payload)
        elif action == "TransactionEvent":
            yield from self._transactions.heard(payload)
        elif action == "MeterValues":
            # evseId 0 is the main meter (MeterValuesRequest), of no outlet.
            evse = instance_id(payload.get("evseId"))
            yield from reading_facts(self._station, readings(payload.get("meterValue")), None, evse)
        elif action == "NotifyReport":
            if self._variables.reported(payload):
                yield from self._variables.facts()
        elif action == "ReservationStatusUpdate":
            number, status = payload.get("reservationId"), text(payload.get("reservationUpdateStatus"))
            yield self._fact("ocpp.reservation", None, reservation=number, status=status)
        elif action == "SecurityEventNotification":
            yield self._fact("ocpp.security_event", None, **security_event(payload))

    def replied(self, action: str, payload: Payload, reply: Payload, notes: Payload) -> Iterable[Fact]:
        """Facts that are in the back end's answer: a boot accepted, a token accepted."""
        if action == "BootNotification":
            status, interval_s = text(reply.get("status")), reply.get("interval")
            yield self._fact("ocpp.boot.answered", None, own=True, status=status, interval_s=interval_s)
        elif action == "Authorize":
            status = text(member(reply, "idTokenInfo").get("status"))
            data: dict[str, Any] = {"id_tag": text(id_token(payload)), "status": status, "tx": None}
            data |= {"accepted": status == "Accepted", "how": "authorize"}
            yield self._fact("ocpp.authorized", None, own=True, **data)
        elif action == "TransactionEvent":
            yield from self._transactions.replied(payload, reply)

    def answered(self, action: str, payload: Payload, answer: Payload) -> Iterable[Fact]:
        """What the station's answer to a request of the back end says."""
        if action == "GetVariables":
            self._variables.asked(payload)
            if self._variables.answered(answer):
                yield from self._variables.facts()
        else:
            if action in ("GetBaseReport", "GetReport"):
                self._variables.report_asked(payload, answer)
            elif action == "SetVariables":
                self._variables.written(answer)
            yield from asked_facts(self._station, action, payload, answer)

    def describe(self, action: str, payload: Payload) -> Request:
        """See `requests.describe`."""
        return describe(action, payload)

    def offers(self, action: str, payload: Payload, reply: Payload) -> Request | None:
        """No answer that 2.0.1 has carries a limit."""
        return None

    def verdict(self, action: str, answer: Payload) -> tuple[bool, str]:
        """See `requests.verdict`."""
        return verdict(answer)

    def triggered(self, action: str, payload: Payload, answer: Payload) -> Trigger | None:
        """See `requests.triggered`."""
        return triggered(action, payload, answer)

    def connector(self, action: str, payload: Payload) -> Place | None:
        """The outlet a request speaks of: EVSE and connector of a status, else the EVSE; or the part of a report."""
        if action in REPORTS.values():
            return report_part(payload)
        if action == "TransactionEvent":
            return self._transactions.evse_of(payload)
        evse = integer(payload.get("evseId"))
        return (evse, integer(payload.get("connectorId"))) if action == "StatusNotification" else evse

    def identity(self, payload: Payload) -> dict[str, Any]:
        """Vendor, model, serial, firmware, as far as given (ChargingStationType)."""
        names = {"vendor": "vendorName", "model": "model", "serial": "serialNumber", "firmware": "firmwareVersion"}
        said = member(payload, "chargingStation")
        return {ours: text(said[theirs]) for ours, theirs in names.items() if theirs in said}

    def boot_facts(self, payload: Payload) -> Iterable[Fact]:
        """A boot; what was read of the variables before it may no longer hold. Transactions may go on (2.1 E17)."""
        self._variables.clear()
        known = self.identity(payload)
        data: dict[str, Any] = {key: known.get(key) for key in ("model", "vendor", "firmware")}
        data["reason"] = string(payload.get("reason"))
        yield self._fact("ocpp.boot", None, **data)

    def claim(self, action: str, payload: Payload) -> tuple[str, bool] | None:
        """The claimed time, and whether the message may have waited in the station."""
        stamp: Any = payload.get(TIMES.get(action, ""))
        if action == "MeterValues":
            values = objects(payload.get("meterValue"))
            stamp = values[-1].get("timestamp") if values else None
        return (stamp, action not in NOT_QUEUED) if isinstance(stamp, str) else None

    def _fact(self, topic: str, evse: int | None, /, *, own: bool = False, **data: Any) -> Fact:
        return Fact(topic, {"station": self._station, **data}, evse, own=own)
