"""Messages of OCPP 1.6 as events of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from ..dialect import Fact, Payload, Request, Trigger
from ..fields import integer, member, objects, security_event, string
from ..measured import Reading, reading, reading_facts
from ..transaction import transaction_fact
from .actions import describe, evse_of, text, triggered, verdict
from .asked_facts import asked_facts
from .problems import Problems

__all__ = ["Adapter16"]

LOGICAL = {
    "Available": "available",
    "Preparing": "occupied",
    "Charging": "occupied",
    "SuspendedEV": "occupied",
    "SuspendedEVSE": "occupied",
    "Finishing": "occupied",
    "Reserved": "reserved",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}
"""ChargePointStatus (1.6 section 7.7) -> the status that every version has."""

CHARGING = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
"""Statuses of a connector that say how its transaction is doing (section 4.9); 2.x calls them charging states."""

QUEUED = frozenset({"MeterValues", "StartTransaction", "StopTransaction"})
"""Messages that wait in the station while it is offline (1.6 section 3.7)."""


class Adapter16:
    """The adapter of one station.

    It remembers what was read of its configuration, the faults it named, and for each connector the last
    status and the transaction that runs there: 1.6 tells of a transaction's progress by the status only.
    """

    def __init__(self, station: str) -> None:
        self._station = station
        self._config: dict[str, str] = {}
        self._unknown: set[str] = set()
        self._problems = Problems(station)
        self._charging: dict[int, str | None] = {}
        self._running: dict[int, Any] = {}

    def heard(self, action: str, payload: Payload) -> Iterable[Fact]:
        """Facts in a request of the station."""
        if action == "MeterValues":
            return self._measured(payload.get("meterValue"), payload.get("transactionId"), evse_of(payload))
        return self._told(action, payload)

    def _told(self, action: str, payload: Payload) -> Iterator[Fact]:
        if action == "Heartbeat":
            yield self._fact("ocpp.heartbeat", None)
        elif action == "StatusNotification":
            yield from self._status(payload)
        elif action == "SecurityEventNotification":
            yield self._fact("ocpp.security_event", None, **security_event(payload))

    def replied(self, action: str, payload: Payload, reply: Payload, notes: Payload) -> Iterable[Fact]:
        """Facts that need the answer: who may charge, and which transaction it became."""
        if action == "BootNotification":
            status, interval_s = text(reply.get("status")), reply.get("interval")
            yield self._own("ocpp.boot.answered", None, status=status, interval_s=interval_s)
        elif action == "Authorize":
            yield self._authorized(payload, reply, "authorize", None)
        elif action == "StartTransaction" and not notes.get("repeated"):
            yield self._started(payload, reply)
            yield self._authorized(payload, reply, "start", evse_of(payload))
        elif action == "StopTransaction" and not notes.get("repeated"):
            # The registers of transactionData belong to the time before the end.
            tx, evse = payload.get("transactionId"), notes.get("connector")
            yield from self._measured(payload.get("transactionData"), tx, evse)
            yield self._ended(payload, notes)

    def answered(self, action: str, payload: Payload, answer: Payload) -> Iterable[Fact]:
        """What the station's answer to a request of the back end says."""
        if action == "GetConfiguration":
            yield self._configuration(answer, complete=not payload.get("key"))
        else:
            yield from asked_facts(self._station, action, payload, answer)

    def describe(self, action: str, payload: Payload) -> Request:
        """See `actions.describe`."""
        return describe(action, payload)

    def offers(self, action: str, payload: Payload, reply: Payload) -> Request | None:
        """No answer of a central system lets anything flow but by its word on a token."""
        return None

    def verdict(self, action: str, answer: Payload) -> tuple[bool, str]:
        """See `actions.verdict`."""
        return verdict(answer, action)

    def triggered(self, action: str, payload: Payload, answer: Payload) -> Trigger | None:
        """See `actions.triggered`."""
        return triggered(action, payload, answer)

    def connector(self, action: str, payload: Payload) -> int | None:
        """The connector a request speaks of."""
        connector = payload.get("connectorId")
        return connector if type(connector) is int else None

    def identity(self, payload: Payload) -> dict[str, Any]:
        """Vendor, model, serial, firmware, as far as given (1.6 section 6.3)."""
        names = {
            "vendor": "chargePointVendor",
            "model": "chargePointModel",
            "serial": "chargePointSerialNumber",
            "firmware": "firmwareVersion",
        }
        return {ours: text(payload[theirs]) for ours, theirs in names.items() if theirs in payload}

    def boot_facts(self, payload: Payload) -> Iterable[Fact]:
        """A boot; what was read of the configuration before it may no longer hold."""
        self._config.clear()
        self._unknown.clear()
        self._problems.forget()
        known = self.identity(payload)
        data = {key: known.get(key) for key in ("model", "vendor", "firmware")}
        yield self._fact("ocpp.boot", None, **data, reason=None)

    def claim(self, action: str, payload: Payload) -> tuple[str, bool] | None:
        """The claimed time: `timestamp`, or that of the last meter value."""
        stamp: Any = payload.get("timestamp")
        if action == "MeterValues":
            values = objects(payload.get("meterValue"))
            stamp = values[-1].get("timestamp") if values else None
        return (stamp, action in QUEUED) if isinstance(stamp, str) else None

    def _status(self, payload: Payload) -> Iterator[Fact]:
        status, evse, claim = text(payload.get("status")), evse_of(payload), payload.get("timestamp")
        connector = payload.get("connectorId")
        yield self._fact(
            "ocpp.status",
            evse,
            connector=connector,
            component="ChargingStation" if integer(connector) == 0 else "Connector",
            status=status,
            logical=LOGICAL.get(status, "unknown"),
            error=text(payload.get("errorCode")),
            claim=claim,
            via="StatusNotification",
        )
        yield from self._problems.heard(payload)
        if evse is None:
            return
        state = status if status in CHARGING else None
        before, self._charging[evse] = self._charging.get(evse), state
        if state is not None and state != before and evse in self._running:
            tx = self._running[evse]
            known = {"connector": connector, "charging_state": state, "claim": string(claim)}
            yield transaction_fact("ocpp.tx.updated", self._station, evse, tx=tx, **known, via="StatusNotification")

    def _started(self, payload: Payload, reply: Payload) -> Fact:
        evse, tx = evse_of(payload), reply.get("transactionId")
        if evse is not None:
            self._running[evse] = tx
        return transaction_fact(
            "ocpp.tx.started",
            self._station,
            evse,
            tx=tx,
            connector=payload.get("connectorId"),
            id_tag=text(payload.get("idTag")),
            meter_wh=text(payload.get("meterStart")),
            claim=payload.get("timestamp"),
            accepted=_status(reply) == "Accepted",
            reservation=integer(payload.get("reservationId")),
            charging_state=None if evse is None else self._charging.get(evse),
            via="StartTransaction",
        )

    def _ended(self, payload: Payload, notes: Payload) -> Fact:
        tx, connector = payload.get("transactionId"), notes.get("connector")
        for evse in [evse for evse, running in self._running.items() if running == tx]:
            del self._running[evse]
        return transaction_fact(
            "ocpp.tx.ended",
            self._station,
            connector,
            tx=tx,
            connector=connector,
            id_tag=string(payload.get("idTag")),
            # 1.6 section 6.49: a missing reason is Local.
            reason=text(payload.get("reason") or "Local"),
            meter_wh=text(payload.get("meterStop")),
            claim=payload.get("timestamp"),
            orphan=bool(notes.get("orphan")),
            via="StopTransaction",
        )

    def _authorized(self, payload: Payload, reply: Payload, how: str, evse: int | None) -> Fact:
        status = _status(reply)
        data: dict[str, Any] = {"id_tag": text(payload.get("idTag")), "status": status}
        data |= {"accepted": status == "Accepted", "how": how, "tx": reply.get("transactionId")}
        return self._own("ocpp.authorized", evse, **data)

    def _configuration(self, answer: Payload, *, complete: bool) -> Fact:
        """`complete`: no key was asked for, so what is not in the answer the station does not have (chapter 9)."""
        for entry in objects(answer.get("configurationKey")):
            key = text(entry.get("key"))
            self._config[key] = text(entry.get("value"))
            self._unknown.discard(key)
        unknown = answer.get("unknownKey")
        self._unknown.update(text(key) for key in cast("list[Any]", unknown if isinstance(unknown, list) else []))
        known = {"values": dict(self._config), "unknown": sorted(self._unknown)}
        return self._fact("station.config", None, **known, complete=complete)

    def _measured(self, meter_values: Any, tx: Any, evse: int | None) -> list[Fact]:
        return reading_facts(self._station, _readings(meter_values), tx, evse)

    def _fact(self, topic: str, evse: int | None, /, **data: Any) -> Fact:
        return Fact(topic, {"station": self._station, **data}, evse)

    def _own(self, topic: str, evse: int | None, /, **data: Any) -> Fact:
        """A fact about the back end's own answer."""
        return Fact(topic, {"station": self._station, **data}, evse, own=True)


def _readings(meter_values: Any) -> Iterator[Reading]:
    """The samples of meter values (section 7.43); signed data is no number and stays in the message."""
    for meter_value in objects(meter_values):
        claim = string(meter_value.get("timestamp"))
        for sample in objects(meter_value.get("sampledValue")):
            if sample.get("format", "Raw") != "Raw":
                continue
            one = reading(
                sample.get("value"),
                measurand=sample.get("measurand"),
                context=sample.get("context"),
                location=sample.get("location"),
                phase=sample.get("phase"),
                unit=sample.get("unit"),
                claim=claim,
            )
            if one is not None:
                yield one


def _status(reply: Payload) -> str:
    return text(member(reply, "idTagInfo").get("status"))
