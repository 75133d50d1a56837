"""A vehicle is connected and nobody authorises it."""

from __future__ import annotations

from typing import Any

from .steps import leave, plug_in

QUIET = "7 s"


def test_idle(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Plug in, wait longer than a heartbeat interval of the virtual bench, unplug."""
    bench.phase("plug in")
    plug_in(vehicle, timeline)
    bench.phase("nobody comes")
    timeline.seen("ocpp.heartbeat", within=QUIET, since_ns=timeline.now_ns())
    leave(bench, vehicle, timeline)
