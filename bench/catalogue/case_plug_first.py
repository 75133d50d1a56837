"""A transaction that begins when the vehicle is connected."""

from __future__ import annotations

from typing import Any

from .steps import CARD, end, plug_in, settings, start_energy

STATION_MAY_TAKE = "17 s"


def test_plug_first(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Let the plug begin the transaction; plug in, show the card once it is told, charge, end."""
    with settings(csms, v2={"TxCtrlr.TxStartPoint": "EVConnected"}) as given:
        bench.phase("plug in")
        mark = timeline.now_ns()
        plug_in(vehicle, timeline)
        if given:
            timeline.seen("ocpp.tx.started", within=STATION_MAY_TAKE, since_ns=mark)
        bench.phase("authorise")
        vehicle.present(CARD)
        start_energy(timeline, mark)
        end(bench, vehicle, csms, timeline)
