"""The outlet is taken out of service while a vehicle charges."""

from __future__ import annotations

from typing import Any

from .steps import begin, end


def test_availability(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, make the outlet inoperative, end the session, see it out of service, and bring it back."""
    begin(bench, vehicle, timeline)
    bench.phase("out of service")
    mark = timeline.now_ns()
    if csms.set_availability(1, False).status == "Accepted":  # so it says that it is, and no transaction goes on
        timeline.seen("ocpp.tx.ended", within="16 s", since_ns=mark)
    end(bench, vehicle, csms, timeline)
    timeline.seen("ocpp.status", logical="unavailable", within="11 s", since_ns=mark)
    bench.phase("in service again")
    mark = timeline.now_ns()
    csms.set_availability(1, True)
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
