"""A transaction that begins when current flows."""

from __future__ import annotations

from typing import Any

from .steps import begin, end, settings

STATION_MAY_TAKE = "22 s"


def test_energy_first(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Let the energy begin the transaction; charge until it is told, end."""
    with settings(csms, v2={"TxCtrlr.TxStartPoint": "EnergyTransfer"}):
        mark = timeline.now_ns()
        begin(bench, vehicle, timeline)
        timeline.seen("ocpp.tx.started", within=STATION_MAY_TAKE, since_ns=mark)
        end(bench, vehicle, csms, timeline)
