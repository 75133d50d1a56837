"""A limit of the back end that is to last."""

from __future__ import annotations

from typing import Any

from .steps import at_least, at_most, begin, end

LIMIT_A = 10.0
HIGHER_A = 16.0
STATION_MAY_TAKE = "12 s"
WATCHED = "10 s"


def test_limit(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, limit to 10 A, see whether it stays with that, and allow 16 A."""
    begin(bench, vehicle, timeline)
    bench.phase("limit to 10 A")
    mark = timeline.now_ns()
    csms.set_limit(LIMIT_A, tx=csms.transaction())
    timeline.seen("meter.sample", at_most(LIMIT_A + 1.0), within=STATION_MAY_TAKE, since_ns=mark)
    bench.phase("charge at the limit")
    mark = timeline.now_ns()
    if timeline.seen("meter.sample", at_least(LIMIT_A + 2.0), within=WATCHED, since_ns=mark):
        timeline.seen("meter.sample", at_most(LIMIT_A + 1.0), within=STATION_MAY_TAKE)
    else:
        bench.phase("limit to 16 A")
        mark = timeline.now_ns()
        csms.set_limit(HIGHER_A, tx=csms.transaction())
        timeline.seen("meter.sample", at_least(HIGHER_A - 1.0), within=STATION_MAY_TAKE, since_ns=mark)
    end(bench, vehicle, csms, timeline)
