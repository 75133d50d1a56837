"""What holds for every adapter: numbers stay exact decimals, and no payload, however broken, raises."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.csms.measured import decimal_text

from tellings import VERSIONS, Message, adapter_of, event, rx, session, told, transaction, tx

NUMBER = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=6)


@given(NUMBER, st.integers(-9, 9))
def test_moving_the_point_is_exact(number: Decimal, places: int) -> None:
    shown = decimal_text(str(number), places)
    assert shown is not None
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", shown)
    assert Fraction(shown) == Fraction(number) * Fraction(10) ** places


DIGITS = "0123456789"


@given(st.text(DIGITS, min_size=1, max_size=28), st.text(DIGITS, max_size=28))
def test_no_digit_is_lost(whole: str, fraction: str) -> None:
    """More digits than the decimal module keeps by default."""
    shown = decimal_text(f"{whole}.{fraction}")
    assert shown is not None
    assert shown.partition(".")[2] == fraction
    assert int(shown.partition(".")[0]) == int(whole)


@given(st.floats(min_value=1e-9, max_value=1e9) | st.integers(0, 2**53))
def test_a_json_number_is_taken_by_its_shortest_text(number: float) -> None:
    shown = decimal_text(-number)
    assert shown is not None
    assert float(shown) == -number


@pytest.mark.parametrize(
    "junk",
    [
        "",
        " ",
        ".",
        "-",
        "1,5",
        "1_000",
        "0x10",
        "NaN",
        "inf",
        "1e99999",
        "1e40",
        "9" * 70,
        "١٢",
        True,
        None,
        [],
        {},
        b"1",
    ],
)
def test_what_is_no_plain_number_is_no_measurement(junk: Any) -> None:
    assert decimal_text(junk) is None


@given(NUMBER, st.sampled_from(["Wh", "kWh"]), st.integers(-3, 3))
def test_energy_is_the_same_decimal_in_every_version(number: Decimal, unit: str, multiplier: int) -> None:
    """1.6 writes text and has no multiplier; 2.x writes a JSON number, which Python reads as a binary one."""
    exact = Fraction(number) * (1000 if unit == "kWh" else 1)
    text_16 = [{"timestamp": "x", "sampledValue": [{"value": str(number), "unit": unit}]}]
    (fact,) = told(adapter_of("1.6"), [rx("MeterValues", {"connectorId": 1, "meterValue": text_16})])
    assert Fraction(fact.data["value_wh"]) == exact
    measure = {"unit": unit, "multiplier": multiplier}
    sent = json.loads(f'[{{"timestamp": "x", "sampledValue": [{{"value": {number:f}}}]}}]')
    sent[0]["sampledValue"][0]["unitOfMeasure"] = measure
    for version in ("2.0.1", "2.1"):
        (fact,) = told(adapter_of(version), [rx("MeterValues", {"evseId": 1, "meterValue": sent})])
        assert isinstance(fact.data["value_wh"], str)
        # Up to 15 digits a binary number gives back the decimal it was read from.
        if len(number.as_tuple().digits) <= 15:
            assert Fraction(fact.data["value_wh"]) == exact * Fraction(10) ** multiplier


@pytest.mark.parametrize("version", VERSIONS)
def test_measured_values_of_a_session_hold_no_float(version: str) -> None:
    measured = [fact for fact in told(adapter_of(version), session(version)) if fact.topic.startswith("ocpp.")]
    floats = [(fact.topic, key) for fact in measured for key, value in fact.data.items() if isinstance(value, float)]
    assert not floats


def more_messages(version: str) -> list[Message]:
    """Messages that are not in the session, so that every branch of an adapter is broken too."""
    place = {"id": 1, "connectorId": 1}
    profile = {"id": 3, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Dynamic"}
    periods = [{"startPeriod": 0, "limit": 16.0}]
    if version == "1.6":
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
        known = {"configurationKey": [{"key": "A", "value": "1"}], "unknownKey": ["B"]}
        return [
            tx("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": {"chargingSchedule": schedule}}, {}),
            tx("GetConfiguration", {"key": ["A"]}, known),
            rx("StatusNotification", {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"}),
            rx("Authorize", {"idTag": "A"}, {"idTagInfo": {"status": "Accepted"}}),
            tx("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1}, {"status": "Accepted"}),
        ]
    schedules = [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}]
    name = {"component": {"name": "A", "evse": place}, "variable": {"name": "B"}}
    read = {**name, "attributeStatus": "Accepted", "attributeValue": "1"}
    monitor = {**name, "id": 2, "status": "Accepted"}
    constant = {"constantStreamData": {"id": 0, "variableMonitoringId": 2}}
    return [
        tx("SetChargingProfile", {"evseId": 1, "chargingProfile": {**profile, "chargingSchedule": schedules}}, {}),
        tx("UpdateDynamicSchedule", {"chargingProfileId": 3, "scheduleUpdate": {"limit": 5.0}}, {"status": "Accepted"}),
        tx("GetVariables", {"getVariableData": [name]}, {"getVariableResult": [read]}),
        tx("SetVariables", {"setVariableData": [{**name, "attributeValue": "1"}]}, {"setVariableResult": [read]}),
        tx("SetVariableMonitoring", {"setMonitoringData": []}, {"setMonitoringResult": [monitor]}),
        rx("OpenPeriodicEventStream", constant, {"status": "Accepted"}),
        rx("NotifyPeriodicEventStream", {"id": 0, "basetime": "x", "data": [{"t": 0, "v": "1"}]}),
        rx("NotifyMonitoringReport", {"monitor": [{**name, "variableMonitoring": [{"id": 2}]}]}),
        rx("NotifyReport", {"reportData": [{**name, "variableAttribute": [{"value": "1"}]}]}),
        event("RCD", "Problem", "true", evse=place),
        event("EVSE", "AvailabilityState", "Available", evse=place),
        transaction("Updated", 9, "Authorized", 1, reply={"idTokenInfo": {"status": "Accepted"}}),
        tx("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": place}, {"status": "Accepted"}),
        tx("ClearChargingProfile", {"chargingProfileCriteria": {"evseId": 1}}, {"status": "Accepted"}),
        tx("ChangeAvailability", {"operationalStatus": "Operative", "evse": place}, {"status": "Accepted"}),
        tx("ReserveNow", {"id": 1, "idToken": {"idToken": "A", "type": "Local"}}, {"status": "Accepted"}),
        tx("GetTransactionStatus", {"transactionId": "t-1"}, {"ongoingIndicator": True}),
        rx("ReservationStatusUpdate", {"reservationId": 1, "reservationUpdateStatus": "Expired"}),
        rx("Authorize", {"idToken": {"idToken": "A"}}, {"idTokenInfo": {"status": "Accepted"}}),
    ]


JUNK: list[Any] = [None, True, -1, 0, 1.5, 10**40, "", "junk", [], {}, [None], [[]], [{}], {"id": []}, {"name": {}}]


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place inside a payload, with the payload itself left out."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def broken(message: Message, path: tuple[Any, ...], junk: Any, drop: bool) -> Message:
    copied = copy.deepcopy(message)
    node: Any = copied
    for key in path[:-1]:
        node = node[key]
    if drop and isinstance(node, dict):
        del node[path[-1]]
    else:
        node[path[-1]] = junk
    return copied


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broken_piece_never_raises(version: str) -> None:
    """Each place of each message missing, and of each wrong type; what is told still is of the vocabulary."""
    messages = session(version) + more_messages(version)
    tried = 0
    for number, message in enumerate(messages):
        for part in (2, 3):
            for path in places(message[part]):
                for junk in JUNK:
                    bad = broken(message, (part, *path), junk, drop=junk is None)
                    adapter = adapter_of(version)
                    told(adapter, messages[:number][-3:])
                    told(adapter, [bad])
                    ask(adapter, bad)
                    tried += 1
    assert tried > 1000


def ask(adapter: Any, message: Message) -> None:
    """The rest of the protocol, of which a broken payload may not raise either."""
    _, action, payload, answer, _ = message
    adapter.describe(action, payload)
    adapter.verdict(action, answer)
    adapter.triggered(action, payload, answer)
    hash(adapter.connector(action, payload))
    adapter.identity(payload)
    adapter.claim(action, payload)
