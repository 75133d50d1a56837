"""The live view of a bench with several outlets does not mix their facts."""

from __future__ import annotations

from typing import Any

from pilotbench.bench.live import LiveState
from pilotbench.bench.timeline import Timeline, new_loop


def sample(current_a: float, energy_wh: float) -> dict[str, Any]:
    return {"current_a": [current_a], "voltage_v": [230.0], "power_w": 230 * current_a, "energy_wh": energy_wh}


def test_the_first_outlet_is_shown_and_any_live_output_is_told() -> None:
    loop, _ = new_loop()
    timeline = Timeline()
    live = LiveState(timeline)
    left, right = timeline.source("left"), timeline.source("right")

    async def tell() -> None:
        right.note("meter.sample", sample(0.0, 3000.0), evse=2)
        left.note("meter.sample", sample(31.5, 7000.0), evse=1)
        left.note("output", {"live": True}, evse=1)
        right.note("output", {"live": False}, evse=2)
        left.note("meter.sample", sample(32.0, 7010.0), evse=1)
        right.note("meter.sample", sample(0.0, 3000.0), evse=2)

    loop.run_until_complete(tell())
    loop.close()
    shown = live.snapshot
    assert (shown.current_a, shown.energy_wh, shown.output_live) == ((32.0,), 10.0, True)
    assert (shown.outlet, shown.outlets) == (1, 2)
