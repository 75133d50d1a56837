"""Three meters at 10 Hz: what rate is reached, how evenly, and what it costs: `make bench`.

Every meter is polled each 100 ms by one arbiter per line; the meters are emulated in a process of their own. Columns:
*Hz*: samples a second of each meter, which is 10 where the line is fast enough: at 19200 baud three meters of different
makes are read one after the other, and a round takes longer than 100 ms. *apart*: from sample to sample of one meter.
*answer*: from the request to its answer, median. *CPU*: of this process, in percent of one core. *gaps*: what did not
come in time, and was told. Nothing is judged but that each meter answers.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pilotbench.drivers.meter.segments import share_segments

from driver_rig import Rig
from meter_rig import MeterRig
from running_bench import quantile, row_of
from twin_client import TwinProcess

pytestmark = pytest.mark.benchmark

FOR_S = 8.0
NAMES = ("m1", "m2", "m3")
COLUMNS = ("line", "meter", "Hz", "apart p50 / p99 ms", "answer ms", "CPU", "gaps")

LINES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "one line, RTU, as fast as the pty": ("rtu", 0, ("sdm630",) * 3),
    "one connection, Modbus TCP": ("tcp", 0, ("sdm630",) * 3),
    "one connection, RTU over TCP": ("rtu+tcp", 0, ("sdm630",) * 3),
    "one line, 115200 baud, three makes": ("rtu", 115200, ("sdm630", "umg604", "sunspec-203")),
    "one line, 19200 baud, three makes": ("rtu", 19200, ("sdm630", "umg604", "sunspec-203")),
}


@pytest.mark.parametrize("line", list(LINES))
def test_three_meters_at_10_hz(line: str, tmp_path: Path, twin: Callable[..., TwinProcess], rows: list[str]) -> None:
    wire, baud, models = LINES[line]
    shared: dict[str, Any] = {name: {"segment": "m1"} for name in NAMES[1:]}
    units = {
        name: {"unit": number, "model": model, "baud": baud, **shared.get(name, {})}
        for number, (name, model) in enumerate(zip(NAMES, models, strict=True), 1)
    }
    rig = Rig(tmp_path, twin)
    meters = MeterRig(rig, twin, units, wire)
    drivers = [meters.driver(meters.port("m1"), name, baud=baud or 9600, parity="N", poll_s=0.1) for name in NAMES]
    share_segments(drivers)

    async def run() -> tuple[float, float]:
        for driver in drivers:
            await driver.open()
        rig.events.clear()
        begun, cpu_s = time.monotonic(), time.process_time()
        await asyncio.sleep(FOR_S)
        return time.monotonic() - begun, time.process_time() - cpu_s

    took_s, cpu_s = rig.run(run(), FOR_S + 10)
    samples = rig.topics("meter.sample")
    for name, model in zip(NAMES, models, strict=True):
        mine = [event for event in samples if event.source == name]
        assert len(mine) > 2, f"{name} does not answer"
        apart = [(b.stamp.order_ns - a.stamp.order_ns) / 1e6 for a, b in pairwise(mine)]
        answer = [(event.stamp.hi_ns - event.stamp.lo_ns - 200_000_000) / 1e6 for event in mine]
        cells = (
            line,
            model,
            f"{len(mine) / took_s:.2f}",
            f"{statistics.median(apart):.1f} / {quantile(apart, 0.99):.1f}",
            f"{statistics.median(answer):.1f}",
            f"{100 * cpu_s / took_s:.1f} %",
            len([event for event in rig.topics("gap") if event.source == name]),
        )
        rows.append(row_of(cells))
    rig.close()
    meters.close()
