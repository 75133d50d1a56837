"""The vehicle stops drawing current and stays connected."""

from __future__ import annotations

from typing import Any

from .steps import begin


def test_pause(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, then pause. What is open in the end is waited for before the plug is pulled."""
    begin(bench, vehicle, timeline)
    bench.phase("the vehicle pauses")
    mark = timeline.now_ns()
    vehicle.pause()
    timeline.wait_for("cp.state", within="6 s", since_ns=mark, state="B")
    timeline.seen("output", within="6 s", since_ns=mark, live=False)
    timeline.seen("ocpp.tx.updated", charging_state="SuspendedEV", within="6 s", since_ns=mark)
