"""One charging session as stations of OCPP 1.6, 2.0.1 and 2.1 tell it, and what plays messages to an adapter.

Every message is checked against the schema of its version before the adapter sees it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
from pilotbench.bench.csms.dialect import Adapter, Fact
from pilotbench.bench.csms.schemas import Schemas
from pilotbench.bench.csms.v16.adapter import Adapter16
from pilotbench.bench.csms.v21.adapter import Adapter21
from pilotbench.bench.csms.v201.adapter import Adapter201
from pilotbench.bench.timeline import keys_of

VERSIONS = ("1.6", "2.0.1", "2.1")
SCHEMAS = {"1.6": Schemas("v16"), "2.0.1": Schemas("v201", "Request"), "2.1": Schemas("v21", "Request")}
TOKEN = {"idToken": "04A2", "type": "ISO14443"}
EVSE = {"id": 1, "connectorId": 1}
Message = tuple[str, str, dict[str, Any], dict[str, Any], dict[str, Any]]


def adapter_of(version: str) -> Adapter:
    return {"1.6": Adapter16, "2.0.1": Adapter201, "2.1": Adapter21}[version]("CP1")


def at(second: int) -> str:
    return f"2026-11-21T10:{second // 60:02d}:{second % 60:02d}Z"


def rx(action: str, payload: dict[str, Any], reply: dict[str, Any] | None = None, **notes: Any) -> Message:
    """A request of the station and its answer."""
    return ("rx", action, payload, reply or {}, notes)


def tx(action: str, payload: dict[str, Any], answer: dict[str, Any]) -> Message:
    """A request of the back end and the station's answer."""
    return ("tx", action, payload, answer, {})


def _send_schema() -> Any:
    spec = importlib.util.find_spec("ocpp")
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0]) / "v21/schemas/NotifyPeriodicEventStream.json"
    return jsonschema_rs.validator_for(msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf")))


def check(version: str, messages: list[Message]) -> None:
    """Every message is one that the version's schemas allow."""
    for _, action, payload, answer, _ in messages:
        if action == "NotifyPeriodicEventStream":
            _send_schema().validate(payload)
            continue
        for side, sent in (("request", payload), ("response", answer)):
            faults = SCHEMAS[version].check(action, side, sent)
            assert not faults, (version, action, side, [fault.text for fault in faults])


def told(adapter: Adapter, messages: list[Message]) -> list[Fact]:
    """What an adapter makes of messages; every event stands in the vocabulary, with no other key than its own."""
    facts: list[Fact] = []
    for way, action, payload, answer, notes in messages:
        if way == "tx":
            facts += adapter.answered(action, payload, answer)
            continue
        facts += adapter.heard(action, payload)
        if action == "BootNotification":
            facts += adapter.boot_facts(payload)
        facts += adapter.replied(action, payload, answer, notes)
    for fact in facts:
        keys = keys_of(fact.topic)
        assert keys is not None
        assert set(fact.data) <= set(keys), (fact.topic, set(fact.data) - set(keys))
    return facts


def tell(version: str, messages: list[Message]) -> list[Fact]:
    """As `told`, by a new adapter, with messages that were checked."""
    check(version, messages)
    return told(adapter_of(version), messages)


def session(version: str) -> list[Message]:
    """Boot, plug, remote start, charge, the vehicle pauses, remote stop, unplug."""
    return _session_16() if version == "1.6" else _session_2x(version)


def _session_16() -> list[Message]:
    def status(word: str, second: int) -> Message:
        return rx(
            "StatusNotification",
            {"connectorId": 1, "errorCode": "NoError", "status": word, "timestamp": at(second)},
        )

    def sample(value: str, context: str, second: int) -> dict[str, Any]:
        kwh = {"value": value, "context": context, "unit": "kWh"}
        amps = {"value": "15.9", "context": context, "measurand": "Current.Import", "phase": "L1", "unit": "A"}
        return {"timestamp": at(second), "sampledValue": [kwh, amps]}

    def values(value: str, context: str, second: int) -> Message:
        entry = sample(value, context, second)
        return rx("MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": [entry]})

    boot = {"chargePointVendor": "Vendor", "chargePointModel": "Model", "firmwareVersion": "1.2"}
    start = {"connectorId": 1, "idTag": "04A2", "meterStart": 1000, "timestamp": at(20)}
    stop = {"transactionId": 7, "meterStop": 1500, "timestamp": at(60), "reason": "Remote"}
    stop["transactionData"] = [sample("1.500", "Transaction.End", 60)]
    return [
        rx("BootNotification", boot, {"status": "Accepted", "currentTime": at(0), "interval": 300}),
        status("Available", 1),
        status("Preparing", 10),
        tx("RemoteStartTransaction", {"idTag": "04A2", "connectorId": 1}, {"status": "Accepted"}),
        rx("StartTransaction", start, {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}),
        values("1.000", "Transaction.Begin", 20),
        status("Charging", 22),
        values("1.250", "Sample.Periodic", 40),
        status("SuspendedEV", 50),
        tx("RemoteStopTransaction", {"transactionId": 7}, {"status": "Accepted"}),
        rx("StopTransaction", stop, {}, connector=1, orphan=False),
        status("Available", 70),
    ]


