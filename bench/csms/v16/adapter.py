"""Messages of OCPP 1.6 as events of the vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from ..dialect import Fact, Payload, Request, Trigger
from .actions import describe, evse_of, text, verdict

__all__ = ["Adapter16", "register_wh"]

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

REGISTER = "Energy.Active.Import.Register"
PER_CONNECTOR = frozenset({"MeterValues", "StatusNotification"})
QUEUED = frozenset({"MeterValues", "StartTransaction", "StopTransaction"})
"""Messages that wait in the station while it is offline (1.6 section 3.7)."""


class Adapter16:
    """The adapter of one station; it remembers what was read of its configuration."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._config: dict[str, str] = {}
        self._unknown: set[str] = set()

    def heard(self, action: str, payload: Payload) -> Iterable[Fact]:
        """Facts in a request of the station."""
        if action == "Heartbeat":
            yield self._fact("ocpp.heartbeat", None)
        elif action == "StatusNotification":
            status = text(payload.get("status"))
            yield self._fact(
                "ocpp.status",
                evse_of(payload),
                connector=payload.get("connectorId"),
                status=status,
                logical=LOGICAL.get(status, "unknown"),
                error=text(payload.get("errorCode")),
                claim=payload.get("timestamp"),
            )
        elif action == "MeterValues":
            yield from self._registers(payload.get("meterValue"), payload.get("transactionId"), evse_of(payload))

    def replied(self, action: str, payload: Payload, reply: Payload, notes: Payload) -> Iterable[Fact]:
        """Facts that need the answer: who may charge, and which transaction it became."""
        if action == "BootNotification":
            status, interval_s = text(reply.get("status")), reply.get("interval")
            yield self._own("ocpp.boot.answered", None, status=status, interval_s=interval_s)
        elif action == "Authorize":
            yield self._authorized(payload, reply, "authorize", None)
        elif action == "StartTransaction" and not notes.get("repeated"):
            evse = evse_of(payload)
            yield self._fact(
                "ocpp.tx.started",
                evse,
                tx=reply.get("transactionId"),
                id_tag=text(payload.get("idTag")),
                meter_wh=text(payload.get("meterStart")),
                claim=payload.get("timestamp"),
                accepted=_status(reply) == "Accepted",
            )
            yield self._authorized(payload, reply, "start", evse)
        elif action == "StopTransaction" and not notes.get("repeated"):
            connector, tx = notes.get("connector"), payload.get("transactionId")
            # The registers of transactionData belong to the time before the end.
            yield from self._registers(payload.get("transactionData"), tx, connector)
            yield self._fact(
                "ocpp.tx.ended",
                connector,
                tx=tx,
                # 1.6 section 6.49: a missing reason is Local.
                reason=text(payload.get("reason") or "Local"),
                meter_wh=text(payload.get("meterStop")),
                claim=payload.get("timestamp"),
                orphan=bool(notes.get("orphan")),
            )

    def answered(self, action: str, payload: Payload, answer: Payload) -> Iterable[Fact]:
        """What the station's answer to a request of the back end says."""
        accepted, status = verdict(answer)
        said = {"accepted": accepted, "status": status}
        args = describe(action, payload).args
        if action == "SetChargingProfile":
            evse = evse_of(payload)
            data = {"connector": payload.get("connectorId"), **args, **said}
            data.setdefault("limit_a", None)
            data.pop("evse", None)
            data["stack_level"] = payload.get("csChargingProfiles", {}).get("stackLevel")
            yield self._fact("csms.charging_profile", evse, **data)
        elif action == "ClearChargingProfile":
            yield self._fact("csms.profile_cleared", evse_of(payload), args=args, **said)
        elif action == "RemoteStartTransaction":
            id_tag, evse = args["id_tag"], evse_of(payload)
            yield self._fact("csms.remote_start", evse, id_tag=id_tag, **said)
            if accepted:
                # 1.6 section 5.11: with AuthorizeRemoteTxRequests=false the request is the authorisation.
                yield self._fact("ocpp.authorized", evse, id_tag=id_tag, status="Accepted", accepted=True, how="remote")
        elif action == "RemoteStopTransaction":
            yield self._fact("csms.remote_stop", None, tx=args["tx"], **said)
        elif action == "Reset":
            yield self._fact("csms.reset", None, type=payload.get("type"), **said)
        elif action == "GetConfiguration":
            yield self._configuration(answer)

    def describe(self, action: str, payload: Payload) -> Request:
        """See `actions.describe`."""
        return describe(action, payload)

    def verdict(self, action: str, answer: Payload) -> tuple[bool, str]:
        """See `actions.verdict`."""
        return verdict(answer)

    def triggered(self, action: str, payload: Payload, answer: Payload) -> Trigger | None:
        """An accepted TriggerMessage (or the whitepaper's extended one) promises one message, or one per connector."""
        if action not in ("TriggerMessage", "ExtendedTriggerMessage") or answer.get("status") != "Accepted":
            return None
        message = text(payload.get("requestedMessage"))
        return Trigger(message, payload.get("connectorId"), message in PER_CONNECTOR)

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
        known = self.identity(payload)
        data = {key: known.get(key) for key in ("model", "vendor", "firmware")}
        yield self._fact("ocpp.boot", None, **data)

    def claim(self, action: str, payload: Payload) -> tuple[str, bool] | None:
        """The claimed time: `timestamp`, or that of the last meter value."""
        stamp: Any = payload.get("timestamp")
        if action == "MeterValues":
            values = _objects(payload.get("meterValue"))
            stamp = values[-1].get("timestamp") if values else None
        return (stamp, action in QUEUED) if isinstance(stamp, str) else None

    def _authorized(self, payload: Payload, reply: Payload, how: str, evse: int | None) -> Fact:
        status = _status(reply)
        data: dict[str, Any] = {"id_tag": text(payload.get("idTag")), "status": status}
        return self._own("ocpp.authorized", evse, **data, accepted=status == "Accepted", how=how)

    def _configuration(self, answer: Payload) -> Fact:
        for entry in _objects(answer.get("configurationKey")):
            self._config[text(entry.get("key"))] = text(entry.get("value"))
        unknown = answer.get("unknownKey")
        self._unknown.update(text(key) for key in cast("list[Any]", unknown if isinstance(unknown, list) else []))
        return self._fact("station.config", None, values=dict(self._config), unknown=sorted(self._unknown))

    def _registers(self, meter_values: Any, tx: Any, evse: int | None) -> Iterator[Fact]:
        for meter_value in _objects(meter_values):
            for sample in _objects(meter_value.get("sampledValue")):
                value_wh = register_wh(sample)
                if value_wh is not None:
                    yield self._fact(
                        "ocpp.register",
                        evse,
                        tx=tx,
                        context=text(sample.get("context") or "Sample.Periodic"),
                        value_wh=value_wh,
                        claim=meter_value.get("timestamp"),
                    )

    def _fact(self, topic: str, evse: int | None, /, **data: Any) -> Fact:
        return Fact(topic, {"station": self._station, **data}, evse)

    def _own(self, topic: str, evse: int | None, /, **data: Any) -> Fact:
        """A fact about the back end's own answer."""
        return Fact(topic, {"station": self._station, **data}, evse, own=True)


def register_wh(sample: Payload) -> str | None:
    """A sample of the outlet's total import register in Wh, as decimal text; None for any other sample.

    Defaults of 1.6 section 7.43: measurand Energy.Active.Import.Register, location Outlet, unit Wh,
    format Raw. kWh moves the decimal point and loses no digit.
    """
    if sample.get("measurand", REGISTER) != REGISTER or sample.get("phase") is not None:
        return None
    if sample.get("location", "Outlet") != "Outlet" or sample.get("format", "Raw") != "Raw":
        return None
    try:
        value = Decimal(text(sample.get("value")).strip())
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value.adjusted()) > 30:
        return None
    unit = sample.get("unit", "Wh")
    if unit not in ("Wh", "kWh"):
        return None
    return format(value.scaleb(3) if unit == "kWh" else value, "f")


def _status(reply: Payload) -> str:
    info = reply.get("idTagInfo")
    return text(cast("Payload", info).get("status")) if isinstance(info, dict) else ""


def _objects(value: Any) -> list[Payload]:
    if not isinstance(value, list):
        return []
    return [cast("Payload", entry) for entry in cast("list[Any]", value) if isinstance(entry, dict)]
