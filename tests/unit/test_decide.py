"""From a measured interval and a limit to a verdict, with what is left and what would settle it."""

from __future__ import annotations

import pytest
from pilotbench.bench.correlation import Outcome, Range
from pilotbench.bench.correlation.decide import decide
from pilotbench.bench.timeline import Interval

PASS, FAIL, OPEN = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
INF = float("inf")


@pytest.mark.parametrize(
    ("measured", "limit", "said", "margin", "lean"),
    [
        ((1.0, 3.0), (5.0, 5.0), PASS, (2.0, 4.0), None),
        ((1.0, 5.0), (5.0, 5.0), PASS, (0.0, 4.0), None),
        ((5.0, 5.0), (5.0, 5.0), PASS, (0.0, 0.0), None),
        ((5.5, 7.0), (5.0, 5.0), FAIL, (-2.0, -0.5), None),
        ((5.0, 7.0), (5.0, 5.0), OPEN, (-2.0, 0.0), FAIL),
        ((2.0, 6.0), (5.0, 5.0), OPEN, (-1.0, 3.0), PASS),
        ((1.0, 4.0), (4.0, 6.0), PASS, (0.0, 5.0), None),
        ((1.0, 4.5), (4.0, 6.0), OPEN, (-0.5, 5.0), PASS),
        ((6.0, 9.0), (4.0, 6.0), OPEN, (-5.0, 0.0), FAIL),
        ((6.5, 9.0), (4.0, 6.0), FAIL, (-5.0, -0.5), None),
        ((2.0, INF), (5.0, 5.0), OPEN, (None, 3.0), None),
        ((5.5, INF), (5.0, 5.0), FAIL, (None, -0.5), None),
    ],
)
def test_guarded_on_both_sides(
    measured: tuple[float, float],
    limit: tuple[float, float],
    said: Outcome,
    margin: tuple[float | None, float],
    lean: Outcome | None,
) -> None:
    decision = decide(Interval(*measured), Interval(*limit), "ms")
    assert (decision.outcome, decision.lean) == (said, lean)
    assert decision.margin == Range(*margin, "ms")


def test_what_accuracy_would_decide() -> None:
    assert decide(Interval(2.0, 6.0), Interval(5.0, 5.0), "ms").decides == "decidable with an uncertainty below 1 ms"
    at_it = decide(Interval(3.0, 7.0), Interval(5.0, 5.0), "ms").decides
    assert at_it is not None
    assert "hardly any accuracy" in at_it
    assert decide(Interval(1.0, 2.0), Interval(5.0, 5.0), "ms").decides is None
