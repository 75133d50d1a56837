"""Plugged in while there is no connection: the outlet is told as occupied afterwards."""

from __future__ import annotations

from typing import Any

AWAY = "4 s"
WITHIN = "75 s"
"""A station may take a minute to tell its statuses; a little more tells silence from a machine that stood still."""


def test_offline_plug(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Cut the connection, plug in, reconnect and wait for the status; unplug."""
    bench.phase("the connection is cut")
    cut = timeline.now_ns()
    link = csms.link()
    link.blackhole(AWAY)
    link.reset()
    bench.phase("plug in")
    vehicle.plug()
    bench.phase("connected again")
    timeline.wait_for("ocpp.connected", within="60 s", since_ns=cut)
    csms.wait_ready("60 s")
    timeline.seen("ocpp.status", logical="occupied", within=WITHIN, since_ns=cut)
    bench.phase("unplug")
    mark = timeline.now_ns()
    vehicle.unplug()
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
