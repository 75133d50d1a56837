"""The back end is out of order for one message."""

from __future__ import annotations

from typing import Any

from .steps import begin, settings

ACTIONS = ("StopTransaction", "TransactionEvent")
STATION_MAY_TAKE = "75 s"


def of_the_end(call: Any) -> bool:
    """True of a request that ends a transaction, in some version."""
    return call["action"] in ACTIONS


def test_retry(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge; the message that ends the transaction is answered by an error; it comes again."""
    with settings(csms, v2={"SampledDataCtrlr.TxUpdatedInterval": "0"}):  # no other event comes in between
        begin(bench, vehicle, timeline)
        bench.phase("the back end fails")
        for action in ACTIONS:
            csms.on(action).error("InternalError", "out of order")
        mark = timeline.now_ns()
        csms.remote_stop()
        failed = timeline.wait_for("csms.misbehaviour", what="error", within="40 s", since_ns=mark)
        timeline.seen(
            "ocpp.call",
            of_the_end,
            dir="rx",
            within=STATION_MAY_TAKE,
            since_ns=failed.stamp.hi_ns,
        )
