"""The adapters of OCPP 2.0.1 and 2.1: messages that the schemas allow, and what they say in the vocabulary."""

from __future__ import annotations

from typing import Any

import pytest
from pilotbench.bench.csms.asked import AskedFor
from pilotbench.bench.csms.dialect import Fact, Trigger

from tellings import EVSE, TOKEN, Message, adapter_of, at, check, event, rx, session, tell, told, transaction, tx

BOTH = pytest.mark.parametrize("version", ["2.0.1", "2.1"])
ACCEPTED = {"idTokenInfo": {"status": "Accepted"}}
NAMES = [{"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}]


def only(facts: list[Fact], topic: str) -> list[Fact]:
    return [fact for fact in facts if fact.topic == topic]


def one(facts: list[Fact], topic: str) -> Fact:
    (fact,) = only(facts, topic)
    return fact


def has(fact: Fact, **wanted: object) -> bool:
    return {key: fact.data[key] for key in wanted} == wanted


# ---- transactions


@BOTH
def test_outlet_and_token_are_remembered_for_a_transaction(version: str) -> None:
    """E01.FR.16, E03.FR.01: said once, so that a later message without them still has its outlet."""
    facts = tell(
        version,
        [
            transaction("Started", 0, "Authorized", 1, idToken=TOKEN, reply=ACCEPTED),
            transaction("Updated", 1, "CablePluggedIn", 2, {"chargingState": "EVConnected"}, evse={"id": 2}),
            transaction("Updated", 2, "ChargingStateChanged", 3, evse={"id": 2, "connectorId": 3}),
            transaction("Updated", 3, "Trigger", 4, reply={"idTokenInfo": {"status": "Blocked"}}),
            transaction("Ended", 4, "EVCommunicationLost", 5, {"stoppedReason": "EVDisconnected"}),
        ],
    )
    started, ended = one(facts, "ocpp.tx.started"), one(facts, "ocpp.tx.ended")
    assert (started.evse, started.data["connector"], started.data["id_tag"]) == (None, None, "04A2")
    updated = [(fact.evse, fact.data["connector"], fact.data["id_tag"]) for fact in only(facts, "ocpp.tx.updated")]
    assert updated == [(2, None, None), (2, 3, None), (2, 3, None)]
    assert (ended.evse, ended.data["connector"]) == (2, 3)
    assert has(ended, tx="t-1", reason="EVDisconnected", orphan=False, meter_wh=None, seq_no=4)
    first, second = only(facts, "ocpp.authorized")
    assert (first.evse, first.own, has(first, id_tag="04A2", accepted=True, how="start", tx="t-1")) == (
        None,
        True,
        True,
    )
    assert (second.evse, has(second, id_tag="04A2", accepted=False, status="Blocked", how="start")) == (2, True)


@BOTH
def test_every_field_of_a_transaction_event_is_told(version: str) -> None:
    more = {"offline": True, "numberOfPhasesUsed": 3, "cableMaxCurrent": 32, "reservationId": 9}
    info = {"chargingState": "SuspendedEVSE", "remoteStartId": 5}
    if version == "2.1":
        info["operationMode"] = "ChargingOnly"
    fact = one(tell(version, [transaction("Started", 6, "RemoteStart", 1, info, **more)]), "ocpp.tx.started")
    assert fact.data == {
        "station": "CP1",
        "tx": "t-1",
        "connector": None,
        "id_tag": None,
        "meter_wh": None,
        "claim": at(1),
        "via": "TransactionEvent",
        "seq_no": 6,
        "trigger": "RemoteStart",
        "charging_state": "SuspendedEVSE",
        "offline": True,
        "remote_start_id": 5,
        "reservation": 9,
        "operation_mode": "ChargingOnly" if version == "2.1" else None,
        "phases_used": 3,
        "cable_a": 32,
        "accepted": None,
    }
    assert one(tell(version, [transaction("Started", 0, "RemoteStart", 1)]), "ocpp.tx.started").data["offline"] is False


@BOTH
def test_a_message_that_is_sent_again_is_one_event(version: str) -> None:
    """E13.FR.02. A new sequence number makes it another message, even with the same time (E02.FR.11)."""
    again = transaction("Updated", 1, "MeterValuePeriodic", 2)
    facts = tell(
        version,
        [transaction("Started", 0, "RemoteStart", 1), again, again, transaction("Updated", 2, "MeterValuePeriodic", 2)],
    )
    assert [fact.data["seq_no"] for fact in only(facts, "ocpp.tx.updated")] == [1, 2]


@BOTH
def test_an_end_without_a_start_is_an_orphan_and_its_reason_is_local(version: str) -> None:
    ended = one(tell(version, [transaction("Ended", 8, "StopAuthorized", 1)]), "ocpp.tx.ended")
    assert has(ended, orphan=True, reason="Local", trigger="StopAuthorized")


@BOTH
def test_a_token_that_stops_lets_nobody_in(version: str) -> None:
    """E07.FR.02: the token of StopAuthorized is answered by Accepted, and that is no authorisation."""
    facts = tell(
        version,
        [
            transaction("Started", 0, "Authorized", 1, idToken=TOKEN, reply=ACCEPTED),
            transaction("Updated", 1, "StopAuthorized", 2, idToken={**TOKEN, "idToken": "BBBB"}, reply=ACCEPTED),
            transaction("Ended", 2, "EVDeparted", 3, idToken=TOKEN, reply=ACCEPTED),
        ],
    )
    assert len(only(facts, "ocpp.authorized")) == 1
    assert one(facts, "ocpp.tx.updated").data["id_tag"] == "BBBB"


@BOTH
def test_transactions_outlive_a_boot(version: str) -> None:
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
    facts = tell(
        version,
        [
            transaction("Started", 0, "CablePluggedIn", 1, evse=EVSE),
            rx("BootNotification", boot, {"status": "Pending", "currentTime": at(2), "interval": 5}),
            transaction("Ended", 1, "AbnormalCondition", 3, {"stoppedReason": "PowerLoss"}),
        ],
    )
    ended = one(facts, "ocpp.tx.ended")
    assert (ended.evse, ended.data["orphan"]) == (1, False)
    assert has(one(facts, "ocpp.boot"), vendor="V", model="M", firmware=None, reason="PowerUp")
    assert has(one(facts, "ocpp.boot.answered"), status="Pending", interval_s=5)


@BOTH
def test_a_trigger_that_only_2_1_has_is_told_as_it_is(version: str) -> None:
    message = transaction("Updated", 1, "TxResumed", 2)
    assert one(told(adapter_of(version), [message]), "ocpp.tx.updated").data["trigger"] == "TxResumed"
    if version == "2.1":
        check(version, [message])


# ---- measured values


def sampled(*samples: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"timestamp": at(7), "sampledValue": list(samples)}]


@BOTH
def test_values_are_registers_or_other_values_with_kilo_and_multiplier_moved(version: str) -> None:
    kwh = {"unit": "kWh", "multiplier": 0}
    samples = [
        {"value": 12.3},
        {"value": 1.25, "unitOfMeasure": kwh, "context": "Transaction.Begin"},
        {"value": 125, "unitOfMeasure": {"unit": "kWh", "multiplier": -2}, "location": "Outlet"},
        {"value": 7, "phase": "L1"},
        {"value": 8, "location": "Inlet"},
        {"value": 4.5, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW", "multiplier": -1}},
        {"value": 0.1, "measurand": "Current.Import", "phase": "L2", "unitOfMeasure": {"unit": "A"}},
        {"value": 50, "measurand": "SoC", "unitOfMeasure": {"unit": "Percent"}},
        {"value": 3, "measurand": "Voltage"},
        {
            "value": 9,
            "signedMeterValue": {
                "signedMeterData": "QQ==",
                "signingMethod": "ECDSA",
                "encodingMethod": "OCMF",
                "publicKey": "QQ==",
            },
        },
    ]
    facts = tell(version, [rx("MeterValues", {"evseId": 2, "meterValue": sampled(*samples)})])
    assert {fact.evse for fact in facts} == {2}
    assert [(fact.data["context"], fact.data["value_wh"]) for fact in only(facts, "ocpp.register")] == [
        ("Sample.Periodic", "12.3"),
        ("Transaction.Begin", "1250"),
        ("Sample.Periodic", "1250"),
        ("Sample.Periodic", "9"),
    ]
    keys = ("measurand", "phase", "location", "value", "unit")
    assert [tuple(fact.data[key] for key in keys) for fact in only(facts, "ocpp.value")] == [
        ("Energy.Active.Import.Register", "L1", "Outlet", "7", "Wh"),
        ("Energy.Active.Import.Register", None, "Inlet", "8", "Wh"),
        ("Power.Active.Import", None, "Outlet", "450", "W"),
        ("Current.Import", "L2", "Outlet", "0.1", "A"),
        ("SoC", None, "Outlet", "50", "Percent"),
        ("Voltage", None, "Outlet", "3", None),
    ]


@BOTH
def test_values_in_a_transaction_stand_before_its_end_and_after_its_start(version: str) -> None:
    begin, end = {"value": 100, "context": "Transaction.Begin"}, {"value": 250, "context": "Transaction.End"}
    facts = tell(
        version,
        [
            transaction("Started", 0, "RemoteStart", 1, evse=EVSE, meterValue=sampled(begin)),
            transaction("Updated", 1, "MeterValuePeriodic", 2, meterValue=sampled({"value": 170})),
            transaction("Ended", 2, "RemoteStop", 3, {"stoppedReason": "Remote"}, meterValue=sampled(begin, end)),
        ],
    )
    assert [fact.topic.removeprefix("ocpp.") for fact in facts] == [
        "tx.started",
        "register",
        "tx.updated",
        "register",
        "register",
        "register",
        "tx.ended",
    ]
    assert {(fact.evse, fact.data["tx"]) for fact in facts} == {(1, "t-1")}
    meters = [fact.data["meter_wh"] for fact in facts if fact.topic.startswith("ocpp.tx")]
    assert meters == ["100", "170", "250"]


@BOTH
def test_an_end_without_a_final_register_has_no_meter_value(version: str) -> None:
    """A periodic sample is of some time before the end, so it is not what the transaction ended with."""
    message = transaction("Ended", 2, "RemoteStop", 3, {"stoppedReason": "Remote"}, meterValue=sampled({"value": 1}))
    assert one(tell(version, [message]), "ocpp.tx.ended").data["meter_wh"] is None


@BOTH
def test_the_main_meter_is_of_no_outlet(version: str) -> None:
    (fact,) = tell(version, [rx("MeterValues", {"evseId": 0, "meterValue": sampled({"value": 5})})])
    assert (fact.evse, fact.data["tx"]) == (None, None)


# ---- state and problems


@BOTH
def test_a_status_is_one_event_by_either_message(version: str) -> None:
    place = {"evseId": 1, "connectorId": 2, "timestamp": at(3)}
    words = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
    by_status = tell(version, [rx("StatusNotification", {**place, "connectorStatus": word}) for word in words])
    by_event = tell(
        version,
        [event("Connector", "AvailabilityState", word, 3, evse={"id": 1, "connectorId": 2}) for word in words],
    )
    assert [fact.data.pop("via") for fact in by_status] == ["StatusNotification"] * 5
    assert [fact.data.pop("via") for fact in by_event] == ["NotifyEvent"] * 5
    assert by_status == by_event
    assert [fact.data["logical"] for fact in by_event] == [word.lower() for word in words]


@BOTH
def test_availability_of_each_tier(version: str) -> None:
    facts = tell(
        version,
        [
            event("EVSE", "AvailabilityState", "Occupied", evse={"id": 2}),
            event("ChargingStation", "AvailabilityState", "Unavailable"),
            event("connector", "availabilityState", "Strange", evse={"id": 2}),
        ],
    )
    told_of = [(f.evse, f.data["component"], f.data["connector"], f.data["logical"]) for f in facts]
    assert told_of == [
        (2, "EVSE", None, "occupied"),
        (None, "ChargingStation", 0, "unavailable"),
        (2, "Connector", None, "unknown"),
    ]


@BOTH
def test_a_problem_and_its_end(version: str) -> None:
    """G05.FR.02: a lock that fails is a problem of ConnectorPlugRetentionLock."""
    facts = tell(
        version,
        [
            event("ConnectorPlugRetentionLock", "Problem", "true", 4, evse=EVSE, techCode="E7", techInfo="jammed"),
            event("ConnectorPlugRetentionLock", "Problem", "false", 5, evse=EVSE),
            event("RCD", "Tripped", "True", 6, evse={"id": 1}),
            event("RCD", "Tripped", "true", 7, evse={"id": 1}, cleared=True),
            event("Tilt", "Problem", "perhaps", 8),
        ],
    )
    keys = ("problem", "active", "component", "variable", "connector", "code", "info", "claim")
    assert [(fact.topic, fact.evse, *(fact.data[key] for key in keys)) for fact in facts] == [
        ("ocpp.problem", 1, "lock", True, "ConnectorPlugRetentionLock@1:1", "Problem", 1, "E7", "jammed", at(4)),
        ("ocpp.problem", 1, "lock", False, "ConnectorPlugRetentionLock@1:1", "Problem", 1, None, None, at(5)),
        ("ocpp.problem", 1, "ground", True, "RCD@1", "Tripped", None, None, None, at(6)),
        ("ocpp.problem", 1, "ground", False, "RCD@1", "Tripped", None, None, None, at(7)),
        ("ocpp.problem", None, "other", None, "Tilt", "Problem", None, None, None, at(8)),
    ]


@BOTH
def test_any_other_variable_is_told_by_its_name(version: str) -> None:
    fact = one(tell(version, [event("CPPWMController", "State", "C", 4, evse={"id": 1})]), "ocpp.variable")
    assert fact.evse == 1
    assert has(fact, name="CPPWMController@1.State", value="C", trigger="Delta", cleared=None, claim=at(4))


@BOTH
def test_reservations_that_are_over(version: str) -> None:
    (fact,) = tell(version, [rx("ReservationStatusUpdate", {"reservationId": 4, "reservationUpdateStatus": "Expired"})])
    assert fact.data == {"station": "CP1", "reservation": 4, "status": "Expired"}


# ---- settings


def result(component: dict[str, Any], variable: dict[str, Any], **more: str) -> dict[str, Any]:
    return {"component": component, "variable": variable, "attributeStatus": "Accepted", **more}


@BOTH
def test_settings_are_read_by_their_names(version: str) -> None:
    comm, attempts = {"name": "OCPPCommCtrlr"}, {"name": "MessageAttempts", "instance": "TransactionEvent"}
    answers = [
        result({"name": "sampledDataCTRLR"}, {"name": "txUpdatedInterval"}, attributeValue="30"),
        result(comm, attempts, attributeValue="3"),
        result({"name": "EVSE", "evse": {"id": 1}}, {"name": "AvailabilityState"}, attributeValue="Available"),
        result({"name": "Connector", "evse": {"id": 1, "connectorId": 2}}, {"name": "Enabled"}, attributeValue="true"),
        result({"name": "Box", "instance": "left"}, {"name": "Open"}, attributeStatus="UnknownVariable"),
        result({"name": "Ctrlr"}, {"name": "Password"}, attributeStatus="Rejected"),
        result(comm, {"name": "RetryBackOffWaitMinimum"}, attributeType="MaxSet", attributeValue="99"),
    ]
    facts = tell(version, [tx("GetVariables", {"getVariableData": NAMES}, {"getVariableResult": answers})])
    assert [fact.topic for fact in facts] == ["station.config"]
    assert facts[0].data["values"] == {
        "SampledDataCtrlr.TxUpdatedInterval": "30",
        "OCPPCommCtrlr.MessageAttempts[TransactionEvent]": "3",
        "EVSE@1.AvailabilityState": "Available",
        "Connector@1:2.Enabled": "true",
    }
    assert facts[0].data["unknown"] == ["Box[left].Open"]


@BOTH
def test_an_answer_of_other_attributes_only_says_nothing_of_the_settings(version: str) -> None:
    answers = [result({"name": "A"}, {"name": "B"}, attributeType="MaxSet", attributeValue="9")]
    assert tell(version, [tx("GetVariables", {"getVariableData": NAMES}, {"getVariableResult": answers})]) == []


def report(seq_no: int, names: list[str], **more: Any) -> Message:
    data = [
        {
            "component": {"name": "TxCtrlr"},
            "variable": {"name": name},
            "variableAttribute": [{"type": "MaxSet", "value": "no"}, {"value": name.lower()}],
        }
        for name in names
    ]
    return rx("NotifyReport", {"requestId": 3, "generatedAt": at(0), "seqNo": seq_no, "reportData": data, **more})


@BOTH
def test_a_report_is_told_at_its_last_part_and_a_boot_makes_it_stale(version: str) -> None:
    boot = {"reason": "RemoteReset", "chargingStation": {"vendorName": "V", "model": "M"}}
    facts = tell(
        version,
        [
            report(0, ["TxStartPoint"], tbc=True),
            report(1, ["TxStopPoint"]),
            rx("BootNotification", boot, {"status": "Accepted", "currentTime": at(2), "interval": 5}),
            report(0, ["EVConnectionTimeOut"]),
        ],
    )
    first, second = only(facts, "station.config")
    assert first.data["values"] == {"TxCtrlr.TxStartPoint": "txstartpoint", "TxCtrlr.TxStopPoint": "txstoppoint"}
    assert second.data["values"] == {"TxCtrlr.EVConnectionTimeOut": "evconnectiontimeout"}


@BOTH
def test_a_report_says_nothing_of_what_was_changed_since_it_was_asked_for(version: str) -> None:
    """Its last part was written before the change and comes after it."""
    place = {"component": {"name": "TxCtrlr"}, "variable": {"name": "TxStopPoint"}}
    written = {"setVariableResult": [{**place, "attributeStatus": "Accepted"}]}
    read = {"getVariableResult": [{**place, "attributeStatus": "Accepted", "attributeValue": "Authorized"}]}
    ask = {"requestId": 3, "reportBase": "FullInventory"}
    facts = tell(
        version,
        [
            tx("GetBaseReport", ask, {"status": "Accepted"}),
            report(0, ["TxStartPoint"], tbc=True),
            tx("SetVariables", {"setVariableData": [{**place, "attributeValue": "Authorized"}]}, written),
            tx("GetVariables", {"getVariableData": [place]}, read),
            report(1, ["TxStopPoint"]),
            tx("GetBaseReport", ask, {"status": "Accepted"}),
            report(0, ["TxStopPoint"]),
        ],
    )
    told = [fact.data["values"]["TxCtrlr.TxStopPoint"] for fact in only(facts, "station.config")]
    assert told == ["Authorized", "Authorized", "txstoppoint"]


@BOTH
def test_settings_that_were_written(version: str) -> None:
    wanted = [
        {"attributeValue": "5", "component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"}},
        {
            "attributeValue": "9",
            "attributeType": "Target",
            "component": {"name": "EVSE", "evse": {"id": 1}},
            "variable": {"name": "Power"},
        },
    ]
    answers = [
        {key: entry[key] for key in entry if key != "attributeValue"} | {"attributeStatus": status}
        for entry, status in zip(wanted, ("RebootRequired", "Rejected"), strict=True)
    ]
    message = tx("SetVariables", {"setVariableData": wanted}, {"setVariableResult": answers})
    facts = tell(version, [message])
    keys = ("key", "value", "accepted", "status")
    assert [tuple(fact.data[key] for key in keys) for fact in facts] == [
        ("TxCtrlr.EVConnectionTimeOut", "5", True, "RebootRequired"),
        ("EVSE@1.Power#Target", "9", False, "Rejected"),
    ]
    adapter = adapter_of(version)
    assert adapter.verdict("SetVariables", message[3]) == (False, "Rejected")
    described = adapter.describe("SetVariables", message[2]).args
    assert described == {"settings": {"TxCtrlr.EVConnectionTimeOut": "5", "EVSE@1.Power#Target": "9"}}


# ---- what the back end asked


def schedule(*limits: float, unit: str = "A", number: int = 1) -> dict[str, Any]:
    periods = [{"startPeriod": 60 * index, "limit": limit} for index, limit in enumerate(limits)]
    return {"id": number, "chargingRateUnit": unit, "chargingSchedulePeriod": periods}


def profile(*schedules: dict[str, Any], number: int = 11, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "stackLevel": 2,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": "t-1",
        "chargingSchedule": list(schedules),
        **more,
    }


@BOTH
def test_a_charging_profile_with_its_first_and_its_highest_limit(version: str) -> None:
    payload = {"evseId": 1, "chargingProfile": profile(schedule(10.0, 16.0, 6.0))}
    (fact,) = tell(version, [tx("SetChargingProfile", payload, {"status": "Accepted"})])
    assert (fact.topic, fact.evse) == ("csms.charging_profile", 1)
    assert fact.data == {
        "station": "CP1",
        "connector": None,
        "limit_a": 10.0,
        "max_limit_a": 16.0,
        "purpose": "TxProfile",
        "tx": "t-1",
        "stack_level": 2,
        "profile_id": 11,
        "accepted": True,
        "status": "Accepted",
    }
    args = adapter_of(version).describe("SetChargingProfile", payload).args
    assert (args["evse"], args["limit_a"], args["max_limit_a"]) == (1, 10.0, 16.0)


@BOTH
def test_schedules_in_two_units_pass_the_gate_with_both_and_leave_the_ampere_open(version: str) -> None:
    payload = {"evseId": 0, "chargingProfile": profile(schedule(8.0), schedule(11000.0, unit="W", number=2))}
    args = adapter_of(version).describe("SetChargingProfile", payload).args
    assert (args["max_limit_a"], args["max_limit_w"]) == (8.0, 11000.0)
    (fact,) = tell(version, [tx("SetChargingProfile", payload, {"status": "Rejected"})])
    assert (fact.evse, fact.data["limit_a"], fact.data["limit_w"], fact.data["accepted"]) == (
        None,
        None,
        11000.0,
        False,
    )


@BOTH
def test_a_remote_start_and_a_remote_stop(version: str) -> None:
    ask = {"remoteStartId": 5, "idToken": TOKEN, "evseId": 2, "chargingProfile": profile(schedule(32.0))}
    ask["chargingProfile"].pop("transactionId")
    start = tx("RequestStartTransaction", ask, {"status": "Accepted", "transactionId": "t-9"})
    stop = tx("RequestStopTransaction", {"transactionId": "t-9"}, {"status": "Rejected"})
    started, granted, stopped = tell(version, [start, stop])
    assert (started.evse, has(started, id_tag="04A2", remote_start_id=5, tx="t-9", accepted=True)) == (2, True)
    assert (granted.evse, has(granted, id_tag="04A2", how="remote", accepted=True)) == (2, True)
    assert has(stopped, tx="t-9", accepted=False, status="Rejected")
    adapter = adapter_of(version)
    assert adapter.describe("RequestStartTransaction", ask).args["max_limit_a"] == 32.0
    assert adapter.describe("RequestStopTransaction", stop[2]).to_safe


REQUESTS: list[tuple[Message, str, int | None, dict[str, Any]]] = [
    (tx("Reset", {"type": "OnIdle"}, {"status": "Scheduled"}), "csms.reset", None, {"logical": "idle"}),
    (tx("Reset", {"type": "Immediate", "evseId": 1}, {"status": "Accepted"}), "csms.reset", 1, {"logical": "soft"}),
    (
        tx("ChangeAvailability", {"operationalStatus": "Inoperative"}, {"status": "Scheduled"}),
        "csms.availability",
        None,
        {"operative": False, "connector": 0, "accepted": True},
    ),
    (
        tx("ChangeAvailability", {"operationalStatus": "Operative", "evse": EVSE}, {"status": "Rejected"}),
        "csms.availability",
        1,
        {"operative": True, "connector": 1, "accepted": False},
    ),
    (
        tx("UnlockConnector", {"evseId": 2, "connectorId": 1}, {"status": "OngoingAuthorizedTransaction"}),
        "csms.unlock",
        2,
        {"connector": 1, "accepted": False, "status": "OngoingAuthorizedTransaction"},
    ),
    (
        tx("TriggerMessage", {"requestedMessage": "Heartbeat"}, {"status": "NotImplemented"}),
        "csms.trigger",
        None,
        {"message": "Heartbeat", "accepted": False},
    ),
    (
        tx("ReserveNow", {"id": 4, "expiryDateTime": at(9), "idToken": TOKEN, "evseId": 1}, {"status": "Occupied"}),
        "csms.reservation",
        1,
        {"reservation": 4, "verb": "reserve", "id_tag": "04A2", "expires": at(9), "accepted": False},
    ),
    (
        tx("CancelReservation", {"reservationId": 4}, {"status": "Accepted"}),
        "csms.reservation",
        None,
        {"reservation": 4, "verb": "cancel", "accepted": True},
    ),
    (
        tx("GetTransactionStatus", {"transactionId": "t-1"}, {"ongoingIndicator": True, "messagesInQueue": False}),
        "csms.tx_status",
        None,
        {"tx": "t-1", "ongoing": True, "messages_in_queue": False, "accepted": True},
    ),
    (
        tx("GetTransactionStatus", {}, {"messagesInQueue": True}),
        "csms.tx_status",
        None,
        {"tx": None, "ongoing": None, "messages_in_queue": True},
    ),
    (
        tx("ClearChargingProfile", {"chargingProfileCriteria": {"evseId": 1, "stackLevel": 0}}, {"status": "Unknown"}),
        "csms.profile_cleared",
        1,
        {"args": {"evse": 1, "stack_level": 0}, "accepted": False},
    ),
]


@BOTH
@pytest.mark.parametrize(("message", "topic", "evse", "wanted"), REQUESTS)
def test_what_the_station_answered(
    version: str, message: Message, topic: str, evse: int | None, wanted: dict[str, Any]
) -> None:
    (fact,) = tell(version, [message])
    assert (fact.topic, fact.evse) == (topic, evse)
    assert has(fact, **wanted), fact.data


@BOTH
def test_only_steps_towards_safety_pass_as_such(version: str) -> None:
    adapter = adapter_of(version)
    assert adapter.describe("ChangeAvailability", {"operationalStatus": "Inoperative"}).to_safe
    assert not adapter.describe("ChangeAvailability", {"operationalStatus": "Operative"}).to_safe
    assert not adapter.describe("RequestStartTransaction", {"idToken": TOKEN, "remoteStartId": 1}).to_safe
    assert adapter.describe("Reset", {"type": "OnIdle"}).args == {"type": "OnIdle"}


@BOTH
def test_authorize(version: str) -> None:
    facts = tell(version, [rx("Authorize", {"idToken": TOKEN}, {"idTokenInfo": {"status": "Expired"}})])
    assert has(one(facts, "ocpp.authorized"), id_tag="04A2", status="Expired", accepted=False, how="authorize", tx=None)
    assert facts[0].own


# ---- what was asked for, and which times are claimed


def trigger(version: str, payload: dict[str, Any]) -> Trigger | None:
    adapter = adapter_of(version)
    check(version, [tx("TriggerMessage", payload, {"status": "Accepted"})])
    return adapter.triggered("TriggerMessage", payload, {"status": "Accepted"})


@BOTH
def test_what_a_trigger_promises(version: str) -> None:
    adapter = adapter_of(version)
    assert trigger(version, {"requestedMessage": "Heartbeat"}) == Trigger("Heartbeat")
    signing = {"requestedMessage": "SignV2GCertificate"}
    assert trigger(version, signing) == Trigger("SignCertificate")
    assert adapter.triggered("TriggerMessage", signing, {"status": "Rejected"}) is None
    assert adapter.triggered("Reset", {"type": "OnIdle"}, {"status": "Accepted"}) is None
    if version == "2.1":
        custom = {"requestedMessage": "CustomTrigger", "customTrigger": "NotifyEvent"}
        assert trigger(version, custom) == Trigger("NotifyEvent")


@BOTH
def test_a_status_asked_for_is_told_from_that_of_another_connector(version: str) -> None:
    adapter, asked = adapter_of(version), AskedFor()
    wanted = trigger(version, {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 2}})
    assert wanted is not None
    asked.expect(wanted, 0)
    places = [(2, 2), (1, 1), (1, 2), (1, 2)]
    payloads = [{"evseId": evse, "connectorId": connector} for evse, connector in places]
    taken = [
        asked.take("StatusNotification", adapter.connector("StatusNotification", payload), 1) for payload in payloads
    ]
    assert taken == [False, False, True, False]


