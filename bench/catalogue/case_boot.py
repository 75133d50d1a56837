"""A station that is not accepted at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .steps import CARD

INTERVAL_S = 3
WITHIN = "75 s"
"""A station may take a minute to tell its statuses; a little more tells silence from a machine that stood still."""


def not_yet(status: str) -> Callable[[Any, Any, Any], Any]:
    """An answer to a boot with this status and a short interval."""

    def answer(_link: Any, _asked: Any, proposed: Any) -> Any:
        return {**proposed, "status": status, "interval": INTERVAL_S}

    return answer


def test_boot(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Restart; the boot is answered Pending, then Rejected, then Accepted. Pending: no remote start (2.x)."""
    for status in ("Pending", "Rejected"):
        csms.on("BootNotification").answer(not_yet(status))
    bench.phase("restart")
    mark = timeline.now_ns()
    csms.reset("Hard")
    connected = timeline.wait_for("ocpp.connected", within="60 s", since_ns=mark)
    timeline.wait_for("ocpp.boot.answered", within="60 s", since_ns=mark, status="Pending")
    if connected.data["version"] != "1.6":  # there the back end must not ask
        csms.remote_start(1, CARD)
    timeline.wait_for("ocpp.boot.answered", within="80 s", since_ns=mark, status="Accepted")
    csms.wait_ready("60 s")
    timeline.seen("ocpp.status", within=WITHIN, since_ns=timeline.now_ns())
