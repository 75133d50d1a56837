"""A plug whose coding resistor is missing: no cable that an outlet may energise."""

from __future__ import annotations

from typing import Any

from .steps import CARD, leave

LOOKS_FOR = "8 s"


def test_uncoded(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Plug in, show the card, and see whether the output turns on."""
    bench.phase("plug in")
    mark = timeline.now_ns()
    vehicle.plug(cable_a=None)
    timeline.seen("ocpp.status", within="3 s", since_ns=mark)
    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("output", live=True, within=LOOKS_FOR, since_ns=mark)
    leave(bench, vehicle, timeline)