@BOTH
def test_transaction_events_asked_for_come_once_for_each_outlet(version: str) -> None:
    """F06.FR.11; a TransactionEvent that names no EVSE is of its transaction's."""
    adapter, asked = adapter_of(version), AskedFor()
    told(adapter, [transaction("Started", 0, "CablePluggedIn", 1, evse={"id": 3})])
    wanted = trigger(version, {"requestedMessage": "TransactionEvent"})
    assert wanted is not None
    asked.expect(wanted, 0)
    payload = transaction("Updated", 1, "Trigger", 2)[2]
    place = adapter.connector("TransactionEvent", payload)
    assert place == 3
    assert [asked.take("TransactionEvent", where, 1) for where in (place, place, 1)] == [True, False, True]


@BOTH
def test_all_parts_of_a_report_are_asked_for(version: str) -> None:
    """B02.FR.02: a station that waits for its boot to be accepted may send what GetBaseReport asked for."""
    adapter, asked = adapter_of(version), AskedFor()
    ask = {"requestId": 3, "reportBase": "FullInventory"}
    check(version, [tx("GetBaseReport", ask, {"status": "Accepted"})])
    wanted = adapter.triggered("GetBaseReport", ask, {"status": "Accepted"})
    assert wanted is not None
    asked.expect(wanted, 0)
    parts = [adapter.connector("NotifyReport", report(number, [])[2]) for number in (0, 1, 2, 2)]
    assert [asked.take("NotifyReport", part, 1) for part in parts] == [True, True, True, False]


