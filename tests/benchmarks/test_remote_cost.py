"""What a network costs: the same devices on a port of this machine and behind one, with a way of known length.

It judges nothing. Run it alone: `python -m pytest tests/benchmarks/test_remote_cost.py -s -m benchmark`.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from driver_rig import Rig
from serial_server import SerialServer
from twin_client import TwinProcess

pytestmark = pytest.mark.benchmark

ACT = (
    "import json, sys; from pilotbench.bench.safety.guardian.act import act; "
    "from pilotbench.bench.safety.guardian.plan import read_plan; from pilotbench.bench.safety.guardian import wires; "
    "plan = read_plan(sys.stdin.read()); wires.load_libraries(plan.recipes); "
    "print(json.dumps(act(plan.recipes).to_dict()))"
)
ASKS = 100
FOR_S = 5.0
REFRESH_S = 0.2
WAYS: dict[str, tuple[str, float]] = {
    "port of this machine": ("", 0.0),
    "socket://, loopback": ("socket", 0.0),
    "rfc2217://, loopback": ("rfc2217", 0.0),
    "socket://, 2 ms each way": ("socket", 0.002),
    "rfc2217://, 2 ms each way": ("rfc2217", 0.002),
    "socket://, 20 ms each way": ("socket", 0.02),
}


def spread(values: list[float]) -> str:
    ordered = sorted(values)
    return f"p50 {statistics.median(ordered):6.2f}  p99 {ordered[int(len(ordered) * 0.99) - 1]:6.2f} ms"


def widths(rig: Rig, topic: str) -> list[float]:
    return [(event.stamp.hi_ns - event.stamp.lo_ns) / 1e6 for event in rig.topics(topic)]


@pytest.fixture
def served(tmp_path: Path) -> Any:
    made: list[SerialServer] = []

    def serve(device: str, way: str) -> str:
        scheme, hold_s = WAYS[way]
        if not scheme:
            return device
        made.append(SerialServer(device, scheme=scheme, hold_s=hold_s))
        return made[-1].url

    yield serve
    for server in made:
        server.close()


@pytest.mark.parametrize("way", WAYS)
def test_pilot(way: str, tmp_path: Path, twin: Callable[..., TwinProcess], served: Any) -> None:
    rig = Rig(tmp_path, twin)
    try:
        driver = rig.driver("pilot.line", served(rig.twin.ready["pilot"], way))
        taken: list[float] = []

        async def ask() -> None:
            await driver.open()
            for number in range(ASKS):
                began = time.perf_counter()
                await driver.status()
                taken.append((time.perf_counter() - began) * 1e3)
                if number % 10 == 0:
                    await driver.resistor("AB"[number // 10 % 2])
            await asyncio.sleep(1.0)

        rig.run(ask(), 60)
        offset = driver.clock_offset
        print(
            f"\n{way:28} question {spread(taken)}; a step's stamp {spread(widths(rig, 'stimulus'))}; "
            f"clock known to ±{(offset.hi - offset.lo) / 2e6:.2f} ms; cp.volts {spread(widths(rig, 'cp.volts'))}"
        )
    finally:
        rig.close()


@pytest.mark.parametrize("way", [way for way in WAYS if "rfc2217" not in way])
def test_meter(way: str, tmp_path: Path, twin: Callable[..., TwinProcess], served: Any) -> None:
    rig = Rig(tmp_path, twin)
    try:
        driver = rig.driver("meter.modbus", served(rig.twin.ready["meter"], way), poll_s=0.1, refresh_s=REFRESH_S)
        rig.run(driver.open())
        rig.run(asyncio.sleep(FOR_S))
        answers = [width - 1e3 * REFRESH_S for width in widths(rig, "meter.sample")]
        print(f"\n{way:28} {len(answers)} samples; beside `refresh`, a sample is known to {spread(answers)}")
    finally:
        rig.close()


@pytest.mark.parametrize("way", WAYS)
def test_guardian(way: str, tmp_path: Path, twin: Callable[..., TwinProcess], served: Any) -> None:
    """The pilot's recipe, from opening the wire to state A read back, by the guardian's own code."""
    rig = Rig(tmp_path, twin)
    try:
        recipe = rig.driver("pilot.line", served(rig.twin.ready["pilot"], way)).emergency()
        plan = {"owner": 1, "dead_ms": 600, "report": "", "recipes": [msgspec.to_builtins(recipe)]}
        taken: list[float] = []
        for _ in range(10):
            done = subprocess.run(
                [sys.executable, "-c", ACT], input=json.dumps(plan), capture_output=True, text=True, check=True
            )
            outcome = json.loads(done.stdout)
            assert outcome["safe"], outcome
            taken.append(max(step["ms"] for step in outcome["steps"]))
        print(f"\n{way:28} guardian: safe after p50 {statistics.median(taken):6.1f}, most {max(taken):6.1f} ms")
    finally:
        rig.close()


@pytest.mark.parametrize("wire", ["ev.slcan", "ev.socketcand"])
def test_can(wire: str, tmp_path: Path, twin: Callable[..., TwinProcess]) -> None:
    rig = Rig(tmp_path, twin)
    try:
        rig.use(twin(devices={"car": {"kind": wire}}))
        driver = rig.driver("ev.dbc", rig.twin.ready["car"], name="car")
        rig.run(driver.open())
        rig.run(asyncio.sleep(FOR_S))
        print(f"\n{wire:28} {len(rig.topics('ev.status'))} of ev.status, known to {spread(widths(rig, 'ev.status'))}")
    finally:
        rig.close()
