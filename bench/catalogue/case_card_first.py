"""A transaction that begins with the card, before there is a vehicle."""

from __future__ import annotations

from typing import Any

from .steps import CARD, end, plug_in, settings, start_energy

TAKES_THE_CABLE = "1500 ms"
STATION_MAY_TAKE = "17 s"


def test_card_first(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Let the card begin the transaction; show it, plug in, charge, end."""
    with settings(csms, v2={"TxCtrlr.TxStartPoint": "Authorized"}):
        bench.phase("authorise")
        mark = timeline.now_ns()
        vehicle.present(CARD)
        runs = timeline.seen("ocpp.tx.started", within=TAKES_THE_CABLE, since_ns=mark)
        bench.phase("plug in")
        plugged = timeline.now_ns()
        plug_in(vehicle, timeline)
        start_energy(timeline, mark)
        if runs:
            timeline.seen("ocpp.tx.updated", trigger="CablePluggedIn", within=STATION_MAY_TAKE, since_ns=plugged)
        end(bench, vehicle, csms, timeline)
