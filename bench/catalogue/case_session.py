"""One complete AC charging session with a 32 A cable, as a driver and a back end would have it."""

from __future__ import annotations

from typing import Any

from .steps import CARD, at_least, at_most, delivered, leave

LOOKS_FOR_CARD = "1500 ms"
STATION_MAY_TAKE = "18 s"
PULLS_AT_THE_PLUG = "2 s"
FLOWING_A = 25.0
LIMIT_A = 16.0
FIRST_PART_WH = 18.0
SECOND_PART_WH = 8.0
WHOLE_WH = 46.0


def test_session(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Plug, authorise, charge at the offer, 16 A, pause and resume, remote stop, unplug."""
    start = timeline.wait_for("meter.sample", within="3 s")
    start_wh = float(start.data["energy_wh"])

    bench.phase("plug in")
    mark = timeline.now_ns()
    vehicle.plug(cable_a=32)
    timeline.seen("ocpp.status", logical="occupied", within="6 s", since_ns=mark)
    # A driver looks for the card. Whatever turns on meanwhile, turns on without authorisation.
    timeline.seen("output", live=True, within=LOOKS_FOR_CARD, since_ns=mark)

    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.wait_for("ocpp.authorized", within="10 s", since_ns=mark, accepted=True)
    timeline.wait_for("ocpp.tx.started", within="10 s", since_ns=mark)

    bench.phase("charge at the offered current")
    timeline.wait_for("meter.sample", at_least(FLOWING_A), within="15 s", since_ns=mark)
    timeline.wait_for("meter.sample", delivered(start_wh + FIRST_PART_WH), within="15 s")

    bench.phase("limit to 16 A")
    mark = timeline.now_ns()
    csms.set_limit(LIMIT_A)
    if timeline.seen("meter.sample", at_most(LIMIT_A + 0.5), within=STATION_MAY_TAKE, since_ns=mark):
        timeline.wait_for("meter.sample", delivered(start_wh + FIRST_PART_WH + SECOND_PART_WH), within="15 s")

    bench.phase("the vehicle pauses")
    mark = timeline.now_ns()
    vehicle.pause()
    timeline.wait_for("cp.state", within="6 s", since_ns=mark, state="B")
    timeline.wait_for("output", within="6 s", since_ns=mark, live=False)

    bench.phase("the vehicle resumes")
    mark = timeline.now_ns()
    vehicle.charge()
    timeline.wait_for("meter.sample", at_least(1.0), within="15 s", since_ns=mark)
    timeline.wait_for("meter.sample", delivered(start_wh + WHOLE_WH), within="20 s")

    bench.phase("remote stop")
    mark = timeline.now_ns()
    csms.remote_stop()
    timeline.wait_for("ocpp.tx.ended", within="15 s", since_ns=mark)
    timeline.seen("lock", locked=False, within=PULLS_AT_THE_PLUG, since_ns=mark)

    leave(bench, vehicle, timeline)
