"""The offer ends while S2 is closed. Without an EV simulator S2 stays closed, as a test may want it."""

from __future__ import annotations

from typing import Any

from .steps import CARD, end, plug_in

STATION_MAY_TAKE = "12 s"


def test_held_s2(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Close S2, limit to 0 A, wait until the output is dead, and end the session."""
    bench.phase("plug in")
    plug_in(vehicle, timeline)
    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("cp.pwm", on=True, within=STATION_MAY_TAKE, since_ns=mark)
    bench.phase("S2 closes")
    vehicle.charge()
    timeline.seen("output", live=True, within=STATION_MAY_TAKE, since_ns=mark)
    bench.phase("limit to 0 A")
    mark = timeline.now_ns()
    csms.set_limit(0, tx=csms.transaction())
    timeline.seen("output", live=False, within=STATION_MAY_TAKE, since_ns=mark)
    bench.phase("S2 opens")
    vehicle.pause()
    end(bench, vehicle, csms, timeline)
