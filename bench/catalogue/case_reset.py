"""A restart while a vehicle charges."""

from __future__ import annotations

from typing import Any

from .steps import begin, booted, end, leave

WITHIN = "320 s"
"""A station may take five minutes for a restart; a little more tells silence from a machine that stood still."""


def test_reset(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, hard reset (2.x: Immediate), wait for the boot, unplug."""
    begin(bench, vehicle, timeline)
    bench.phase("hard reset")
    mark = timeline.now_ns()
    if csms.reset("Hard").status == "Scheduled":  # it goes on, and nobody can say that its end was on its way already
        timeline.seen("ocpp.tx.ended", within="16 s", since_ns=mark)
        end(bench, vehicle, csms, timeline)
        return
    booted(csms, timeline, mark, within=WITHIN)
    timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
    leave(bench, vehicle, timeline)
