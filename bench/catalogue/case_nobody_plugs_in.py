"""Somebody is authorised, and no vehicle comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .steps import CARD, plug_in, settings

WAITS = "4"
STATION_MAY_TAKE = "37 s"
GIVES_UP = {"TxCtrlr.EVConnectionTimeOut": WAITS, "TxCtrlr.TxStartPoint": "Authorized"}


def gives_up(call: Any) -> bool:
    """True of the message that nobody is waited for any more: a status (1.6), or an event of the transaction (2.x)."""
    said = call["payload"]
    return said.get("triggerReason") == "EVConnectTimeout" or said.get("status") == "Available"


def wait(bench: Any, vehicle: Any, timeline: Any, how: str, authorise: Callable[[], object]) -> None:
    """Authorise and wait; where the station does not give up, the driver does, with the card."""
    bench.phase(how)
    mark = timeline.now_ns()
    authorise()
    if not timeline.seen("ocpp.call", gives_up, dir="rx", within=STATION_MAY_TAKE, since_ns=mark):
        vehicle.present(CARD)
        timeline.seen("ocpp.tx.ended", within="6 s", since_ns=mark)


def test_nobody_plugs_in(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Wait a few seconds for a vehicle: after the card, after a remote start; 2.x also where a bay ends it."""
    park(bench, vehicle, timeline)  # afterwards the bench knows that no cable is in the socket
    with settings(csms, v16={"ConnectionTimeOut": WAITS}, v2=GIVES_UP):
        wait(bench, vehicle, timeline, "card", lambda: vehicle.present(CARD))
        wait(bench, vehicle, timeline, "remote start", lambda: csms.remote_start(1, CARD))
        with settings(csms, v2={"TxCtrlr.TxStopPoint": "ParkingBayOccupancy"}) as has_bays:
            if has_bays:
                wait(bench, vehicle, timeline, "card, with a parking bay", lambda: vehicle.present(CARD))
                park(bench, vehicle, timeline)


def park(bench: Any, vehicle: Any, timeline: Any) -> None:
    """Connect without an authorisation, and leave: that ends a transaction of the bay, where there is one."""
    bench.phase("somebody parks, and leaves")
    mark = timeline.now_ns()
    plug_in(vehicle, timeline)
    vehicle.unplug()
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
