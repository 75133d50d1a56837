"""The back end starts and stops the transaction, and asks what became of it."""

from __future__ import annotations

from typing import Any

from ...errors import CsmsError
from .steps import CARD, plug_in, start_energy


def ask_for(csms: Any, tx: Any) -> None:
    """Ask whether a transaction is ongoing, and whether anything waits to be sent; 1.6 has no such request."""
    try:
        csms.transaction_status(tx)
        csms.transaction_status()
    except CsmsError:
        return


def test_remote_start(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Plug in, remote start, a stop of a transaction that there is not, remote stop, and that once more."""
    bench.phase("plug in")
    plug_in(vehicle, timeline)
    bench.phase("remote start")
    mark = timeline.now_ns()
    csms.remote_start(1, CARD)
    start_energy(timeline, mark)
    tx = csms.transaction()
    ask_for(csms, tx)
    bench.phase("stop of another transaction")
    csms.remote_stop(tx + 1000 if isinstance(tx, int) else f"{tx[:-1]}-")
    bench.phase("remote stop")
    mark = timeline.now_ns()
    csms.remote_stop(tx)
    if timeline.seen("ocpp.tx.ended", within="15 s", since_ns=mark):
        ask_for(csms, tx)
        bench.phase("stop of what has ended")
        csms.remote_stop(tx)