@BOTH
def test_claimed_times(version: str) -> None:
    adapter = adapter_of(version)
    assert adapter.claim("StatusNotification", {"timestamp": at(1)}) == (at(1), False)
    assert adapter.claim(*transaction("Updated", 1, "Trigger", 2)[1:3]) == (at(2), True)
    assert adapter.claim(*event("EVSE", "Problem", "true", 3)[1:3]) == (at(3), True)
    values = {"evseId": 1, "meterValue": [*sampled({"value": 1}), {"timestamp": at(8), "sampledValue": []}]}
    assert adapter.claim("MeterValues", values) == (at(8), True)
    assert adapter.claim("Heartbeat", {}) is None


@BOTH
def test_identity(version: str) -> None:
    boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", "serialNumber": "7"}}
    assert adapter_of(version).identity(boot) == {"vendor": "V", "model": "M", "serial": "7"}


@BOTH
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({"status": "Accepted"}, (True, "Accepted")),
        ({"status": "AcceptedCanceled"}, (True, "AcceptedCanceled")),
        ({"status": "Unlocked"}, (True, "Unlocked")),
        ({"status": "EmptyResultSet"}, (False, "EmptyResultSet")),
        ({"getVariableResult": []}, (True, "")),
        ({"setVariableResult": []}, (False, "")),
        ({"setMonitoringResult": [{"status": "Accepted"}, {"status": "Duplicate"}]}, (False, "Duplicate")),
        ({"clearMonitoringResult": [{"status": "Accepted"}]}, (True, "Accepted")),
    ],
)
def test_whether_a_station_agreed(version: str, answer: dict[str, Any], verdict: tuple[bool, str]) -> None:
    assert adapter_of(version).verdict("Any", answer) == verdict