def _session_2x(version: str) -> list[Message]:
    def status(word: str, second: int) -> Message:
        if version == "2.0.1":
            return rx(
                "StatusNotification",
                {"evseId": 1, "connectorId": 1, "connectorStatus": word, "timestamp": at(second)},
            )
        return event("Connector", "AvailabilityState", word, second, evse=EVSE)

    def sample(value: float, context: str, second: int) -> list[dict[str, Any]]:
        kwh = {"value": value, "context": context, "unitOfMeasure": {"unit": "kWh"}}
        unit = {"unit": "A", "multiplier": -1}
        amps = {"value": 159, "context": context, "measurand": "Current.Import", "phase": "L1", "unitOfMeasure": unit}
        return [{"timestamp": at(second), "sampledValue": [kwh, amps]}]

    boot = {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": "Vendor", "model": "Model", "firmwareVersion": "1.2"},
    }
    ask = {"remoteStartId": 5, "idToken": TOKEN, "evseId": 1}
    accepted = {"idTokenInfo": {"status": "Accepted"}}
    return [
        rx("BootNotification", boot, {"status": "Accepted", "currentTime": at(0), "interval": 300}),
        status("Available", 1),
        status("Occupied", 10),
        tx("RequestStartTransaction", ask, {"status": "Accepted"}),
        transaction(
            "Started",
            0,
            "RemoteStart",
            20,
            {"remoteStartId": 5},
            accepted,
            evse=EVSE,
            idToken=TOKEN,
            meterValue=sample(1.0, "Transaction.Begin", 20),
        ),
        transaction("Updated", 1, "ChargingStateChanged", 22, {"chargingState": "Charging"}),
        transaction("Updated", 2, "MeterValuePeriodic", 40, meterValue=sample(1.25, "Sample.Periodic", 40)),
        transaction("Updated", 3, "ChargingStateChanged", 50, {"chargingState": "SuspendedEV"}),
        tx("RequestStopTransaction", {"transactionId": "t-1"}, {"status": "Accepted"}),
        transaction(
            "Ended", 4, "RemoteStop", 60, {"stoppedReason": "Remote"}, meterValue=sample(1.5, "Transaction.End", 60)
        ),
        status("Available", 70),
    ]


def transaction(
    kind: str,
    seq_no: int,
    trigger: str,
    second: int,
    info: dict[str, Any] | None = None,
    reply: dict[str, Any] | None = None,
    **more: Any,
) -> Message:
    """A TransactionEvent of transaction t-1."""
    payload = {"eventType": kind, "seqNo": seq_no, "triggerReason": trigger, "timestamp": at(second)}
    return rx(
        "TransactionEvent", {**payload, "transactionInfo": {"transactionId": "t-1", **(info or {})}, **more}, reply
    )


def event(
    component: str, variable: str, value: str, second: int = 0, evse: dict[str, int] | None = None, **more: Any
) -> Message:
    """A NotifyEvent with one element."""
    place = {"name": component, **({"evse": evse} if evse else {})}
    entry = {
        "eventId": 1,
        "timestamp": at(second),
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": place,
        "variable": {"name": variable},
        **more,
    }
    return rx("NotifyEvent", {"generatedAt": at(second), "seqNo": 0, "eventData": [entry]})
