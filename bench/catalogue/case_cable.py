"""Cables that may carry less than the outlet, or more."""

from __future__ import annotations

from typing import Any

from ..vehicle import CABLE_OHM
from .steps import begin, delivered, end

RATINGS_A = (13, 20, 32, 63)
LOOKS_FOR = "2 s"
LOCK_MAY_TAKE = "2 s"


def test_cable(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge over a cable of each coding; one that the envelope refuses is left out."""
    for cable_a in RATINGS_A:
        if CABLE_OHM[cable_a] not in bench.file.envelope.pp_ohm:
            continue
        begin(bench, vehicle, timeline, cable_a=cable_a)
        bench.phase("charge at the offered current")
        mark = timeline.now_ns()
        timeline.seen("meter.sample", delivered(float("inf")), within=LOOKS_FOR, since_ns=mark)
        end(bench, vehicle, csms, timeline)
        timeline.seen("lock", locked=False, within=LOCK_MAY_TAKE, since_ns=mark)