def test_a_whole_session_has_unbroken_sequence_numbers_in_both() -> None:
    for version in ("2.0.1", "2.1"):
        facts = [fact for fact in tell(version, session(version)) if fact.topic.startswith("ocpp.tx.")]
        assert [fact.data["seq_no"] for fact in facts] == [0, 1, 2, 3, 4]
        assert facts[0].data["remote_start_id"] == 5


# ---- OCPP 2.1 only


def stream(*values: tuple[float, str], number: int = 0) -> Message:
    data = [{"t": offset, "v": value} for offset, value in values]
    return rx("NotifyPeriodicEventStream", {"id": number, "pending": 0, "basetime": at(5), "data": data})


def opened(status: str) -> list[Message]:
    set_up = {
        "id": 7,
        "status": "Accepted",
        "type": "Periodic",
        "severity": 9,
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "Power"},
    }
    wanted = {key: set_up[key] for key in ("type", "severity", "component", "variable")} | {"value": 1}
    constant = {"id": 0, "variableMonitoringId": 7, "params": {"interval": 1}}
    return [
        tx("SetVariableMonitoring", {"setMonitoringData": [wanted]}, {"setMonitoringResult": [set_up]}),
        rx("OpenPeriodicEventStream", {"constantStreamData": constant}, {"status": status}),
    ]


