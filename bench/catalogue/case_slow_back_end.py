"""The back end takes its time with an answer; OCPP gives it no limit."""

from __future__ import annotations

import asyncio
from typing import Any

from .steps import begin

TAKES_S = 4.0


async def slowly(_link: Any, _asked: Any, proposed: Any) -> Any:
    """The answer that it would have given, later."""
    await asyncio.sleep(TAKES_S)
    return proposed


def test_slow_back_end(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge; the message that begins the transaction is answered late."""
    for action in ("StartTransaction", "TransactionEvent"):
        csms.on(action).answer(slowly)
    mark = timeline.now_ns()
    begin(bench, vehicle, timeline)
    bench.phase("the answer has come")
    timeline.seen("ocpp.result", dir="tx", by="script", within="6 s", since_ns=mark)
