"""A restart while a vehicle charges."""

from __future__ import annotations

from typing import Any

from .steps import begin


def test_reset(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, hard reset (2.x: Immediate), wait for the boot, unplug."""
    begin(bench, vehicle, timeline)
    bench.phase("hard reset")
    mark = timeline.now_ns()
    csms.reset("Hard")
    timeline.wait_for("ocpp.boot", within="60 s", since_ns=mark)
    csms.wait_ready("60 s")
    timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
    bench.phase("unplug")
    mark = timeline.now_ns()
    vehicle.unplug()
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
