"""The back end wants to see every few seconds that the connection is alive."""

from __future__ import annotations

from typing import Any

from .steps import settings

EVERY_S = 2
RESTARTS_WITHIN = "60 s"


def test_pings(bench: Any, csms: Any, timeline: Any) -> None:
    """Set the interval of the WebSocket pings, restart the station, which may ask for that, and watch some."""
    every = str(EVERY_S)
    names = {"v16": {"WebSocketPingInterval": every}, "v2": {"OCPPCommCtrlr.WebSocketPingInterval": every}}
    with settings(csms, **names):
        bench.phase("restart")
        mark = timeline.now_ns()
        csms.reset("Hard")
        timeline.wait_for("ocpp.boot", within=RESTARTS_WITHIN, since_ns=mark)
        csms.wait_ready(RESTARTS_WITHIN)
        bench.phase("pings")
        for _ in range(4):
            mark = timeline.now_ns()
            if not timeline.seen("ocpp.frame", dir="rx", kind="ping", within=f"{2 * EVERY_S} s", since_ns=mark):
                break
