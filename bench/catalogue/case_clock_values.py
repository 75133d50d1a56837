"""Meter values that follow the clock instead of the transaction."""

from __future__ import annotations

from typing import Any

from .steps import begin, end, settings

V16 = {"MeterValueSampleInterval": "0", "ClockAlignedDataInterval": "5"}
V2 = {"AlignedDataCtrlr.Interval": "5", "AlignedDataCtrlr.SendDuringIdle": "true"}
STATION_MAY_TAKE = "22 s"


def test_clock_values(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Ask for values every 5 s of the clock, and for none else (2.x: for none in a transaction); charge; end."""
    with settings(csms, v16=V16, v2=V2):
        begin(bench, vehicle, timeline)
        bench.phase("charge at the offered current")
        for _ in range(4):
            mark = timeline.now_ns()
            if not timeline.seen("ocpp.register", within=STATION_MAY_TAKE, since_ns=mark, context="Sample.Clock"):
                break
        end(bench, vehicle, csms, timeline)
