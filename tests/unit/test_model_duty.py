"""Duty cycle and cable coding against the published tables."""

from __future__ import annotations

import pytest
from pilotbench.bench.twin.model.duty import cable_rating_a, duty_is_valid, duty_to_current_a


@pytest.mark.parametrize(
    ("duty_pct", "amps"),
    [
        (0.0, 0.0),
        (2.9, 0.0),
        (5.0, 0.0),
        (7.5, 0.0),
        (7.99, 0.0),
        (8.0, 6.0),
        (9.99, 6.0),
        (10.0, 6.0),
        (16.67, 10.002),
        (26.67, 16.002),
        (53.33, 31.998),
        (85.0, 51.0),
        (85.01, 52.525),
        (89.2, 63.0),
        (96.0, 80.0),
        (96.5, 80.0),
        (97.0, 80.0),
        (97.01, 0.0),
        (100.0, 0.0),
    ],
)
def test_current_offered(duty_pct, amps):
    assert duty_to_current_a(duty_pct) == pytest.approx(amps)


@pytest.mark.parametrize(
    ("duty_pct", "valid"),
    [(None, False), (5.0, False), (7.99, False), (8.0, True), (97.0, True), (97.1, False), (100.0, False)],
)
def test_validity(duty_pct, valid):
    assert duty_is_valid(duty_pct) is valid


@pytest.mark.parametrize(
    ("ohm", "phases", "amps"),
    [(1500, 3, 13.0), (680, 3, 20.0), (220, 3, 32.0), (100, 3, 63.0), (100, 1, 70.0), (None, 3, 0.0)],
)
def test_cable_rating(ohm, phases, amps):
    assert cable_rating_a(ohm, phases) == amps
