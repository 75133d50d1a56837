"""The meter's gain error, resolution and refresh."""

from __future__ import annotations

import pytest
from pilotbench.bench.twin.model.energy_meter import EnergyMeter

MS = 1_000_000


def meter(**changes):
    values = {"gain_error_pct": 0.0, "resolution_wh": 0.1, "refresh_ms": 100.0, "start_wh": 1000.0, **changes}
    return EnergyMeter(**values)


def test_gain_error_reaches_current_power_and_energy():
    subject = meter(gain_error_pct=2.0, start_wh=0.0, resolution_wh=0.001)
    subject.accumulate([3680.0, 0.0, 0.0], 3600.0)
    subject.step(0, [230.0, 230.0, 230.0], [16.0, 0.0, 0.0])
    assert subject.reading.current_a[0] == pytest.approx(16.32)
    assert subject.reading.power_w[0] == pytest.approx(3753.6)
    assert subject.reading.energy_wh == pytest.approx(3753.6)
    assert subject.reading.phase_energy_wh == (pytest.approx(3753.6), 0.0, 0.0)


def test_energy_counts_full_steps_only():
    subject = meter()
    subject.accumulate([0.19 * 3600.0, 0.0, 0.0], 1.0)
    subject.step(0, [230.0] * 3, [0.0] * 3)
    assert subject.reading.energy_wh == 1000.1
    subject.accumulate([0.02 * 3600.0, 0.0, 0.0], 1.0)
    subject.step(100 * MS, [230.0] * 3, [0.0] * 3)
    assert subject.reading.energy_wh == 1000.2


def test_registers_are_as_old_as_the_last_refresh():
    subject = meter()
    assert subject.step(0, [230.0] * 3, [6.0] * 3)
    assert not subject.step(99 * MS, [230.0] * 3, [16.0] * 3)
    assert subject.reading.current_a == (6.0, 6.0, 6.0)
    assert subject.step(100 * MS, [230.0] * 3, [16.0] * 3)
    assert subject.reading.current_a == (16.0, 16.0, 16.0)
    assert subject.reading.at_ns == 100 * MS


def test_a_stall_does_not_cause_a_burst_of_refreshes():
    subject = meter()
    subject.step(0, [230.0] * 3, [0.0] * 3)
    assert subject.step(950 * MS, [230.0] * 3, [0.0] * 3)
    assert not subject.step(951 * MS, [230.0] * 3, [0.0] * 3)
    assert subject.step(1000 * MS, [230.0] * 3, [0.0] * 3)
