"""The back end asks to release the plug while current flows."""

from __future__ import annotations

from typing import Any

from .steps import begin


def test_unlock(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, then UnlockConnector. OCPP 1.6 ends the transaction by it, 2.x refuses."""
    begin(bench, vehicle, timeline)
    bench.phase("unlock")
    mark = timeline.now_ns()
    if csms.unlock(1).status == "Unlocked":
        timeline.seen("lock", locked=False, within="6 s", since_ns=mark)
