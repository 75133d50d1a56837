"""Faults of the control pilot that a bench can inject."""

from __future__ import annotations

from typing import Any

from .steps import CARD, at_least, begin, leave, plug_in


def test_pilot_faults(bench: Any, vehicle: Any, csms: Any, timeline: Any) -> None:
    """Shorted diode before the start; then, while charging, the pilot short to PE, and the pilot lost."""
    bench.phase("no diode")
    plug_in(vehicle, timeline)
    vehicle.faults(diode=True)
    mark = timeline.now_ns()
    vehicle.present(CARD)
    timeline.seen("output", live=True, within="5 s", since_ns=mark)
    vehicle.faults()
    leave(bench, vehicle, timeline, within="8 s")

    if not begin(bench, vehicle, timeline):
        return
    bench.phase("pilot short to PE")
    mark = timeline.now_ns()
    vehicle.faults(short_ohm=0)
    timeline.seen("output", live=False, within="9 s", since_ns=mark)
    bench.phase("pilot in order again")
    mark = timeline.now_ns()
    vehicle.faults()
    if not timeline.seen("meter.sample", at_least(10.0), within="15 s", since_ns=mark):
        return
    bench.phase("pilot lost")
    mark = timeline.now_ns()
    vehicle.faults(cp_open=True)
    timeline.seen("output", live=False, within="7 s", since_ns=mark)
    timeline.seen("ocpp.tx.ended", within="5 s", since_ns=mark)
    vehicle.faults()
