"""A fault to earth behind the outlet."""

from __future__ import annotations

from typing import Any

from .steps import begin, leave, residual_current


def test_residual_current(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, let a residual current flow, see the outlet dead and the transaction ended, unplug."""
    if not begin(bench, vehicle, timeline):
        return
    bench.phase("residual current")
    mark = timeline.now_ns()
    with residual_current(bench) as flows:
        if not flows:
            return
        timeline.seen("output", live=False, within="3 s", since_ns=mark)
        timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
    leave(bench, vehicle, timeline, within="8 s")
