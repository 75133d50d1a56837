"""Laws of the twin's physics that hold for any resistance, any current and any order of events."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pilotbench.bench.twin.model.contactor import ALL_POLES, NEUTRAL, Contactor
from pilotbench.bench.twin.model.divider import CpFaults, levels
from pilotbench.bench.twin.model.energy_meter import EnergyMeter
from pilotbench.bench.twin.model.proximity import PpFault, Proximity
from pilotbench.bench.twin.model.residual import AC_LIMITS, DC_LIMITS, ResidualMonitor, trip_limit_s
from pilotbench.bench.twin.model.switch import DelayedSwitch

MS = 1_000_000
OHM = st.floats(0.0, 1e7)
STATE = st.sampled_from("ABCD")
FAULTS = st.builds(
    CpFaults,
    diode=st.booleans(),
    short_ohm=st.none() | OHM,
    cp_open=st.booleans(),
    branch_ohm=st.none() | OHM,
)


def nodes_by_hand(faults, ohm):
    """Kirchhoff at the node, with the branch forward biased: (12 - v)/1k = v/short + (v - drop)/branch."""
    drop = 0.0 if faults.diode else 0.7
    shunt = 0.0 if faults.short_ohm is None else 1.0 / faults.short_ohm
    return (12.0 / 1000.0 + drop / ohm) / (1.0 / 1000.0 + shunt + 1.0 / ohm)


@given(STATE, FAULTS, st.floats(0.1, 99.9))
def test_no_level_lies_outside_the_source(state, faults, duty):
    got = levels(state, faults, duty)
    assert -12.0 <= got.low_v <= 0.0 <= got.high_v <= 12.0


@given(st.floats(1.0, 1e6), st.booleans(), st.none() | st.floats(80.0, 1e6))
def test_the_node_obeys_kirchhoff_for_any_resistance(ohm, diode, short_ohm):
    faults = CpFaults(diode=diode, short_ohm=short_ohm, branch_ohm=ohm)
    bare_v = 12.0 if short_ohm is None else 12.0 * short_ohm / (1000.0 + short_ohm)
    if bare_v > 0.7 or diode:
        assert levels("B", faults, 50.0).high_v == pytest.approx(nodes_by_hand(faults, ohm), abs=1e-9)


@given(STATE, FAULTS)
def test_a_shorted_diode_mirrors_the_level_and_a_sound_one_leaves_the_low_alone(state, faults):
    shorted = levels(state, replace(faults, diode=True), 50.0)
    assert shorted.low_v == pytest.approx(-shorted.high_v)
    sound = levels(state, replace(faults, diode=False), 50.0)
    assert sound.low_v == levels("A", replace(faults, diode=False), 50.0).low_v


@given(st.tuples(OHM, OHM).map(sorted), st.booleans())
def test_less_resistance_is_a_lower_level(pair, diode):
    lower, higher = (levels("C", CpFaults(diode=diode, branch_ohm=ohm), 50.0).high_v for ohm in pair)
    assert lower <= higher + 1e-9


@given(STATE, FAULTS, FAULTS)
def test_two_faults_are_at_least_as_low_as_each(state, one, other):
    one, other = replace(one, branch_ohm=None, cp_open=False), replace(other, branch_ohm=None, cp_open=False)
    both = levels(state, one.beside(other), 50.0)
    assert both.high_v <= levels(state, one, 50.0).high_v + 0.7  # a shorted diode takes its 0.7 V away
    assert both.low_v >= levels(state, one, 50.0).low_v - 1e-9
    assert both == levels(state, other.beside(one), 50.0)


def test_a_resistance_is_shown_only_in_its_states_and_never_unplugged():
    only_c = CpFaults(branch_ohm=1500.0, branch_in="C")
    assert levels("C", only_c, 50.0).high_v == pytest.approx(0.7 + 11.3 * 0.6)
    assert levels("B", only_c, 50.0) == levels("B", CpFaults(), 50.0)
    assert levels("A", CpFaults(branch_ohm=1.0), 50.0).high_v == 12.0


# --- residual current ------------------------------------------------------------------------------------


def trip_s(kind, current_ma, seed, until_s):
    """When a monitor trips at a constant current, stepped by the millisecond."""
    monitor = ResidualMonitor(Random(seed))
    for step in range(1, int(until_s * 1000) + 2):
        monitor.step(step * MS, 0.001, *((current_ma, 0.0) if kind == "ac" else (0.0, current_ma)))
        if monitor.tripped:
            return step / 1000.0
    return None


@given(st.floats(30.0, 1000.0), st.integers(0, 50))
def test_ac_trips_within_the_law(current_ma, seed):
    limit_s = trip_limit_s(AC_LIMITS, current_ma)
    tripped_s = trip_s("ac", current_ma, seed, limit_s)
    assert tripped_s is not None
    assert 0.25 * limit_s <= tripped_s <= limit_s + 0.001


@settings(max_examples=15)
@given(st.floats(6.0, 500.0), st.integers(0, 50))
def test_dc_trips_within_the_law(current_ma, seed):
    limit_s = trip_limit_s(DC_LIMITS, current_ma)
    tripped_s = trip_s("dc", current_ma, seed, limit_s)
    assert tripped_s is not None
    assert tripped_s <= limit_s + 0.001


@pytest.mark.parametrize(
    ("limits", "current_ma", "latest_s"),
    [
        (DC_LIMITS, 6, 10.0),
        (DC_LIMITS, 60, 0.3),
        (DC_LIMITS, 200, 0.1),
        (DC_LIMITS, 900, 0.1),
        (DC_LIMITS, 5.9, None),
        (AC_LIMITS, 30, 0.3),
        (AC_LIMITS, 150, 0.04),
        (AC_LIMITS, 29.9, None),
    ],
)
def test_the_points_of_the_trip_law(limits, current_ma, latest_s):
    assert trip_limit_s(limits, current_ma) == (None if latest_s is None else pytest.approx(latest_s))


@given(st.sampled_from([AC_LIMITS, DC_LIMITS]), st.tuples(st.floats(6.0, 300.0), st.floats(6.0, 300.0)).map(sorted))
def test_more_current_never_trips_later(limits, pair):
    times = [trip_limit_s(limits, current_ma) for current_ma in pair]
    if times[0] is not None:
        assert times[1] <= times[0] + 1e-12


@pytest.mark.parametrize(("ac_ma", "dc_ma"), [(15.0, 0.0), (0.0, 4.0), (22.0, 4.9)])
def test_below_the_threshold_it_never_trips(ac_ma, dc_ma):
    monitor = ResidualMonitor(Random(1))
    for step in range(60):
        assert not monitor.step(step * 1000 * MS, 1.0, ac_ma, dc_ma)


def test_it_reports_until_the_current_has_been_gone_for_a_second():
    monitor = ResidualMonitor(Random(1))
    assert monitor.step(1000 * MS, 1.0, 100.0, 0.0)
    assert monitor.tripped
    for ms in range(1001, 2001):
        assert not monitor.step(ms * MS, 0.001, 0.0, 0.0)
    assert monitor.step(2001 * MS, 0.001, 0.0, 0.0)
    assert not monitor.tripped
    assert monitor.idle


# --- contacts, plug, register ----------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 200)), max_size=20), st.frozensets(st.integers(0, 3)))
def test_welded_poles_stay_closed_whatever_the_coil_does(commands, poles):
    contactor, now_ms = Contactor(Random(3)), 0
    contactor.weld(poles)
    was_closed = False
    for on, for_ms in commands:
        contactor.command(on, now_ms * MS)
        now_ms += for_ms
        contactor.step(now_ms * MS)
        was_closed |= contactor.closed
        for pole in ALL_POLES:
            assert contactor.conducts(pole) == (contactor.closed or (was_closed and pole in poles))
    contactor.weld(frozenset())
    assert contactor.conducts(NEUTRAL) == contactor.closed


def test_a_bypass_conducts_at_once_without_the_neutral():
    contactor = Contactor(Random(1))
    contactor.weld({2}, at_once=True)
    assert [contactor.conducts(pole) for pole in (NEUTRAL, 1, 2, 3)] == [False, False, True, False]


@pytest.mark.parametrize("position", [True, False])
def test_a_blocked_switch_stays_and_follows_once_it_is_free(position):
    switch = DelayedSwitch(Random(1), on_s=(0.1, 0.2), off_s=(0.1, 0.2))
    if not position:
        switch.command(True, 0)
        switch.step(1000 * MS)
    switch.block({position}, 1000 * MS)
    switch.command(position, 1000 * MS)
    assert switch.step(5000 * MS) is None
    assert switch.closed is not position
    switch.block(frozenset(), 6000 * MS)
    assert switch.step(6099 * MS) is None
    assert switch.step(6200 * MS) is not None
    assert switch.closed is position


@given(st.floats(0.0, 5000.0), st.floats(0.1, 10.0), st.integers(0, 100_000))
def test_a_wandering_coding_stays_between_its_ends_and_comes_back(ohm, over_s, at_ms):
    plug = Proximity()
    plug.plug(220.0, 0)
    plug.break_(PpFault(ohm, over_s), 0)
    plug.step(at_ms * MS)
    assert min(220.0, ohm) - 0.1 <= plug.ohm <= max(220.0, ohm) + 0.1
    plug.break_(None, at_ms * MS)
    assert plug.ohm == 220.0


def test_a_broken_coding_needs_a_plug():
    plug = Proximity()
    assert not plug.break_(PpFault(0.0), 0)
    assert plug.ohm is None
    assert plug.plug(100.0, 1)
    assert plug.ohm == 0.0
    assert plug.break_(PpFault(None), 2)
    assert plug.ohm is None
    assert plug.plug(None, 3) is False


def test_a_frozen_meter_counts_on_and_a_turned_back_one_is_lower():
    meter = EnergyMeter(gain_error_pct=0.0, resolution_wh=0.1, refresh_ms=100.0, start_wh=1000.0)
    meter.step(0, [230.0] * 3, [0.0] * 3)
    meter.frozen = True
    meter.accumulate([3600.0, 0.0, 0.0], 10.0)
    assert not meter.step(100 * MS, [230.0] * 3, [16.0] * 3)
    assert meter.reading.energy_wh == 1000.0
    assert meter.reading.current_a == (0.0, 0.0, 0.0)
    meter.frozen = False
    meter.step(200 * MS, [230.0] * 3, [16.0] * 3)
    assert meter.reading.energy_wh == 1010.0
    meter.turn_back(25.0)
    meter.step(300 * MS, [230.0] * 3, [16.0] * 3)
    assert meter.reading.energy_wh == 985.0
    meter.turn_back(None)
    meter.step(400 * MS, [230.0] * 3, [16.0] * 3)
    assert meter.reading.energy_wh == 1010.0
