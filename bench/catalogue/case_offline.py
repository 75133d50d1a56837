"""No connection for a while: what happens meanwhile is told afterwards, in order."""

from __future__ import annotations

from typing import Any

from .steps import CARD, OTHER_CARD, at_least, begin

AWAY = "9 s"


def test_offline(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Cut the connection while charging; stop, and charge once more, with cards that the station knows; reconnect."""
    csms.send_local_list([CARD, OTHER_CARD], version=max(0, csms.local_list_version()) + 1)
    begin(bench, vehicle, timeline)
    bench.phase("the connection is cut")
    cut = timeline.now_ns()
    link = csms.link()
    link.blackhole(AWAY)
    link.reset()
    bench.phase("stop with the card")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("output", live=False, within="8 s", since_ns=mark)
    vehicle.unplug()
    bench.phase("another driver")
    mark = timeline.now_ns()
    vehicle.plug()
    timeline.seen("lock", locked=False, within="3 s", since_ns=mark)
    vehicle.present(OTHER_CARD)
    timeline.seen("meter.sample", at_least(10.0), within="12 s", since_ns=mark)
    bench.phase("connected again")
    timeline.wait_for("ocpp.connected", within="60 s", since_ns=cut)
    csms.wait_ready("60 s")
    timeline.seen("ocpp.tx.started", within="20 s", since_ns=cut)
    bench.phase("stop with the other card")
    mark = timeline.now_ns()
    vehicle.present(OTHER_CARD)
    timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
