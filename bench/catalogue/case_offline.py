"""No connection for a while: what happens meanwhile is told afterwards, in order."""

from __future__ import annotations

from typing import Any

from .steps import CARD, OTHER_CARD, at_least, begin, connected_again, cut_connection, leave_offline

AWAY = "9 s"


def test_offline(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Cut the connection while charging; stop, and charge once more, with cards that the station knows; reconnect."""
    csms.send_local_list([CARD, OTHER_CARD], version=max(0, csms.local_list_version()) + 1)
    begin(bench, vehicle, timeline)
    cut = cut_connection(bench, csms, timeline, AWAY)
    leave_offline(bench, vehicle, timeline)
    bench.phase("another driver")
    mark = timeline.now_ns()
    vehicle.plug()
    timeline.seen("lock", locked=False, within="3 s", since_ns=mark)
    vehicle.present(OTHER_CARD)
    timeline.seen("meter.sample", at_least(10.0), within="12 s", since_ns=mark)
    connected_again(bench, csms, timeline, cut)
    timeline.seen("ocpp.tx.started", within="20 s", since_ns=cut)
    bench.phase("stop with the other card")
    mark = timeline.now_ns()
    vehicle.present(OTHER_CARD)
    timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
