"""A vehicle whose battery gives off gas: it asks for state D, which means to charge where there is ventilation only."""

from __future__ import annotations

from typing import Any

from .steps import CARD, at_least, end, plug_in

STATION_MAY_TAKE = "4 s"


def test_ventilation(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Ask for state D first, then for C, and while it charges for D again."""
    bench.phase("plug in")
    plug_in(vehicle, timeline)
    vehicle.ventilation(True)
    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("ocpp.tx.started", within="10 s", since_ns=mark)
    timeline.seen("cp.state", state="D", within="8 s", since_ns=mark)
    bench.phase("the vehicle needs ventilation")
    mark = timeline.now_ns()
    timeline.seen("output", live=True, within=STATION_MAY_TAKE, since_ns=mark)
    bench.phase("it needs none any more")
    mark = timeline.now_ns()
    vehicle.ventilation(False)
    if timeline.seen("meter.sample", at_least(10.0), within="12 s", since_ns=mark):
        bench.phase("it needs ventilation while it charges")
        mark = timeline.now_ns()
        vehicle.ventilation(True)
        timeline.seen("output", live=False, within=STATION_MAY_TAKE, since_ns=mark)
    end(bench, vehicle, csms, timeline)
