"""Unplugged while there is no connection: the transaction is told as ended afterwards."""

from __future__ import annotations

from typing import Any

from .steps import begin, connected_again, cut_connection, leave_offline

AWAY = "6 s"
WITHIN = "140 s"
"""A queue may take two minutes; a little more tells silence from a machine that stood still."""


def test_offline_end(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Cut the connection while charging, stop with the card, unplug; reconnect and wait for the end."""
    begin(bench, vehicle, timeline)
    cut = cut_connection(bench, csms, timeline, AWAY)
    leave_offline(bench, vehicle, timeline)
    connected_again(bench, csms, timeline, cut)
    timeline.seen("ocpp.tx.ended", within=WITHIN, since_ns=cut)
