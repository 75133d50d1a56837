"""The cable is pulled at the vehicle while current flows; its other plug is in the station's socket."""

from __future__ import annotations

from typing import Any

from .steps import begin

MAY_TAKE_TO_END = "16 s"


def test_unplug_ends(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, pull the cable at the vehicle, wait for the end of the transaction, take the cable out of the socket."""
    begin(bench, vehicle, timeline)
    bench.phase("the cable is pulled at the vehicle")
    mark = timeline.now_ns()
    vehicle.unplug(cable_stays=True)
    timeline.seen("ocpp.tx.ended", within=MAY_TAKE_TO_END, since_ns=mark)
    timeline.seen("lock", locked=False, within=MAY_TAKE_TO_END, since_ns=mark)
    bench.phase("the cable is taken out of the socket")
    mark = timeline.now_ns()
    vehicle.unplug()
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
