"""What a station reports of energy while it charges."""

from __future__ import annotations

from typing import Any

from .steps import begin

SAMPLE_WITHIN = "8 s"


def test_metering(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge until three periodic values have come."""
    begin(bench, vehicle, timeline)
    bench.phase("charge at the offered current")
    for _ in range(3):
        mark = timeline.now_ns()
        if not timeline.seen("ocpp.register", within=SAMPLE_WITHIN, since_ns=mark, context="Sample.Periodic"):
            break