def test_a_stream_is_told_by_the_variable_of_its_monitor() -> None:
    """N11.FR.02, N15.FR.03; after it was closed its values have no name any more."""
    close = rx("ClosePeriodicEventStream", {"id": 0}, {})
    messages = [*opened("Accepted"), stream((0, "11.0"), (0.1, "12")), close, stream((0, "1"))]
    first, second, last = tell("2.1", messages)
    assert has(first, name="EVSE@1.Power", value="11.0", trigger="Periodic", claim=at(5), after_s="0")
    assert (first.evse, second.data["after_s"], second.data["via"]) == (1, "0.1", "NotifyPeriodicEventStream")
    assert (last.evse, last.data["name"]) == (None, None)


def test_a_refused_stream_has_no_name() -> None:
    (fact,) = tell("2.1", [*opened("Rejected"), stream((0, "1"))])
    assert fact.data["name"] is None


def test_a_stream_of_a_monitor_that_a_report_named() -> None:
    entry = {
        "component": {"name": "EVSE", "evse": {"id": 2}},
        "variable": {"name": "Problem"},
        "variableMonitoring": [
            {
                "id": 8,
                "transaction": False,
                "value": 1,
                "type": "Periodic",
                "severity": 3,
                "eventNotificationType": "PreconfiguredMonitor",
            }
        ],
    }
    known = {"requestId": 1, "seqNo": 0, "generatedAt": at(1), "monitor": [entry]}
    constant = {"id": 4, "variableMonitoringId": 8, "params": {}}
    messages = [
        rx("NotifyMonitoringReport", known),
        rx("OpenPeriodicEventStream", {"constantStreamData": constant}, {"status": "Accepted"}),
        stream((0, "true"), number=4),
    ]
    (fact,) = tell("2.1", messages)
    assert (fact.topic, fact.evse, fact.data["active"]) == ("ocpp.problem", 2, True)


