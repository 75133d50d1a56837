"""The back end is restarted, as it is for every update of its software."""

from __future__ import annotations

from typing import Any

AWAY = "5500 ms"
STATION_MAY_TAKE = "125 s"
NEXT_SIGN_OF_LIFE = "8 s"


def test_back_end_restart(bench: Any, csms: Any, timeline: Any) -> None:
    """Close the connection in order and take none for a while; the station comes back and goes on."""
    bench.phase("the back end restarts")
    mark = timeline.now_ns()
    csms.link().restart(AWAY)
    if timeline.seen("ocpp.connected", within=STATION_MAY_TAKE, since_ns=mark):
        bench.phase("connected again")
        mark = timeline.now_ns()
        csms.wait_ready("30 s")
        timeline.seen("ocpp.heartbeat", within=NEXT_SIGN_OF_LIFE, since_ns=mark)
