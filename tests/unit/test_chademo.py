"""CHAdeMO's frames, three times the same: the driver's, the DBC file's, the emulated charger's; and its sequence."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import cantools
import msgspec
import pilotbench
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.bench.twin.emulators.chademo_charger import pack_output, pack_station
from pilotbench.drivers.ev.chademo_frames import CAPABILITY, LIMITS, OUTPUT, STATE, TIMES, Charger, Says, Traits, pack
from pilotbench.drivers.ev.chademo_sequence import OPEN_BELOW_A, RISE_A_S, Sequence, Wanted

DBC: Any = cantools.database.load_file(
    Path(pilotbench.__file__).parent / "hw-configs" / "ev" / "chademo.dbc", strict=True
)
BYTE = st.integers(0, 255)
VOLT = st.integers(0, 65535)
TENTH_S_NS = 100_000_000


@given(VOLT, VOLT, VOLT, BYTE, st.booleans(), st.booleans(), st.booleans(), st.integers(0, 31), BYTE)
def test_what_the_vehicle_says_is_what_the_dbc_reads(
    least_v: int,
    most_v: int,
    target_v: int,
    request_a: int,
    permit: bool,
    is_open: bool,
    stop: bool,
    faults: int,
    soc: int,
) -> None:
    traits = Traits(min_battery_v=least_v, max_battery_v=most_v, target_v=target_v, capacity_kwh=36.5)
    says = Says(request_a, permit, is_open, stop, faults, soc, 25)
    limits = DBC.decode_message(LIMITS, pack(LIMITS, traits, says))
    assert (limits["MinBatteryVoltage"], limits["MaxBatteryVoltage"]) == (least_v, most_v)
    assert limits["ChargedRateConstant"] == 100
    times = DBC.decode_message(TIMES, pack(TIMES, traits, says))
    assert (times["BatteryCapacity"], times["EstimatedChargingTime"], times["MaxChargingTime"]) == (36.5, 25, 60)
    state = DBC.decode_message(STATE, pack(STATE, traits, says))
    assert (state["TargetVoltage"], state["CurrentRequest"], state["StateOfCharge"]) == (target_v, request_a, soc)
    assert (state["ChargingEnabled"], state["ContactorOpen"], state["StopRequest"]) == (permit, is_open, stop)
    names = ("OverVoltage", "UnderVoltage", "CurrentDeviation", "Temperature", "VoltageDeviation")
    assert [state[f"Fault{name}"] for name in names] == [faults >> bit & 1 for bit in range(5)]


@given(VOLT, BYTE, VOLT, BYTE, VOLT, BYTE, st.integers(0, 63), BYTE)
def test_what_the_charger_says_is_read_as_the_dbc_reads_it(
    available_v: int,
    available_a: int,
    threshold_v: int,
    protocol: int,
    voltage_v: int,
    current_a: int,
    status: int,
    minutes: int,
) -> None:
    station, output = (
        pack_station(available_v, available_a, threshold_v),
        pack_output(protocol, voltage_v, current_a, status, minutes),
    )
    charger = Charger().heard(CAPABILITY, station).heard(OUTPUT, output)
    said = {**DBC.decode_message(CAPABILITY, station), **DBC.decode_message(OUTPUT, output)}
    assert charger == Charger(
        welding_detection=bool(said["WeldingDetection"]),
        available_v=said["AvailableVoltage"],
        available_a=said["AvailableCurrent"],
        threshold_v=said["ThresholdVoltage"],
        protocol=said["ProtocolNumber"],
        voltage_v=said["OutputVoltage"],
        current_a=said["OutputCurrent"],
        charging=bool(said["Charging"]),
        malfunction=bool(said["Malfunction"]),
        locked=bool(said["ConnectorLocked"]),
        incompatible=bool(said["BatteryIncompatible"]),
        system_malfunction=bool(said["SystemMalfunction"]),
        stop=bool(said["StopControl"]),
        remaining_s=said["RemainingTime"] * 60,
    )
    assert (charger.voltage_v, charger.current_a, charger.available_a) == (voltage_v, current_a, available_a)


def test_golden_frames() -> None:
    """By hand from the table: 410 V target, 100 A, permitted, contactors closed, 55 %."""
    assert pack(STATE, Traits(), Says(100, True, False, False, 0, 55)).hex() == "029a016400013700"
    assert pack(LIMITS, Traits(), Says()).hex() == "0000c800b3016400"
    assert pack(TIMES, Traits(), Says()).hex() == "00ff3c0000900100"
    assert Charger().heard(OUTPUT, bytes.fromhex("025e016400050c00")) == Charger(
        protocol=2, voltage_v=350, current_a=100, charging=True, locked=True, remaining_s=120
    )


@pytest.mark.parametrize(("key", "data"), [(OUTPUT, b"\0" * 7), (0x110, b"\0" * 8)])
def test_frame_that_is_none_is_refused(key: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes, not 8|no frame of a charger"):
        Charger().heard(key, data)


def test_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="256"):
        pack(STATE, Traits(), Says(request_a=300))


# ---- the sequence, whatever the charger does


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 4 + list(others))


CHARGERS = st.builds(
    Charger,
    available_v=mostly(500, 300),
    available_a=mostly(125, 0, 50),
    protocol=mostly(2, 0, 9),
    voltage_v=mostly(350, 0, 5, 450),
    current_a=st.sampled_from([0, 3, 20, 50, 120]),
    charging=mostly(True, False),
    malfunction=mostly(False, True),
    locked=mostly(True, False),
    stop=mostly(False, True),
)
WANTED = st.builds(Wanted, mostly(True, False), mostly(True, False), mostly(True, False), mostly(125.0, 0.0, 16.0))
STEPS = st.lists(st.tuples(WANTED, CHARGERS | CHARGERS | CHARGERS | st.none(), mostly(False, True)), max_size=20)


def brought_to_charge(sequence: Sequence) -> tuple[int, list[str]]:
    """A charger that does as it should, for six seconds; the time, and the phases."""
    wanted = Wanted(plugged=True, s2_closed=True, charge=True, max_current_a=50.0)
    charger = Charger(available_v=500, available_a=125, protocol=2, stop=True)
    now_ns, phases = 0, list[str]()
    for _ in range(60):
        now_ns += TENTH_S_NS
        sequence.step(now_ns, wanted, charger)
        charging = not sequence.contactor_open
        given = {"locked": sequence.permit, "charging": charging, "stop": not charging}
        charger = msgspec.structs.replace(charger, current_a=int(sequence.request_a), **given)
        phases.append(sequence.phase)
    return now_ns, list(dict.fromkeys(phases))


@pytest.mark.parametrize("contactors", ["self", "bench"])
def test_it_gets_there(contactors: Any) -> None:
    sequence = Sequence(Traits(), contactors)
    assert brought_to_charge(sequence)[1] == ["checked", "permitted", "closed", "charging"]
    assert sequence.says(50.0).request_a == 50


CARS = {contactors: Sequence(Traits(), contactors) for contactors in ("self", "bench")}
CHARGING_NS = max(brought_to_charge(car)[0] for car in CARS.values())


@given(STEPS, st.sampled_from(["self", "bench"]), mostly(True, False))
def test_no_charger_makes_the_car_unsafe(steps: list[Any], contactors: Any, charging: bool) -> None:
    sequence = copy.copy(CARS[contactors]) if charging else Sequence(Traits(), contactors)
    now_ns = CHARGING_NS if charging else 0
    for wanted, charger, silent in steps:
        now_ns += TENTH_S_NS
        was_a, was_open = sequence.request_a, sequence.contactor_open
        sequence.step(now_ns, wanted, charger, silent=silent)
        bits = sequence.says(50.0)
        if not wanted.charging:
            assert (bits.request_a, bits.permit) == (0, False), "what is not wanted is withdrawn at once"
        if bits.request_a:
            assert bits.permit
            assert not bits.contactor_open
            assert charger is not None
            assert bits.request_a <= min(wanted.max_current_a, charger.available_a, 125)
            assert sequence.request_a <= was_a + RISE_A_S * 0.1 + 1e-6
        if sequence.contactor_open and not was_open and wanted.plugged and charger is not None and not silent:
            assert charger.current_a < OPEN_BELOW_A, "contactors do not open under load"
