"""A transaction that may take so much energy only (OCPP 2.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .steps import at_least, begin, end, speaks

FIRST_WH = 40.0
RAISED_WH = 2000.0


def limited_to(energy_wh: float) -> Callable[[Any, Any, Any], Any]:
    """An answer to an event of the transaction that limits its energy."""

    def answer(_link: Any, _asked: Any, proposed: Any) -> Any:
        return {**proposed, "transactionLimit": {"maxEnergy": energy_wh}}

    return answer


def reached(event: Any) -> bool:
    """True of an event of a transaction that says that a limit is reached."""
    return str(event["trigger"]).endswith("LimitReached")


def test_limit_reached(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge with a limit of 40 Wh until it is reached; the back end raises it; charge on, remote stop, unplug."""
    if not speaks(bench, "2.1"):
        return
    mark = timeline.now_ns()
    csms.on("TransactionEvent").answer(limited_to(FIRST_WH))
    if not begin(bench, vehicle, timeline):
        return
    bench.phase("charge up to the limit")
    if timeline.seen("ocpp.tx.updated", reached, within="60 s", since_ns=mark):
        timeline.seen("output", live=False, within="12 s", since_ns=mark)
        bench.phase("the back end raises the limit")
        mark = timeline.now_ns()
        csms.on("TransactionEvent").answer(limited_to(RAISED_WH))
        csms.trigger("TransactionEvent", 1)
        timeline.seen("meter.sample", at_least(10.0), within="20 s", since_ns=mark)
    end(bench, vehicle, csms, timeline)
