"""The drivers' contract for a meter on Modbus TCP and on RTU over TCP, and for a SunSpec meter.

The same duties as in `test_driver_contract`, which tries the meter on a serial line.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from pilotbench.bench.timeline import ClosedGate
from pilotbench.drivers.base import DeviceState
from pilotbench.errors import DeviceError, DeviceLost

from driver_rig import Rig
from meter_rig import MeterRig
from twin_client import TwinProcess

WIRES = {
    "sdm630 tcp": ("tcp", {"model": "sdm630"}),
    "sdm630 rtu+tcp": ("rtu+tcp", {"model": "sdm630"}),
    "sunspec tcp": ("tcp", {"model": "sunspec-203"}),
    "sunspec rtu": ("rtu", {"model": "sunspec-213"}),
}


@pytest.fixture(params=list(WIRES))
def meters(request: pytest.FixtureRequest, rig: Rig, twin: Callable[..., TwinProcess]) -> Iterator[MeterRig]:
    wire, settings = WIRES[request.param]
    made = MeterRig(rig, twin, {"meter": settings}, wire)
    yield made
    made.close()


async def until(rig: Rig, driver: Any, state: DeviceState, timeout_s: float = 5.0) -> None:
    if driver.state is not state:
        await rig.timeline.wait_for("device.state", lambda e: e.data["state"] == state, timeout_s=timeout_s)


def first_sample(rig: Rig) -> Any:
    return rig.run(rig.timeline.wait_for("meter.sample", timeout_s=2, since_ns=0))


def test_opens_says_who_it_is_and_measures(meters: MeterRig) -> None:
    driver = meters.driver(meters.port())
    meters.rig.run(driver.open())
    assert driver.state is DeviceState.ACTIVE
    assert driver.alive
    assert {"model", "unit"} <= driver.identity.keys()
    sample = first_sample(meters.rig)
    assert sample.data["voltage_v"] == [0.0, 0.0, 0.0]
    assert 2000 <= float(sample.data["energy_wh"]) <= 8000
    said = [event.topic for event in meters.rig.events if event.source == "meter" and event.topic != "source"]
    assert said[0] == "tick"
    assert not [event for event in meters.rig.events if event.late]


def test_second_opener_is_told_who_holds_the_port(meters: MeterRig) -> None:
    meters.rig.run(meters.driver(meters.port()).open())
    with pytest.raises(DeviceError, match=rf"in use by .*pid {os.getpid()}, since \d{{4}}-"):
        meters.rig.run(meters.driver(meters.port(), name="other").open())


def test_opening_twice_and_using_it_closed_are_refused(meters: MeterRig) -> None:
    driver = meters.driver(meters.port())
    with pytest.raises(DeviceError, match="not open"):
        meters.rig.run(driver.make_safe())
    meters.rig.run(driver.open())
    with pytest.raises(DeviceError, match="open already"):
        meters.rig.run(driver.open())
    assert driver.alive


def test_silent_and_foreign_devices(meters: MeterRig) -> None:
    silent = meters.tap("silent", device=None)
    with pytest.raises(DeviceError, match="does not answer") as caught:
        meters.rig.run(meters.driver(silent.port, name="one", timeout_s=0.15).open())
    assert caught.value.received is None
    assert silent.written
    wrong = meters.tap("wrong", device=None, answer=lambda data: b"login: \r\n")
    with pytest.raises(DeviceError, match="something answers") as caught:
        meters.rig.run(meters.driver(wrong.port, name="two", timeout_s=0.15).open())
    assert "6c 6f 67 69 6e" in (caught.value.received or "")


def test_close_may_be_repeated_and_opening_again_works(meters: MeterRig) -> None:
    driver = meters.driver(meters.port())
    meters.rig.run(driver.close())
    for _ in range(3):
        meters.rig.run(driver.open())
        meters.rig.run(driver.close())
        meters.rig.run(driver.close())
        assert driver.state is DeviceState.IDLE
    assert not [event for event in meters.rig.events if event.late]


def test_making_safe_needs_no_permission(meters: MeterRig) -> None:
    driver = meters.driver(meters.port(), gate=ClosedGate())
    meters.rig.run(driver.open())
    meters.rig.run(driver.make_safe())
    meters.rig.run(driver.make_safe())
    assert driver.state is DeviceState.ACTIVE


def test_cut_off_is_told_and_comes_back_by_itself(meters: MeterRig) -> None:
    rig = meters.rig
    tap = meters.tap()
    driver = meters.driver(tap.port)
    rig.run(driver.open())
    first_sample(rig)
    pulled_ns = time.monotonic_ns()
    tap.unplug()
    rig.run(until(rig, driver, DeviceState.FAULTED, 3.0))
    assert time.monotonic_ns() - pulled_ns < 1_000_000_000
    with pytest.raises(DeviceLost):
        rig.run(driver.make_safe(), 3.0)
    (gap,) = [event for event in rig.topics("gap") if "is gone" in event.data["why"]]
    assert gap.data["from_ns"] <= pulled_ns <= gap.data["to_ns"]
    gone_ns = time.monotonic_ns()
    rig.run(rig.timeline.wait_for("tick", lambda e: e.data["upto_ns"] > gone_ns + 10**8, timeout_s=3, since_ns=0))
    tap.plug()
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "ACTIVE", timeout_s=4, since_ns=rig.rested_ns
        )
    )
    rig.run(rig.timeline.wait_for("meter.sample", timeout_s=2, since_ns=rig.rested_ns))
    back = next(event for event in rig.topics("gap") if "is back" in event.data["why"])
    assert back.data["from_ns"] <= pulled_ns < back.data["to_ns"]
    assert not [event for event in rig.events if event.late]


def test_stamps_are_in_order_and_watermarks_are_kept(meters: MeterRig) -> None:
    rig = meters.rig
    driver = meters.driver(meters.port())
    rig.run(driver.open())
    rig.run(asyncio.sleep(1.2))
    rig.run(driver.close())
    mine = [event for event in rig.events if event.source == "meter"]
    assert [event.seq for event in mine] == list(range(1, len(mine) + 1))
    orders = [event.stamp.order_ns for event in mine]
    assert orders == sorted(orders)
    assert all(event.stamp.lo_ns <= event.stamp.hi_ns <= event.stamp.order_ns for event in mine)
    ticks = [event.data["upto_ns"] for event in mine if event.topic == "tick"]
    assert len(ticks) > 8
    assert max(b - a for a, b in pairwise(ticks)) < 400_000_000
    assert not [event.data for event in mine if event.topic == "gap"]
