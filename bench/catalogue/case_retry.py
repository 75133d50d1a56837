"""The back end is out of order for one message."""

from __future__ import annotations

from typing import Any

from .steps import begin


def test_retry(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge; a message of the transaction is answered by an error; it comes again."""
    begin(bench, vehicle, timeline)
    bench.phase("the back end fails")
    for action in ("StopTransaction", "TransactionEvent"):
        csms.on(action).error("InternalError", "out of order")
    mark = timeline.now_ns()
    csms.remote_stop()
    timeline.wait_for("ocpp.tx.ended", within="40 s", since_ns=mark)
