"""The life of a bench when its parts fail: what is told of the output, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.children import start_twin
from pilotbench.bench.host import BenchHost
from pilotbench.bench.recording import read_run
from pilotbench.bench.timeline import Timeline
from pilotbench.drivers.base import made_in_thread
from pilotbench.errors import BenchError, SafetyError

from hosts import Starts, told

CARD = "04A2B3C4D5"


def go_live(host: BenchHost) -> None:
    """Plug, present the card once the station takes one, and wait for voltage at the outlet."""
    mark = host.timeline.now_ns()
    host.vehicle.plug()
    host.timeline.wait_for("ocpp.status", status="Preparing", since_ns=mark)
    host.vehicle.present(CARD)
    host.timeline.wait_for("output", live=True, since_ns=mark, within="15 s")


def twin_pid(host: BenchHost) -> int:
    assert host.bench.twin is not None
    return host.bench.twin.process.pid


def test_a_twin_that_died_is_told_and_nothing_is_called_safe(starts: Starts) -> None:
    host = starts()
    mark = host.timeline.now_ns()
    os.kill(twin_pid(host), signal.SIGKILL)
    host.timeline.wait_for("device.state", device="pilot", state="FAULTED", since_ns=mark)
    said = told(host)
    assert host.outcome_text.startswith("NOT SAFE: CP at A was not acknowledged, and the output, dead when last seen")
    assert any("twin" in text and "SIGKILL" in text for text in said), said
    assert not any("station:" in text for text in said), said
    assert host.report is not None


def test_a_station_that_died_is_told_though_the_output_is_dead(starts: Starts) -> None:
    host = starts()
    mark = host.timeline.now_ns()
    assert host.bench.station is not None
    host.bench.station.process.kill()
    host.timeline.wait_for("ocpp.disconnected", since_ns=mark)
    said = told(host)
    assert "output proven dead" in host.outcome_text
    assert any(text.startswith("station:") and "SIGKILL" in text for text in said), said


def test_devices_that_froze_leave_no_old_proof_standing(starts: Starts) -> None:
    host = starts()
    assert "output proven dead" in host.outcome_text
    os.kill(twin_pid(host), signal.SIGSTOP)
    mark = host.timeline.now_ns()
    host.timeline.wait_for("device.state", device="pilot", state="DEGRADED", since_ns=mark)
    began = time.monotonic()
    said = told(host)
    assert host.outcome_text.startswith("NOT SAFE")
    assert "The guardian then: NOT SAFE: not acknowledged" in host.outcome_text
    assert any("NOT SAFE" in text for text in said), said
    assert time.monotonic() - began < 30


def test_a_wish_that_came_too_early_is_served_later(starts: Starts) -> None:
    host = starts(('min_off = "200 ms"', 'min_off = "1500 ms"'))
    go_live(host)
    mark = host.timeline.now_ns()
    host.vehicle.pause()
    host.timeline.wait_for("cp.state", state="B", since_ns=mark)
    host.vehicle.charge()
    refused = host.timeline.wait_for("device.state", device="vehicle", state="DEGRADED", since_ns=mark)
    assert "min_off" in refused.data["why"]
    host.timeline.wait_for("device.state", device="vehicle", state="ACTIVE", since_ns=mark)
    closed = host.timeline.wait_for("stimulus", verb="resistor", args={"state": "C"}, since_ns=mark)
    assert closed.stamp.order_ns > refused.stamp.order_ns
    assert host.bench.vehicle is not None
    assert host.bench.vehicle.trouble is None


def test_a_fault_that_is_overdue_is_taken_back_though_the_first_try_fails(starts: Starts) -> None:
    host = starts(('fault_duration = "60 s"', 'fault_duration = "300 ms"'), ('watchdog = "1 s"', 'watchdog = "10 s"'))
    host.vehicle.plug()
    mark = host.timeline.now_ns()
    host.vehicle.faults(diode=True)
    os.kill(twin_pid(host), signal.SIGSTOP)
    try:
        host.timeline.wait_for("safe.step", step="faults off", ok=False, since_ns=mark)
    finally:
        os.kill(twin_pid(host), signal.SIGCONT)
    host.timeline.wait_for("safe.step", step="faults off", ok=True, since_ns=mark)
    host.timeline.wait_for("stimulus", verb="faults", args={"flags": []}, since_ns=mark)


def test_an_abandoned_bench_is_safe_at_once_and_refuses_everything(starts: Starts) -> None:
    host = starts()
    go_live(host)
    host.abandon("enough")
    assert "output proven dead" in host.outcome_text
    with pytest.raises(BenchError, match="being made safe"):
        host.vehicle.plug()
    host.back_to_idle()
    assert told(host) == []
    assert host.close() is host.report
    with pytest.raises(BenchError, match="not up"):
        host.vehicle.plug()


def test_a_bench_that_is_up_is_not_started_twice_and_stays_up(starts: Starts) -> None:
    host = starts()
    with pytest.raises(BenchError, match="in use"):
        host.start()
    host.vehicle.plug()
    assert told(host) == []


def profile(unit: str, *limits: float) -> dict[str, Any]:
    """A raw SetChargingProfile with one period for each limit."""
    periods = [{"startPeriod": 10 * at, "limit": limit} for at, limit in enumerate(limits)]
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {"chargingRateUnit": unit, "chargingSchedulePeriod": periods},
        },
    }


def test_nothing_is_held_up_by_the_garbage_collector_once_a_device_is_open(starts: Starts) -> None:
    """With a big heap it stops all threads for longer than a pilot emulator waits to be fed."""
    full: list[int] = []

    def looked(phase: str, info: dict[str, int]) -> None:
        if phase == "stop" and info["generation"] == 2:
            full.append(time.monotonic_ns())

    gc.callbacks.append(looked)
    try:
        host = starts()
    finally:
        gc.callbacks.remove(looked)
    opened = host.timeline.wait_for("device.state", since_ns=0, device="pilot")
    assert full
    assert max(full) < opened.stamp.order_ns


def test_no_raw_request_carries_a_limit_past_the_gate(starts: Starts) -> None:
    host = starts()
    for unit, limits in (("A", (63.0,)), ("A", (6.0, 63.0)), ("W", (100_000.0,)), ("W", (4000.0, 100_000.0))):
        with pytest.raises(SafetyError, match="current"):
            host.csms.call("SetChargingProfile", profile(unit, *limits))


def test_a_profile_in_watts_leaves_a_complete_recording(starts: Starts) -> None:
    host = starts()
    host.csms.call("SetChargingProfile", profile("W", 20_000.0))
    told(host)
    run = read_run(host.options.directory)
    assert run.truncated is None
    assert [event.data["state"] for event in run.events if event.topic == "bench.state"][-1] == "closed"


def test_starting_and_closing_again_leaves_no_thread_and_no_file_open(starts: Starts) -> None:
    told(starts())
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        told(starts())
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_start_that_is_given_up_ends_its_twin(tmp_path: Path) -> None:
    async def give_up() -> float:
        starting = asyncio.create_task(
            start_twin({"dir": str(tmp_path), "dut_port": None}, tmp_path, Timeline().source("twin"))
        )
        # The process is there as soon as the task has run for the first time.
        await asyncio.sleep(0)
        starting.cancel()
        began = time.monotonic()
        await asyncio.wait([starting])
        assert starting.cancelled()
        return time.monotonic() - began

    children = set(_children())
    assert asyncio.run(give_up()) < 3
    assert set(_children()) == children


def test_what_a_thread_makes_for_somebody_who_gave_up_is_undone() -> None:
    go = threading.Event()
    undone: list[str] = []

    def make() -> str:
        go.wait(5)
        return "port"

    async def give_up() -> None:
        making = asyncio.create_task(made_in_thread(make, undone.append))
        await asyncio.sleep(0)
        making.cancel()
        await asyncio.sleep(0)
        go.set()
        await asyncio.wait([making])
        assert making.cancelled()

    asyncio.run(give_up())
    assert undone == ["port"]


def _children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(word) for word in text.split()]
