"""State letters from measured volts: the windows, and what happens between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.drivers.pilot.levels import WINDOWS_V, classify


@pytest.mark.parametrize(
    ("high_v", "low_v", "letter"),
    [
        (12.0, 12.0, "A"),
        (12.0, -12.0, "A"),
        (8.98, 8.98, "B"),
        (8.98, -12.0, "B"),
        (6.0, -12.0, "C"),
        (2.93, -12.0, "D"),
        (0.0, 0.0, "E"),
        (0.89, -0.89, "E"),
        (-12.0, -12.0, "F"),
        (9.0, -9.0, "B"),
    ],
)
def test_nominal_levels(high_v: float, low_v: float, letter: str) -> None:
    assert classify(high_v, low_v) == letter


@given(st.sampled_from(list(WINDOWS_V)), st.floats(0, 1), st.sampled_from([None, *WINDOWS_V]))
def test_inside_a_window_the_past_does_not_matter(letter: str, share: float, previous: str | None) -> None:
    lo, hi = WINDOWS_V[letter]
    level = min(hi, max(lo, lo + share * (hi - lo)))
    assert classify(level, level, previous) == letter


@given(
    st.sampled_from(
        [(10.001, 10.999), (7.001, 7.999), (4.001, 4.999), (1.001, 1.999), (-10.999, -1.001), (13.001, 15.0)]
    ),
    st.floats(0, 1),
    st.sampled_from(list(WINDOWS_V)),
)
def test_between_windows_the_letter_stays(gap: tuple[float, float], share: float, previous: str) -> None:
    level = gap[0] + share * (gap[1] - gap[0])
    assert classify(level, -12.0, previous) == previous


def test_without_a_past_the_nearest_window_is_taken() -> None:
    assert classify(10.1, -12.0) == "B"
    assert classify(10.9, -12.0) == "A"
    assert classify(13.4, 13.4) == "A"


def test_zero_over_a_full_negative_half_is_no_short() -> None:
    assert classify(0.0, -12.0, "C") == "C"
