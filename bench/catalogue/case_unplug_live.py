"""The plug is pulled while current flows; the vehicle comes back."""

from __future__ import annotations

from typing import Any

from .steps import CARD, begin, end, plug_in, start_energy

LOOKS_FOR_CARD = "2 s"
MAY_TAKE_TO_END = "16 s"


def test_unplug_live(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Charge, unplug, plug in again without a card, then with the card: a second transaction."""
    begin(bench, vehicle, timeline)
    bench.phase("unplug while charging")
    mark = timeline.now_ns()
    vehicle.unplug()
    timeline.seen("output", live=False, within="3 s", since_ns=mark)
    timeline.seen("ocpp.tx.ended", within=MAY_TAKE_TO_END, since_ns=mark)
    timeline.seen("ocpp.status", logical="available", within="6 s", since_ns=mark)
    bench.phase("plug in again")
    mark = timeline.now_ns()
    plug_in(vehicle, timeline)
    timeline.seen("output", live=True, within=LOOKS_FOR_CARD, since_ns=mark)
    bench.phase("authorise again")
    mark = timeline.now_ns()
    vehicle.present(CARD)
    start_energy(timeline, mark)
    end(bench, vehicle, csms, timeline)