def dynamic(limit: float, unit: str) -> Message:
    wanted = profile(schedule(limit, unit=unit), number=21, chargingProfileKind="Dynamic")
    return tx("SetChargingProfile", {"evseId": 1, "chargingProfile": wanted}, {"status": "Accepted"})


def test_an_update_of_a_dynamic_profile_changes_its_limit() -> None:
    """K28.FR.06, K28.FR.08: the update names the profile only."""
    update = {"chargingProfileId": 21, "scheduleUpdate": {"limit": 8.5, "limit_L2": 9.5}}
    pulled = {"status": "Accepted", "scheduleUpdate": {"limit": 6.0}}
    facts = tell(
        "2.1",
        [
            dynamic(16.0, "A"),
            tx("UpdateDynamicSchedule", update, {"status": "Accepted"}),
            rx("PullDynamicScheduleUpdate", {"chargingProfileId": 21}, pulled),
        ],
    )
    keys = ("limit_a", "max_limit_a", "purpose", "stack_level", "profile_id", "tx", "accepted")
    assert [tuple(fact.data[key] for key in keys) for fact in facts] == [
        (16.0, 16.0, "TxProfile", 2, 21, "t-1", True),
        (8.5, 9.5, "TxProfile", 2, 21, "t-1", True),
        (6.0, 6.0, "TxProfile", 2, 21, "t-1", True),
    ]
    assert [(fact.evse, fact.own) for fact in facts] == [(1, False), (1, False), (1, True)]


def test_the_gate_sees_an_update_in_the_unit_of_its_profile() -> None:
    adapter = adapter_of("2.1")
    update = {"chargingProfileId": 21, "scheduleUpdate": {"limit": 7000.0}}
    unknown = adapter.describe("UpdateDynamicSchedule", update).args
    assert unknown == {"evse": None, "limit_a": 7000.0, "max_limit_a": 7000.0}
    told(adapter, [dynamic(11000.0, "W")])
    known = adapter.describe("UpdateDynamicSchedule", update).args
    assert known == {"evse": 1, "limit_w": 7000.0, "max_limit_w": 7000.0}


def test_the_limit_of_a_profile_that_is_not_known_is_not_told() -> None:
    update = {"chargingProfileId": 5, "scheduleUpdate": {"limit": 7000.0}}
    (fact,) = tell("2.1", [tx("UpdateDynamicSchedule", update, {"status": "Accepted"})])
    assert has(fact, limit_a=None, purpose=None, profile_id=5, accepted=True)


def test_a_reset_that_resumes() -> None:
    (fact,) = tell("2.1", [tx("Reset", {"type": "ImmediateAndResume"}, {"status": "Accepted"})])
    assert has(fact, type="ImmediateAndResume", logical="resume")
