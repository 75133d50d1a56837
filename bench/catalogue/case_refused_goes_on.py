"""A refused token where the transaction need not end: no energy flows."""

from __future__ import annotations

from typing import Any

from .case_refused import begin_refused
from .steps import settings

WITHOUT_ENERGY = "6 s"


def test_refused_goes_on(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Authorise, refuse the token in the answer to the start of the transaction, see no energy, unplug."""
    with settings(csms, v16={"StopTransactionOnInvalidId": "false"}, v2={"TxCtrlr.StopTxOnInvalidId": "false"}):
        begin_refused(bench, vehicle, csms, timeline)
        mark = timeline.now_ns()
        if timeline.seen("output", live=True, within=WITHOUT_ENERGY, since_ns=mark):
            timeline.seen("output", live=False, within="16 s")
        bench.phase("unplug")
        mark = timeline.now_ns()
        vehicle.unplug()
        timeline.seen("ocpp.tx.ended", within="10 s", since_ns=mark)
