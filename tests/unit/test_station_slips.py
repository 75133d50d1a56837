"""What the simulated station says wrong: only that, and in a form that the schemas allow."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pilotbench.bench.twin.station.messages import Message
from pilotbench.bench.twin.station.schemas import Schemas
from pilotbench.bench.twin.station.slips import SLIPS, Slips

AT = "2026-11-21T10:00:00.250Z"
REGISTER = "Energy.Active.Import.Register"


def sampled16(value: str = "1500.0", context: str = "Sample.Periodic") -> dict[str, Any]:
    one = {"value": value, "context": context, "measurand": REGISTER, "unit": "Wh"}
    return {"timestamp": AT, "sampledValue": [one]}


def sampled2(value: float = 1500.0, context: str = "Sample.Periodic") -> dict[str, Any]:
    one = {"value": value, "context": context, "measurand": REGISTER, "unitOfMeasure": {"unit": "Wh"}}
    return {"timestamp": AT, "sampledValue": [one]}


def event(kind: str, seq_no: int, tx: str = "tx-1", **info: Any) -> Message:
    payload: dict[str, Any] = {
        "eventType": kind,
        "timestamp": AT,
        "triggerReason": "RemoteStop" if kind == "Ended" else "ChargingStateChanged",
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": tx, **info},
        "evse": {"id": 1, "connectorId": 1},
        "meterValue": [sampled2()],
    }
    return Message("TransactionEvent", payload)


def status16(status: str, connector: int = 1) -> Message:
    said = {"connectorId": connector, "errorCode": "NoError", "status": status, "timestamp": AT}
    return Message("StatusNotification", said)


def status2(status: str) -> Message:
    said = {"timestamp": AT, "connectorStatus": status, "evseId": 1, "connectorId": 1}
    return Message("StatusNotification", said)


TALK: dict[str, list[Message]] = {
    "1.6": [
        status16("Available"),
        status16("Preparing"),
        Message("StartTransaction", {"connectorId": 1, "idTag": "T", "meterStart": 1500, "timestamp": AT}),
        status16("Charging"),
        Message("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [sampled16()]}),
        Message("MeterValues", {"connectorId": 1, "transactionId": 1, "meterValue": [sampled16("1600.0")]}),
        status16("SuspendedEV"),
        Message(
            "StopTransaction",
            {
                "meterStop": 1600,
                "timestamp": AT,
                "transactionId": 1,
                "reason": "Remote",
                "idTag": "T",
                "transactionData": [sampled16("1600.0", "Transaction.End")],
            },
        ),
        status16("Finishing"),
        status16("Available"),
    ],
    "2.1": [
        status2("Available"),
        status2("Occupied"),
        event("Started", 0, chargingState="EVConnected", remoteStartId=7),
        event("Updated", 1, chargingState="Charging"),
        event("Updated", 2, chargingState="SuspendedEV"),
        event("Ended", 3, chargingState="EVConnected", stoppedReason="Remote"),
        event("Started", 0, "tx-2"),
        status2("Available"),
    ],
}
TALK["2.0.1"] = TALK["2.1"]


def said(version: str, *names: str) -> list[Message]:
    slips = Slips(names)
    return [one for message in TALK[version] for one in slips.said(message)]


@pytest.mark.parametrize("version", TALK)
@pytest.mark.parametrize("name", SLIPS)
def test_what_is_said_fits_the_schema_and_the_original_is_untouched(name: str, version: str) -> None:
    before = copy.deepcopy(TALK[version])
    schemas = Schemas(version)
    for message in said(version, name):
        schemas.check(message.action, message.payload, response=False)
    assert TALK[version] == before


def test_without_slips_everything_is_as_it_is() -> None:
    for version, talk in TALK.items():
        assert said(version) == talk


def test_a_slip_changes_its_own_matter_only() -> None:
    twice = said("2.1", "end-twice")
    assert [one for one in twice if one.payload.get("seqNo") != 4] == TALK["2.1"]
    assert [one.payload["eventType"] for one in twice if one.payload.get("seqNo") == 4] == ["Ended"]
    assert [one.payload["seqNo"] for one in said("2.1", "seq-skips") if "seqNo" in one.payload] == [0, 2, 4, 6, 0]
    ids = {
        one.payload["transactionInfo"]["transactionId"] for one in said("2.1", "same-tx-id") if "seqNo" in one.payload
    }
    assert ids == {"tx-1"}
    told = [one.payload["status"] for one in said("1.6", "never-free-again") if one.action == "StatusNotification"]
    assert told == ["Available", "Preparing", "Charging", "SuspendedEV", "Finishing"]
    assert [one.payload["connectorId"] for one in said("1.6", "connector-zero")[:2]] == [1, 0]
    told = [one.payload["status"] for one in said("1.6", "always-charging") if one.action == "StatusNotification"]
    assert told == ["Available", "Preparing", "Charging", "Charging", "Finishing", "Available"]
    end = next(one for one in said("1.6", "remote-as-local") if one.action == "StopTransaction")
    assert end.payload["reason"] == "Local"
    asked = [one.action for one in said("1.6", "asks-to-stop")]
    assert asked[asked.index("StopTransaction") - 1] == "Authorize"


def test_times_and_units() -> None:
    def first(name: str) -> dict[str, Any]:
        return next(one.payload["meterValue"][0] for one in said("1.6", name) if one.action == "MeterValues")

    assert first("two-hours-ahead")["timestamp"] == "2026-11-21T12:00:00.250Z"
    assert first("with-offset")["timestamp"] == "2026-11-21T12:00:00.250+02:00"
    assert first("whole-seconds")["timestamp"] == "2026-11-21T10:00:00Z"
    assert first("in-kwh")["sampledValue"][0] == {**sampled16()["sampledValue"][0], "value": "1.5000", "unit": "kWh"}
    assert first("kwh-called-wh")["sampledValue"][0] == {**sampled16()["sampledValue"][0], "value": "1.5000"}
    assert first("terse")["sampledValue"][0] == {"value": "1500.0"}
    values = [one.payload["meterValue"][0]["sampledValue"][0]["value"] for one in said("1.6", "register-zero")[4:6]]
    assert values == ["1500.0", "0.0"]


def test_message_ids() -> None:
    assert [Slips(ids="count").message_id() for _ in range(2)] == ["1", "1"]
    counted, cycled, unique = Slips(ids="count"), Slips(ids="cycle"), Slips()
    assert [counted.message_id() for _ in range(3)] == ["1", "2", "3"]
    assert len({cycled.message_id() for _ in range(9)}) == 4
    assert len({unique.message_id() for _ in range(9)}) == 9


def test_answers() -> None:
    talk = Slips(["stop-is-talk"])
    assert talk.instead("RemoteStopTransaction") == {"status": "Accepted"}
    assert talk.instead("Reset") is None
    lies = Slips(["scheduled-as-accepted"])
    assert lies.answered("ChangeAvailability", {}, {"status": "Scheduled"}) == {"status": "Accepted"}
    assert lies.answered("ChangeAvailability", {}, {"status": "Rejected"}) == {"status": "Rejected"}
    ended = Slips(["ongoing-as-ended"])
    asked = {"transactionId": "tx-1"}
    answer = {"ongoingIndicator": True, "messagesInQueue": True}
    assert ended.answered("GetTransactionStatus", asked, answer)["ongoingIndicator"] is False
    assert ended.answered("GetTransactionStatus", {}, {"messagesInQueue": False}) == {"messagesInQueue": False}


def test_what_a_request_is_taken_for() -> None:
    off = Slips(["puts-reset-off"])
    asked = {"type": "Immediate", "evseId": 1}
    assert off.heard("Reset", asked) == {"type": "OnIdle", "evseId": 1}
    assert asked["type"] == "Immediate"
    assert off.heard("Reset", {"type": "OnIdle"}) == {"type": "OnIdle"}
    assert off.heard("ChangeAvailability", {"type": "Immediate"}) == {"type": "Immediate"}
    hasty = Slips(["does-not-wait"])
    assert hasty.heard("Reset", {"type": "OnIdle"}) == {"type": "Immediate"}
    assert hasty.answered("Reset", {"type": "OnIdle"}, {"status": "Accepted"}) == {"status": "Scheduled"}


def test_a_slip_that_there_is_not() -> None:
    with pytest.raises(KeyError):
        Slips(["no-such-slip"])
