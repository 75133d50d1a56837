"""A cable that may carry less than the outlet."""

from __future__ import annotations

from typing import Any

from .steps import begin, delivered, end

LOOKS_FOR = "2 s"


def test_cable(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge over a cable of 13 A."""
    begin(bench, vehicle, timeline, cable_a=13)
    bench.phase("charge at the offered current")
    mark = timeline.now_ns()
    timeline.seen("meter.sample", delivered(float("inf")), within=LOOKS_FOR, since_ns=mark)
    end(bench, vehicle, csms, timeline)
