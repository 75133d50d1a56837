"""Identity, status and the wrapping counter of a pilot emulator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.drivers.pilot.counter import MicrosecondCounter
from pilotbench.drivers.pilot.identity import PilotIdentity, PilotStatus

FULL = (
    *("proto=1", "model=virtual", "serial=VP0001", "fw=1.0", "clock_bits=32", "cp_res_us=200"),
    *("caps=sense,lock,token,relay", "sense_kind=ac", "sense_us=0..10000", "sense_phases=3"),
    *("lock_us=0..1000", "relays=2"),
)


def test_full_identity() -> None:
    who = PilotIdentity.parse(FULL)
    assert (who.model, who.serial, who.firmware) == ("virtual", "VP0001", "1.0")
    assert (who.clock_bits, who.cp_res_us) == (32, 200)
    assert who.capabilities == {"sense", "lock", "token", "relay"}
    assert (who.sense_kind, who.sense_us, who.sense_phases) == ("ac", (0, 10000), 3)
    assert (who.lock_us, who.relays) == ((0, 1000), 2)


def test_a_device_without_extras_and_with_keys_of_its_own() -> None:
    who = PilotIdentity.parse(["proto=1", "model=nano", "serial=7", "fw=0.1", "colour=red"])
    assert who.capabilities == frozenset()
    assert who.clock_bits == 32
    assert who.clock_ppm == 100


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("proto=1", "proto=2", "version 2"),
        ("serial=VP0001", "x=1", "no 'serial'"),
        ("clock_bits=32", "clock_bits=16", "neither 32 nor 64"),
        ("cp_res_us=200", "cp_res_us=few", "not a whole number"),
        ("relays=2", "clock_ppm=0", "outside 1..100000"),
        ("sense_us=0..10000", "sense_us=10000..0", "not a range"),
        ("sense_us=0..10000", "x=1", "sense_us"),
        ("lock_us=0..1000", "x=1", "lock_us"),
    ],
)
def test_what_makes_no_sense_is_named(old: str, new: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PilotIdentity.parse([new if word == old else word for word in FULL])


def test_status() -> None:
    words = [
        *("r=C", "f=DIODE,SHORT80", "pp=OPEN", "high_mv=6010", "low_mv=-11950"),
        *("duty=5333", "freq=10001", "out=110", "lock=1", "wd=2000"),
    ]
    status = PilotStatus.parse(words)
    assert (status.resistor, status.faults, status.pp_ohm, status.safe) == ("C", {"DIODE", "SHORT80"}, None, False)
    assert (status.high_v, status.low_v, status.duty_pct, status.freq_hz) == (6.01, -11.95, 53.33, 1000.1)
    assert (status.output, status.locked, status.watchdog_ms) == ((True, True, False), True, 2000)


@given(st.sampled_from([32, 64]), st.integers(0, 2**64 - 1), st.lists(st.integers(-(2**30), 2**31 - 1), max_size=20))
def test_counter_never_wraps(bits: int, start_us: int, steps: list[int]) -> None:
    turn = 1 << bits
    counter = MicrosecondCounter(bits)
    true_us = start_us % turn
    first_ns = counter.extend_ns(true_us)
    begun = true_us
    for step in steps:
        true_us += step
        assert counter.extend_ns(true_us % turn) - first_ns == (true_us - begun) * 1000


def test_a_counter_that_is_expected_somewhere_is_found_after_any_silence() -> None:
    counter = MicrosecondCounter(32)
    counter.extend_ns(100)
    for turns in (0.4, 0.6, 1.0, 7.3):
        true_us = round(turns * 2**32) + 12345
        assert counter.extend_ns(true_us % 2**32, (true_us + 900_000_000) * 1000) == true_us * 1000
