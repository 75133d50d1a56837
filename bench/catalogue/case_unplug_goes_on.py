"""The cable is pulled at the vehicle while current flows, and the station shall wait for the vehicle to come back."""

from __future__ import annotations

from typing import Any

from .steps import CARD, at_least, begin, leave, settings

GOES_ON_16 = {"StopTransactionOnEVSideDisconnect": "false", "UnlockConnectorOnEVSideDisconnect": "false"}
GOES_ON_2X = {
    "TxCtrlr.TxStopPoint": "Authorized",
    "TxCtrlr.StopTxOnEVSideDisconnect": "false",
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect": "false",
}
AWAY = "16 s"


def test_unplug_goes_on(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, pull the cable at the vehicle, see that nothing ends or opens, plug in again, stop with the card."""
    with settings(csms, v16=GOES_ON_16, v2=GOES_ON_2X):
        begin(bench, vehicle, timeline)
        bench.phase("the cable is pulled at the vehicle")
        mark = timeline.now_ns()
        vehicle.unplug(cable_stays=True)
        timeline.seen("ocpp.tx.ended", within=AWAY, since_ns=mark)
        bench.phase("the vehicle is back")
        mark = timeline.now_ns()
        vehicle.plug()
        timeline.seen("meter.sample", at_least(10.0), within="12 s", since_ns=mark)
        bench.phase("stop with the card")
        mark = timeline.now_ns()
        vehicle.present(CARD)
        timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark)
        leave(bench, vehicle, timeline)
