"""The CP divider against the numbers of the published circuit, worked out by hand."""

from __future__ import annotations

from random import Random

import pytest
from pilotbench.bench.twin.model.divider import CpFaults, levels, with_noise


@pytest.mark.parametrize(
    ("resistor", "high_v"),
    [("A", 12.00), ("B", 8.98), ("C", 6.00), ("D", 2.93)],
)
def test_states_with_pwm(resistor, high_v):
    got = levels(resistor, CpFaults(), 53.33)
    assert got.high_v == pytest.approx(high_v, abs=0.006)
    assert got.low_v == pytest.approx(-12.0)


@pytest.mark.parametrize(("resistor", "high_v"), [("B", 8.79), ("C", 5.62), ("D", 2.37)])
def test_diode_shorted_mirrors_the_level(resistor, high_v):
    got = levels(resistor, CpFaults(diode=True), 50.0)
    assert got.high_v == pytest.approx(high_v, abs=0.006)
    assert got.low_v == pytest.approx(-high_v, abs=0.006)


def test_short_through_80_ohm():
    got = levels("A", CpFaults(short_ohm=80.0), 50.0)
    assert got.high_v == pytest.approx(0.889, abs=0.001)
    assert got.low_v == pytest.approx(-0.889, abs=0.001)
    # With the branch of state C beside it the level falls a little, and stays inside +-1 V.
    assert levels("C", CpFaults(short_ohm=80.0), 50.0).high_v == pytest.approx(0.875, abs=0.005)


def test_dead_short_is_zero_volt_in_every_state():
    for resistor in ("A", "B", "C", "D"):
        got = levels(resistor, CpFaults(short_ohm=0.0), 50.0)
        assert (got.high_v, got.low_v) == (0.0, 0.0)


def test_open_line_looks_like_state_a_and_hides_the_short():
    got = levels("C", CpFaults(cp_open=True, short_ohm=0.0), 50.0)
    assert (got.high_v, got.low_v) == (12.0, -12.0)


@pytest.mark.parametrize(
    ("pwm_pct", "both_v"),
    [(100.0, 8.98), (0.0, -12.0), (None, 0.0)],
)
def test_without_pwm_both_levels_are_equal(pwm_pct, both_v):
    got = levels("B", CpFaults(), pwm_pct)
    assert got.high_v == got.low_v == pytest.approx(both_v, abs=0.006)


def test_noise_stays_within_one_percent_and_is_seeded():
    first = [with_noise(12.0, Random(7)) for _ in range(3)]
    assert first == [with_noise(12.0, Random(7)) for _ in range(3)]
    rng = Random(3)
    values = [with_noise(12.0, rng) for _ in range(2000)]
    assert 11.88 <= min(values) < 11.9
    assert 12.1 < max(values) <= 12.12
