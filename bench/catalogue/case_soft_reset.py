"""A restart that lets the transaction come to its end."""

from __future__ import annotations

from typing import Any

from .steps import begin, booted, end

GOES_ON = "16 s"
"""So long a transaction has to go on until nobody takes its end for one that was on its way already."""
WITHIN = "320 s"
"""As in `case_reset`; also to tell what happened before."""


def test_soft_reset(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, soft reset; 2.x (OnIdle): it charges on, is stopped and unplugged. Wait for the boot."""
    begin(bench, vehicle, timeline)
    bench.phase("soft reset")
    mark = timeline.now_ns()
    csms.reset("Soft")
    ended = timeline.seen("ocpp.tx.ended", within=GOES_ON, since_ns=mark)
    if not ended and not timeline.seen("ocpp.boot", within="1 s", since_ns=mark):
        end(bench, vehicle, csms, timeline)
    bench.phase("restart")
    booted(csms, timeline, mark, within=WITHIN)
    timeline.seen("ocpp.tx.ended", within=WITHIN, since_ns=mark)
    timeline.seen("ocpp.status", within="6 s", since_ns=mark)
