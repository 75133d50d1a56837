"""Authorised, then charged while there is no connection: the transaction is told afterwards."""

from __future__ import annotations

from typing import Any

from .steps import CARD, at_least, connected_again, cut_connection

AWAY = "9 s"
WITHIN = "75 s"
"""A queue may take a minute; a little more tells silence from a machine that stood still."""


def test_offline_start(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Show the card; cut the connection, plug in and charge; reconnect; stop with the card."""
    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.wait_for("ocpp.authorized", within="6 s", since_ns=mark)
    cut = cut_connection(bench, csms, timeline, AWAY)
    bench.phase("plug in and charge")
    vehicle.plug()
    timeline.seen("meter.sample", at_least(10.0), within="12 s", since_ns=cut)
    connected_again(bench, csms, timeline, cut)
    timeline.seen("ocpp.tx.started", within=WITHIN, since_ns=cut)
    bench.phase("stop with the card")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
    vehicle.unplug()
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
