"""The gate and the back end: no payload hides a limit, and what can lock a station out needs the bench file's leave."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pilotbench.bench.assembly import envelope_of
from pilotbench.bench.config import EnvelopeSection, load_bench_file, virtual_bench
from pilotbench.bench.csms.v2x.requests import describe as describe_2x
from pilotbench.bench.csms.v16.actions import describe as describe_16
from pilotbench.bench.csms.v21.adapter import Adapter21
from pilotbench.bench.csms.v201.adapter import Adapter201
from pilotbench.bench.safety import Envelope, EnvelopeGate
from pilotbench.bench.safety.csms_actions import GROUPS
from pilotbench.bench.timeline import Stimulus
from pilotbench.errors import SafetyError

Payload = dict[str, Any]

CURRENT_A = 32.0
PHASE_W = 7360.0
POWER_W = 22_080.0


def gate(*allowed: str, forbidden: tuple[str, ...] = ()) -> EnvelopeGate:
    return EnvelopeGate(
        Envelope(
            current_a=CURRENT_A,
            phase_w=PHASE_W,
            power_w=POWER_W,
            contactor_cycles=1,
            min_off_s=1.0,
            fault_duration_s=10.0,
            faults=frozenset(),
            pp_ohm=frozenset(),
            relays=frozenset(),
            csms_forbidden=frozenset(forbidden),
            csms_allowed=frozenset(allowed),
        )
    )


def ask(held: EnvelopeGate, version: str, action: str, payload: Payload) -> None:
    """What the back end asks the gate before it sends."""
    request = (describe_16 if version == "1.6" else describe_2x)(action, payload)
    held.permit(Stimulus("csms", action, {**request.args, **request.bounds}, request.to_safe))


def profile_16(unit: str, *periods: Payload, **more: Any) -> Payload:
    schedule = {"chargingRateUnit": unit, "chargingSchedulePeriod": list(periods)}
    return {"connectorId": 1, "csChargingProfiles": {"chargingSchedule": schedule, **more}}


def profile_2x(unit: str, *periods: Payload, **more: Any) -> Payload:
    schedule = {"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": list(periods), **more}
    return {"evseId": 1, "chargingProfile": {"id": 1, "chargingSchedule": [schedule]}}


MADE: dict[str, Callable[..., Payload]] = {"1.6": profile_16, "2.x": profile_2x}


@pytest.mark.parametrize("version", MADE)
@pytest.mark.parametrize(
    ("unit", "period", "passes"),
    [
        ("A", {"limit": 32}, True),
        ("A", {"limit": 32.1}, False),
        ("W", {"limit": 22_080}, True),
        ("W", {"limit": 22_080, "numberPhases": 3}, True),
        ("W", {"limit": 22_000, "numberPhases": 2}, False),
        ("W", {"limit": 22_000, "numberPhases": 1}, False),
        ("W", {"limit": 14_720, "numberPhases": 2}, True),
        ("W", {"limit": 7_360, "numberPhases": 1}, True),
        ("W", {"limit": 7_361, "numberPhases": 1}, False),
        ("W", {"limit": 22_081}, False),
        ("kW", {"limit": 4}, False),
    ],
)
def test_watts_are_shared_by_the_phases_that_are_used(version: str, unit: str, period: Payload, passes: bool) -> None:
    """22 kW on one phase are 95 A (1.6 section 7.14, K01.FR.50)."""
    payload = MADE[version](unit, {"startPeriod": 0, "limit": 1}, {"startPeriod": 9, **period})
    if passes:
        ask(gate(), version, "SetChargingProfile", payload)
        return
    with pytest.raises(SafetyError, match="current"):
        ask(gate(), version, "SetChargingProfile", payload)


@pytest.mark.parametrize(
    ("unit", "period", "passes"),
    [
        ("A", {"limit": 16, "limit_L2": 16, "limit_L3": 33}, False),
        ("W", {"limit": 7000, "limit_L2": 7000, "limit_L3": 7000}, True),
        ("W", {"limit": 7400, "limit_L2": 10}, False),
        ("A", {"setpoint": 33}, False),
        ("A", {"setpoint": -33}, False),
        ("A", {"limit": 16, "dischargeLimit": -33}, False),
        ("W", {"setpoint": -22_081}, False),
        ("W", {"setpoint": -22_080, "operationMode": "CentralSetpoint"}, True),
        ("W", {"setpoint": 1, "setpointReactive": 22_081}, False),
        ("W", {"setpoint": 1, "setpoint_L2": 1, "setpoint_L3": -7361}, False),
        ("W", {"v2xBaseline": 20_000, "v2xFreqWattCurve": [{"frequency": 50, "power": -3000}]}, False),
        ("W", {"v2xBaseline": 10_000, "v2xSignalWattCurve": [{"signal": 1, "power": 3000}]}, True),
    ],
)
def test_what_2_1_lets_flow_in_either_direction(unit: str, period: Payload, passes: bool) -> None:
    payload = profile_2x(unit, {"startPeriod": 0, **period})
    if passes:
        ask(gate(), "2.1", "SetChargingProfile", payload)
        return
    with pytest.raises(SafetyError, match="current"):
        ask(gate(), "2.1", "SetChargingProfile", payload)


def test_a_limit_at_a_state_of_charge_counts() -> None:
    payload = profile_2x("A", {"startPeriod": 0, "limit": 1}, limitAtSoC={"soc": 80, "limit": 40})
    with pytest.raises(SafetyError, match="40"):
        ask(gate(), "2.1", "SetChargingProfile", payload)


def test_an_update_has_unit_and_phases_of_its_profile() -> None:
    """A profile that is not known is taken for ampere."""
    adapter = Adapter21("CP1")

    def update(**values: float) -> Stimulus:
        payload = {"chargingProfileId": 1, "scheduleUpdate": values}
        request = adapter.describe("UpdateDynamicSchedule", payload)
        args = {**request.args, **request.bounds}
        return Stimulus("csms", "UpdateDynamicSchedule", args, request.to_safe)

    with pytest.raises(SafetyError):
        gate().permit(update(limit=7000))
    single = profile_2x("W", {"startPeriod": 0, "limit": 1, "numberPhases": 1})
    list(adapter.answered("SetChargingProfile", single, {"status": "Accepted"}))
    gate().permit(update(limit=7000))
    with pytest.raises(SafetyError, match="one phase"):
        gate().permit(update(limit=7400))
    with pytest.raises(SafetyError, match="one phase"):
        gate().permit(update(setpoint=-7400))
    sealed = gate()
    sealed.seal()
    sealed.permit(update(limit=0))


JUNK = st.dictionaries(st.sampled_from(["a", "customData", "chargingProfile", "data"]), st.integers(), max_size=2)
WRAPS: list[Callable[[Any], Any]] = [
    lambda inner: [inner],
    lambda inner: {"customData": inner},
    lambda inner: {"chargingSchedule": [{"chargingSchedulePeriod": [inner]}]},
    lambda inner: {"csChargingProfiles": [inner, {"limit": 1}]},
    lambda inner: {"chargingProfile": {"chargingSchedule": inner}},
    lambda inner: {"evse": {"id": 1}, "data": json.dumps(inner)},
    lambda inner: {"limit": 1, "Limit": inner},
    lambda inner: {"numberPhases": 3, "setpoint": 0, "x": inner},
]
FIELDS = ["limit", "limit_L2", "limit_L3", "setpoint", "setpoint_L2", "dischargeLimit", "dischargeLimit_L3", "LIMIT"]
ACTIONS = [
    ("1.6", "SetChargingProfile"),
    ("1.6", "RemoteStartTransaction"),
    ("1.6", "RemoteStopTransaction"),
    ("1.6", "ChangeAvailability"),
    ("1.6", "DataTransfer"),
    ("1.6", "Nonsense"),
    ("2.x", "SetChargingProfile"),
    ("2.x", "RequestStartTransaction"),
    ("2.x", "RequestStopTransaction"),
    ("2.x", "ChangeAvailability"),
    ("2.x", "UpdateDynamicSchedule"),
    ("2.x", "SetVariables"),
    ("2.x", "DataTransfer"),
    ("2.x", "TriggerMessage"),
]


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(ACTIONS),
    st.sampled_from(FIELDS),
    st.sampled_from(["A", "W"]),
    st.floats(min_value=1.001, max_value=1e6),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(WRAPS), max_size=6),
    JUNK,
)
def test_no_nesting_hides_a_limit_above_the_envelope(
    action: tuple[str, str],
    field: str,
    unit: str,
    times: float,
    negative: bool,
    as_text: bool,
    wraps: list[Callable[[Any], Any]],
    junk: Payload,
) -> None:
    """Whatever the request, wherever the number, however it is written."""
    amount = (CURRENT_A if unit == "A" else POWER_W) * times * (-1 if negative else 1)
    value: Any = {"chargingRateUnit": unit, field: f"{amount:f}" if as_text else amount}
    for wrap in wraps:
        value = wrap(value)
    payload = {**junk, "type": "Inoperative", "operationalStatus": "Inoperative", "inside": value}
    with pytest.raises(SafetyError, match="current"):
        ask(gate(), *action, payload)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(FIELDS),
    st.sampled_from(["A", "W"]),
    st.floats(min_value=0, max_value=1),
    st.sampled_from(WRAPS[:6]),
)
def test_what_lies_in_the_envelope_passes_in_any_nesting(
    field: str, unit: str, part: float, wrap: Callable[[Any], Any]
) -> None:
    amount = (CURRENT_A if unit == "A" else PHASE_W) * part
    ask(gate(), "2.x", "SetChargingProfile", {"x": wrap({"chargingRateUnit": unit, field: amount})})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 10**400, "1e999", [64], {"value": 64}])
def test_what_is_no_plain_number_is_no_way_out(value: Any) -> None:
    with pytest.raises(SafetyError):
        ask(gate(), "1.6", "SetChargingProfile", profile_16("A", {"startPeriod": 0, "limit": value}))


def test_a_name_written_by_escapes_in_a_text_is_found() -> None:
    for text in (r'{"\u006cimit": 64}', r'["{\"\\u006cimit\": 64}"]'):
        with pytest.raises(SafetyError):
            ask(gate(), "1.6", "DataTransfer", {"vendorId": "V", "data": text})


def test_a_payload_nested_beyond_reason_is_refused() -> None:
    deep: Any = {"limit": 1}
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(SafetyError):
        ask(gate(), "2.x", "SetChargingProfile", {"x": deep})


def test_an_action_with_the_name_of_a_bench_verb_is_still_one_of_the_back_end() -> None:
    with pytest.raises(SafetyError, match="current"):
        ask(gate(), "1.6", "token", {"limit": 64})


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("1.6", "RemoteStopTransaction", {"transactionId": 1}),
        ("1.6", "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        ("1.6", "SetChargingProfile", profile_16("A", {"startPeriod": 0, "limit": 0})),
        ("2.x", "RequestStopTransaction", {"transactionId": "T"}),
        ("2.x", "ChangeAvailability", {"operationalStatus": "Inoperative"}),
        ("2.x", "SetChargingProfile", profile_2x("W", {"startPeriod": 0, "limit": 0.0})),
    ],
)
def test_what_leads_to_safety_passes_a_sealed_gate(version: str, action: str, payload: Payload) -> None:
    sealed = gate(forbidden=(action,))
    sealed.seal()
    ask(sealed, version, action, payload)


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("1.6", "SetChargingProfile", profile_16("A", {"startPeriod": 0, "limit": 0}, {"startPeriod": 60, "limit": 6})),
        ("1.6", "ChangeAvailability", {"connectorId": 0, "type": "Operative"}),
        ("1.6", "ClearChargingProfile", {}),
        ("2.x", "ChangeAvailability", {"operationalStatus": "Operative"}),
        ("2.x", "SetChargingProfile", {}),
    ],
)
def test_what_does_not_is_held(version: str, action: str, payload: Payload) -> None:
    sealed = gate()
    sealed.seal()
    with pytest.raises(SafetyError, match="made safe"):
        ask(sealed, version, action, payload)


def set_variables(*names: tuple[str, str]) -> Payload:
    entries = [{"component": {"name": c}, "variable": {"name": v}, "attributeValue": "1"} for c, v in names]
    return {"setVariableData": entries}


ENOUGH = {"current": "16 A", "contactor_cycles": 1, "pp_ohm": []}
HARMLESS = ("OCPPCommCtrlr", "HeartbeatInterval")
GROUPED: list[tuple[str, str, str, Payload]] = [
    ("firmware", "1.6", "UpdateFirmware", {}),
    ("firmware", "1.6", "SignedUpdateFirmware", {}),
    ("firmware", "2.x", "UpdateFirmware", {}),
    ("firmware", "2.x", "PublishFirmware", {}),
    ("firmware", "2.x", "UnpublishFirmware", {}),
    ("reset", "1.6", "Reset", {"type": "Hard"}),
    ("reset", "2.x", "Reset", {"type": "OnIdle"}),
    ("reset", "2.x", "reset", {"type": "OnIdle"}),
    ("security", "2.x", "InstallCertificate", {}),
    ("security", "2.x", "DeleteCertificate", {}),
    ("security", "2.x", "SetNetworkProfile", {}),
    ("security", "1.6", "ChangeConfiguration", {"key": "AuthorizationKey", "value": "00"}),
    ("security", "1.6", "ChangeConfiguration", {"key": "authorizationKEY", "value": "00"}),
    ("security", "1.6", "ChangeConfiguration", {"key": "SecurityProfile", "value": "2"}),
    ("security", "1.6", "ChangeConfiguration", {"key": "CpoName", "value": "x"}),
    ("security", "1.6", "ChangeConfiguration", {"key": "AdditionalRootCertificateCheck", "value": "x"}),
    ("security", "2.x", "SetVariables", set_variables(("SecurityCtrlr", "BasicAuthPassword"))),
    ("security", "2.x", "SetVariables", set_variables(HARMLESS, ("securityctrlr", "basicauthPASSWORD"), HARMLESS)),
    ("security", "2.x", "SetVariables", set_variables(HARMLESS, ("OCPPCommCtrlr", "NetworkConfigurationPriority"))),
    ("security", "2.x", "SetVariables", set_variables(("NetworkConfiguration", "OcppCsmsUrl"))),
    ("security", "2.x", "SetVariables", {"setVariableData": {"a": [{"variable": {"name": "SecurityProfile"}}]}}),
]


@pytest.mark.parametrize(("group", "version", "action", "payload"), GROUPED)
def test_what_can_lock_a_station_out_needs_leave(group: str, version: str, action: str, payload: Payload) -> None:
    others = {"firmware", "reset", "security"} - {group}
    with pytest.raises(SafetyError, match=f'needs "{group}"'):
        ask(gate(*others), version, action, payload)
    ask(gate(group), version, action, payload)
    with pytest.raises(SafetyError, match="csms_forbidden"):
        ask(gate(group, forbidden=(action.upper(),)), version, action, payload)


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        ("1.6", "CertificateSigned", {"certificateChain": "x"}),
        ("2.x", "CertificateSigned", {"certificateChain": "x"}),
        ("1.6", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "AuthorizationKey"}),
        ("1.6", "GetConfiguration", {"key": ["AuthorizationKey"]}),
        ("2.x", "SetVariables", set_variables(HARMLESS)),
        ("2.x", "GetVariables", {"getVariableData": set_variables(("SecurityCtrlr", "Identity"))["setVariableData"]}),
        ("2.x", "TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"}),
        # In percent of what the station can do.
        ("2.x", "SetDERControl", {"controlId": "c", "fixedVar": {"setpoint": 80, "unit": "PctMaxVar"}}),
    ],
)
def test_what_cannot_needs_none(version: str, action: str, payload: Payload) -> None:
    ask(gate(), version, action, payload)


def test_a_bench_file_gives_leave_by_group() -> None:
    file = load_bench_file(virtual_bench())
    assert envelope_of(file).csms_allowed == set(GROUPS)
    assert EnvelopeSection.model_validate(ENOUGH).csms_allowed == []
    for word in GROUPS:
        assert EnvelopeSection.model_validate({**ENOUGH, "csms_allowed": [word]}).csms_allowed == [word]
    with pytest.raises(ValueError, match="csms_allowed"):
        EnvelopeSection.model_validate({**ENOUGH, "csms_allowed": ["everything"]})


def test_both_2x_adapters_ask_the_same_way() -> None:
    payload = profile_2x("A", {"startPeriod": 0, "limit": 40})
    for adapter in (Adapter201("CP1"), Adapter21("CP1")):
        assert adapter.describe("SetChargingProfile", payload) == describe_2x("SetChargingProfile", payload)
