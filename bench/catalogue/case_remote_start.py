"""The back end starts and stops the transaction, and asks what became of it."""

from __future__ import annotations

from typing import Any

from ...errors import CsmsError
from .steps import CARD, plug_in, start_energy

STATION_MAY_TAKE = "17 s"


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
    other = tx + 1000 if isinstance(tx, int) else f"{tx[:-1]}-"
    ask_for(csms, other)
    csms.remote_stop(other)
    bench.phase("remote stop")
    mark = timeline.now_ns()
    csms.remote_stop(tx)
    if timeline.seen("ocpp.tx.ended", within=STATION_MAY_TAKE, since_ns=mark):
        ask_for(csms, tx)
        bench.phase("stop of what has ended")
        csms.remote_stop(tx)
