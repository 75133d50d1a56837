"""Every shipped bench file: it loads, and its devices open on emulators of the very same kinds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.config import HW_CONFIGS, BenchFile, load_bench_file
from pilotbench.bench.instruments import make_instruments
from pilotbench.bench.timeline import ClosedGate, Timeline, new_loop
from pilotbench.bench.twin_plan import twin_instruments
from pilotbench.drivers.base import DeviceState

from on_the_twin import on_the_twin
from twin_client import TwinProcess

EXAMPLES = sorted(path.stem for path in HW_CONFIGS.glob("*.toml"))


def virtual(name: str, folder: Path) -> BenchFile:
    path = folder / f"{name}.toml"
    path.write_text(on_the_twin(name), encoding="utf-8")
    return load_bench_file(path)


def test_there_are_the_benches_that_people_have() -> None:
    assert {"ac-22kw-type2", "two-outlet-post", "home-made-pilot", "dc-chademo", "virtual"} == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_loads_as_it_stands(name: str) -> None:
    bench = load_bench_file(HW_CONFIGS / f"{name}.toml")
    assert bench.name == name
    assert bench.twin is not None or bench.safe.emergency_stop


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_devices_open_on_the_emulators(name: str, tmp_path: Path, twin: Callable[..., TwinProcess]) -> None:
    bench = virtual(name, tmp_path)
    process = twin(**twin_instruments(bench))
    ports = {key: value for key, value in process.ready.items() if key not in ("type", "dut_port")}
    loop, _ = new_loop()
    timeline = Timeline()
    drivers: list[Any] = []

    async def open_all() -> None:
        drivers.extend(make_instruments(bench, timeline, ClosedGate(), ports))
        await asyncio.gather(*(driver.open() for driver in drivers))

    try:
        loop.run_until_complete(asyncio.wait_for(open_all(), 20))
        assert {driver.name for driver in drivers} == set(bench.device)
        assert {driver.state for driver in drivers} <= {DeviceState.ACTIVE, DeviceState.UNKNOWN}
        assert all(driver.alive and driver.identity for driver in drivers)
        energising = [driver for driver in drivers if driver.energising]
        assert energising
        for driver in energising:
            assert driver.emergency() is not None, driver.name
    finally:
        for driver in drivers:
            loop.run_until_complete(driver.close())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
