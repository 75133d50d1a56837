"""What the bench knows of the current at an outlet, from meters that measure it and from those that do not."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pilotbench.bench.safety.observed import Outlet
from pilotbench.bench.timeline import Stamp, Timeline


@pytest.mark.parametrize(("phases", "known"), [([0.0, 0.0, 0.0], 0.0), ([0.1, 16.0, -20.0], 20.0), ([], None)])
def test_a_meter_without_currents_does_not_say_that_none_flows(phases: list[float], known: float | None) -> None:
    timeline = Timeline()
    outlet = Outlet(timeline)
    data: dict[str, Any] = {"power_w": 0.0, "current_a": phases, "voltage_v": [], "energy_wh": "1"}
    timeline.source("meter").emit("meter.sample", Stamp.host(time.monotonic_ns()), data, evse=1)
    assert outlet.current_a == known
