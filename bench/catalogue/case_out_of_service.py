"""An idle outlet is taken out of service; a restart does not change that."""

from __future__ import annotations

from typing import Any

from .steps import booted


def test_out_of_service(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Make the outlet inoperative, restart, and bring it back."""
    bench.phase("out of service")
    mark = timeline.now_ns()
    csms.set_availability(1, False)
    timeline.seen("ocpp.status", logical="unavailable", within="11 s", since_ns=mark)
    bench.phase("restart")
    mark = timeline.now_ns()
    csms.reset("Hard")
    booted(csms, timeline, mark, within="60 s")
    timeline.seen("ocpp.status", connector=1, within="6 s", since_ns=mark)
    bench.phase("in service again")
    mark = timeline.now_ns()
    csms.set_availability(1, True)
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
