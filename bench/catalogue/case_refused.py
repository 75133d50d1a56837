"""The token is known as good where the driver stands, and refused by the back end once the transaction is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .steps import CARD, plug_in


def refused(key: str) -> Callable[[Any, Any, Any], Any]:
    """An answer that refuses the token; `key` is where a version says it."""

    def answer(_link: Any, _asked: Any, proposed: Any) -> Any:
        return {**proposed, key: {"status": "Blocked"}}

    return answer


def begin_refused(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> int:
    """Plug in and authorise; the back end refuses the token once the transaction is told. When the card was shown."""
    csms.on("StartTransaction").answer(refused("idTagInfo"))
    csms.on("TransactionEvent").answer(refused("idTokenInfo"))
    bench.phase("plug in")
    plug_in(vehicle, timeline)
    bench.phase("authorise")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.wait_for("ocpp.tx.started", within="10 s", since_ns=mark)
    bench.phase("refused")
    return mark


def test_refused(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Authorise, and refuse the token in the answer to the start of the transaction."""
    mark = begin_refused(bench, vehicle, csms, timeline)
    timeline.seen("ocpp.tx.ended", within="4 s", since_ns=mark)
