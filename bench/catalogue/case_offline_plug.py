"""Plugged in while there is no connection: the outlet is told as occupied afterwards."""

from __future__ import annotations

from typing import Any

from .steps import connected_again, cut_connection, leave

AWAY = "4 s"
WITHIN = "75 s"
"""A station may take a minute to tell its statuses; a little more tells silence from a machine that stood still."""


def test_offline_plug(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Cut the connection, plug in, reconnect and wait for the status; unplug."""
    cut = cut_connection(bench, csms, timeline, AWAY)
    bench.phase("plug in")
    vehicle.plug()
    connected_again(bench, csms, timeline, cut)
    timeline.seen("ocpp.status", logical="occupied", within=WITHIN, since_ns=cut)
    leave(bench, vehicle, timeline)
