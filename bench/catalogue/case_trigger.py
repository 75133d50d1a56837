"""The back end asks for messages."""

from __future__ import annotations

from typing import Any

from ...errors import CsmsError
from .steps import begin, settings

MESSAGES = ("FirmwareStatusNotification", "StatusNotification", "MeterValues", "TransactionEvent")
ANSWERED_WITHIN = "33 s"


def asked_for(csms: Any) -> list[str]:
    """Ask for each message; returns those that the station promised. 1.6 has no TransactionEvent."""
    promised: list[str] = []
    for message in MESSAGES:
        place = {} if message == "FirmwareStatusNotification" else {"evse": 1}
        if message == "StatusNotification":
            place["connector"] = 1
        try:
            if csms.trigger(message, **place).accepted:
                promised.append(message)
        except CsmsError:
            continue
    return promised


def test_trigger(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge; trigger one message of each kind, and see them come."""
    with settings(csms, v2={"SampledDataCtrlr.TxUpdatedInterval": "0"}):  # one that comes by itself may count, too
        begin(bench, vehicle, timeline)
        bench.phase("triggers")
        mark = timeline.now_ns()
        for message in asked_for(csms):
            if not timeline.seen("ocpp.call", dir="rx", action=message, within=ANSWERED_WITHIN, since_ns=mark):
                break
