"""The adapter of OCPP 1.6: what it says beside the course of a transaction, in the words of all versions."""

from __future__ import annotations

from typing import Any

import pytest

from tellings import Message, adapter_of, at, rx, tell, tx


def status(word: str, code: str = "NoError", connector: int = 1, **more: Any) -> Message:
    payload = {"connectorId": connector, "errorCode": code, "status": word, "timestamp": at(3), **more}
    return rx("StatusNotification", payload)


def start(number: int = 7, connector: int = 1) -> Message:
    payload = {"connectorId": connector, "idTag": "04A2", "meterStart": 0, "timestamp": at(1), "reservationId": 4}
    return rx("StartTransaction", payload, {"transactionId": number, "idTagInfo": {"status": "Blocked"}})


def stop(number: int = 7, **more: Any) -> Message:
    payload = {"transactionId": number, "meterStop": 10, "timestamp": at(9), **more}
    return rx("StopTransaction", payload, {}, connector=1, orphan=False)


def test_a_fault_is_named_until_there_is_none() -> None:
    """Section 6.47: one code a message, so the second does not end the first."""
    boot = {"chargePointVendor": "V", "chargePointModel": "M"}
    facts = tell(
        "1.6",
        [
            status("Faulted", "ConnectorLockFailure", info="jammed", vendorErrorCode="E7"),
            status("Faulted", "OtherError"),
            status("Available", connector=2),
            status("Available"),
            status("Available"),
            status("Faulted", "GroundFailure", connector=0),
            rx("BootNotification", boot, {"status": "Accepted", "currentTime": at(0), "interval": 1}),
            status("Available", connector=0),
        ],
    )
    keys = ("connector", "problem", "active", "code", "vendor_code", "info")
    problems = [fact for fact in facts if fact.topic == "ocpp.problem"]
    assert [(fact.evse, *(fact.data[key] for key in keys)) for fact in problems] == [
        (1, 1, "lock", True, "ConnectorLockFailure", "E7", "jammed"),
        (1, 1, "other", True, "OtherError", None, None),
        (1, 1, "lock", False, "ConnectorLockFailure", None, None),
        (1, 1, "other", False, "OtherError", None, None),
        (None, 0, "ground", True, "GroundFailure", None, None),
    ]
    tiers = [fact.data["component"] for fact in facts if fact.topic == "ocpp.status"]
    assert tiers == ["Connector"] * 5 + ["ChargingStation"] * 2


def test_the_status_of_a_connector_is_the_charging_state_of_its_transaction() -> None:
    """Section 4.9. Before the start and after the end it is of no transaction; a repeated status is no change."""
    facts = tell(
        "1.6",
        [
            status("Charging"),
            start(),
            status("Charging"),
            status("SuspendedEV", connector=2),
            status("SuspendedEV"),
            status("SuspendedEV"),
            status("Charging"),
            stop(idTag="04A2"),
            status("SuspendedEVSE"),
        ],
    )
    told = [fact for fact in facts if fact.topic.startswith("ocpp.tx.")]
    assert [(fact.topic[8:], fact.data["tx"], fact.data["charging_state"], fact.data["via"]) for fact in told] == [
        ("started", 7, "Charging", "StartTransaction"),
        ("updated", 7, "SuspendedEV", "StatusNotification"),
        ("updated", 7, "Charging", "StatusNotification"),
        ("ended", 7, None, "StopTransaction"),
    ]
    started, ended = told[0].data, told[-1].data
    assert (started["reservation"], started["accepted"], started["seq_no"], started["offline"]) == (
        4,
        False,
        None,
        None,
    )
    assert (ended["id_tag"], ended["reason"], ended["connector"]) == ("04A2", "Local", 1)


def test_other_values_than_the_register_are_told_too() -> None:
    samples = [
        {"value": "5.250", "unit": "kWh"},
        {"value": "7.4", "measurand": "Power.Active.Import", "unit": "kW"},
        {"value": "230.1", "measurand": "Voltage", "phase": "L1-N", "unit": "V", "context": "Sample.Clock"},
        {"value": "41", "measurand": "Temperature", "unit": "Celcius", "location": "Body"},
        {"value": "88", "phase": "L1"},
        {"value": "AAFF", "format": "SignedData"},
        {"value": "twelve"},
        {"value": "12,5"},
        {"value": "NaN"},
    ]
    values = [{"timestamp": at(2), "sampledValue": samples}]
    facts = tell("1.6", [rx("MeterValues", {"connectorId": 2, "transactionId": 7, "meterValue": values})])
    assert {(fact.evse, fact.data["tx"], fact.data["claim"]) for fact in facts} == {(2, 7, at(2))}
    assert facts[0].data["value_wh"] == "5250"
    keys = ("measurand", "phase", "location", "context", "value", "unit")
    assert [tuple(fact.data[key] for key in keys) for fact in facts[1:]] == [
        ("Power.Active.Import", None, "Outlet", "Sample.Periodic", "7400", "W"),
        ("Voltage", "L1-N", "Outlet", "Sample.Clock", "230.1", "V"),
        ("Temperature", None, "Body", "Sample.Periodic", "41", "Celsius"),
        ("Energy.Active.Import.Register", "L1", "Outlet", "Sample.Periodic", "88", "Wh"),
    ]


@pytest.mark.parametrize(
    ("message", "topic", "evse", "wanted"),
    [
        (tx("Reset", {"type": "Soft"}, {"status": "Rejected"}), "csms.reset", None, {"logical": "soft"}),
        (
            tx("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}, {"status": "Scheduled"}),
            "csms.availability",
            None,
            {"connector": 0, "operative": False, "accepted": True, "status": "Scheduled"},
        ),
        (
            tx("UnlockConnector", {"connectorId": 2}, {"status": "UnlockFailed"}),
            "csms.unlock",
            2,
            {"connector": 2, "accepted": False},
        ),
        (
            tx("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}, {"status": "Accepted"}),
            "csms.trigger",
            1,
            {"message": "MeterValues", "accepted": True},
        ),
        (
            tx(
                "ReserveNow",
                {"connectorId": 1, "expiryDate": at(9), "idTag": "04A2", "reservationId": 4},
                {"status": "Accepted"},
            ),
            "csms.reservation",
            1,
            {"reservation": 4, "verb": "reserve", "id_tag": "04A2", "expires": at(9)},
        ),
        (
            tx("CancelReservation", {"reservationId": 4}, {"status": "Rejected"}),
            "csms.reservation",
            None,
            {"reservation": 4, "verb": "cancel", "accepted": False},
        ),
        (
            tx("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "9"}, {"status": "RebootRequired"}),
            "csms.setting",
            None,
            {"key": "HeartbeatInterval", "value": "9", "accepted": True},
        ),
    ],
)
def test_what_the_station_answered(message: Message, topic: str, evse: int | None, wanted: dict[str, Any]) -> None:
    (fact,) = tell("1.6", [message])
    assert (fact.topic, fact.evse) == (topic, evse)
    assert {key: fact.data[key] for key in wanted} == wanted


def test_a_setting_that_became_known_is_unknown_no_more() -> None:
    unknown = tx("GetConfiguration", {"key": ["A"]}, {"unknownKey": ["A"]})
    known = tx("GetConfiguration", {}, {"configurationKey": [{"key": "A", "readonly": False, "value": "1"}]})
    adapter = adapter_of("1.6")
    answers = [fact for message in (unknown, known) for fact in adapter.answered(message[1], message[2], message[3])]
    assert [(fact.data["values"], fact.data["unknown"]) for fact in answers] == [({}, ["A"]), ({"A": "1"}, [])]
