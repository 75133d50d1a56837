"""Unplugged while there is no connection: the transaction is told as ended afterwards."""

from __future__ import annotations

from typing import Any

from .steps import CARD, begin

AWAY = "6 s"
WITHIN = "140 s"
"""A queue may take two minutes; a little more tells silence from a machine that stood still."""


def test_offline_end(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Cut the connection while charging, stop with the card, unplug; reconnect and wait for the end."""
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
    bench.phase("connected again")
    timeline.wait_for("ocpp.connected", within="60 s", since_ns=cut)
    csms.wait_ready("60 s")
    timeline.seen("ocpp.tx.ended", within=WITHIN, since_ns=cut)
