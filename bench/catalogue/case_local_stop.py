"""The driver comes back and shows the card again."""

from __future__ import annotations

from typing import Any

from .steps import CARD, begin, leave

PUTS_THE_CARD_AWAY = "1500 ms"


def test_local_stop(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, stop with the same card, unplug."""
    begin(bench, vehicle, timeline)
    bench.phase("stop with the card")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.wait_for("ocpp.tx.ended", within="15 s", since_ns=mark)
    # What the station tells and does meanwhile, it does with a vehicle that is connected.
    timeline.seen("ocpp.status", logical="available", within=PUTS_THE_CARD_AWAY, since_ns=mark)
    leave(bench, vehicle, timeline)
