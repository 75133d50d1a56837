"""Several meters on one line: one port, one arbiter; what one does wrong costs the others little."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.meter.segments import share_segments
from pilotbench.drivers.ports import PortLock
from pilotbench.errors import DeviceError

from driver_rig import Rig
from meter_rig import MeterRig
from twin_client import TwinProcess

UNITS: dict[str, dict[str, Any]] = {
    "m1": {"unit": 1},
    "m2": {"unit": 2, "segment": "m1", "model": "em340"},
    "m3": {"unit": 3, "segment": "m1", "model": "sunspec-203"},
    "own": {"unit": 1},
}
"""Three makes on one line, and one on a line of its own."""

POLL_S = 0.1


@pytest.fixture(params=["rtu", "tcp"])
def meters(request: pytest.FixtureRequest, rig: Rig, twin: Callable[..., TwinProcess]) -> Iterator[MeterRig]:
    made = MeterRig(rig, twin, UNITS, request.param)
    yield made
    made.close()


def on_one_line(meters: MeterRig, port: str, *names: str, **options: Any) -> list[Any]:
    drivers = [meters.driver(port, name, baud=9600, poll_s=POLL_S, timeout_s=0.15, **options) for name in names]
    share_segments(drivers)
    return drivers


async def open_all(drivers: list[Any]) -> None:
    await asyncio.gather(*(driver.open() for driver in drivers))


def samples(rig: Rig, name: str, since_ns: int) -> int:
    return sum(event.source == name and event.stamp.order_ns >= since_ns for event in rig.topics("meter.sample"))


def test_units_on_one_line_share_it(meters: MeterRig) -> None:
    rig = meters.rig
    drivers = on_one_line(meters, meters.port("m1"), "m1", "m2", "m3")
    rig.run(open_all(drivers))
    since_ns = time.monotonic_ns()
    rig.run(asyncio.sleep(1.0))
    for name in ("m1", "m2", "m3"):
        assert samples(rig, name, since_ns) >= 8, name
    assert {driver.identity["model"] for driver in drivers} == {
        "Eastron SDM630",
        "Carlo Gavazzi EM340",
        "SunSpec meter, model 203",
    }
    rig.run(drivers[0].close())
    since_ns = time.monotonic_ns()
    rig.run(asyncio.sleep(0.5))
    assert samples(rig, "m1", since_ns) == 0
    assert samples(rig, "m3", since_ns) >= 3
    with pytest.raises(DeviceError, match=f"in use by .*pid {os.getpid()}"):
        PortLock.take("other", meters.port("m1"), rig.state_dir)
    for driver in drivers:
        rig.run(driver.close())
    PortLock.take("other", meters.port("m1"), rig.state_dir).release()
    rig.run(drivers[1].open())
    assert not rig.topics("gap")


def test_silent_unit_does_not_slow_the_others(meters: MeterRig) -> None:
    rig = meters.rig
    m1, m2, m3 = drivers = on_one_line(meters, meters.port("m1"), "m1", "m2", "m3")
    own = meters.driver(meters.port("own"), "own", poll_s=POLL_S)
    rig.run(open_all([*drivers, own]))
    meters.fault("meter-silent", device="m2")
    rig.run(rig.timeline.wait_for("device.state", lambda e: e.data["state"] == "DEGRADED", timeout_s=3, since_ns=0))
    assert (m1.state, m2.state, m3.state) == (DeviceState.ACTIVE, DeviceState.DEGRADED, DeviceState.ACTIVE)
    since_ns = time.monotonic_ns()
    rig.run(asyncio.sleep(3.0))
    told = {name: samples(rig, name, since_ns) for name in ("m1", "m2", "m3", "own")}
    assert told["m2"] == 0
    # two short questions in these 3 s, of a slot or two each; a busy machine slows the one on its own line as well
    assert min(told["m1"], told["m3"]) >= told["own"] - 5, told
    assert told["own"] >= 15
    gaps = [event for event in rig.topics("gap") if event.stamp.order_ns >= since_ns]
    assert {event.source for event in gaps} == {"m2"}
    ticks = [event.stamp.order_ns for event in rig.topics("tick") if event.source == "m2"]
    assert max(b - a for a, b in pairwise(ticks)) < 1_500_000_000, "a rule would wait for it"
    meters.fault("meter-silent", on=False, device="m2")
    rig.run(
        rig.timeline.wait_for("device.state", lambda e: e.source == "m2" and e.data["state"] == "ACTIVE", timeout_s=7)
    )


def test_one_unit_that_refuses_does_not_disturb_the_others(meters: MeterRig) -> None:
    rig = meters.rig
    drivers = on_one_line(meters, meters.port("m1"), "m1", "m2")
    rig.run(open_all(drivers))
    meters.fault("meter-exception", device="m1", code=6)
    rig.run(rig.timeline.wait_for("device.state", lambda e: e.data["state"] == "DEGRADED", timeout_s=2, since_ns=0))
    since_ns = time.monotonic_ns()
    rig.run(asyncio.sleep(0.6))
    assert samples(rig, "m1", since_ns) == 0
    assert samples(rig, "m2", since_ns) >= 4
    meters.fault("meter-exception", on=False, device="m1")
    rig.run(
        rig.timeline.wait_for(
            "device.state", lambda e: e.data["state"] == "ACTIVE", timeout_s=2, since_ns=rig.rested_ns
        )
    )


def test_two_of_the_same_unit_and_two_speeds_are_refused(meters: MeterRig) -> None:
    rig = meters.rig
    one, two = on_one_line(meters, meters.port("m1"), "m1", "m2")
    rig.run(one.open())
    twice = meters.driver(meters.port("m1"), "m1", name="twice")
    faster = meters.driver(meters.port("m1"), "m3", name="faster", baud=19200)
    twice.segments = faster.segments = one.segments
    with pytest.raises(DeviceError, match="unit 1 on this line is 'm1' already"):
        rig.run(twice.open())
    if meters.wire == "rtu":
        with pytest.raises(DeviceError, match="19200 baud, 8N1, but m1 on the same line talks with 9600 baud"):
            rig.run(faster.open())
    rig.run(two.open())
    assert one.alive
    assert two.alive


def test_adapter_that_dies_takes_its_own_meters_only_and_all_come_back(meters: MeterRig) -> None:
    rig = meters.rig
    tap = meters.tap("m1")
    drivers = on_one_line(meters, tap.port, "m1", "m2", "m3")
    own = meters.driver(meters.port("own"), "own", poll_s=POLL_S)
    rig.run(open_all([*drivers, own]))
    tap.unplug()
    for driver in drivers:
        rig.until(lambda driver=driver: driver.gone, f"{driver.name} is gone")
    since_ns, cpu_s = time.monotonic_ns(), time.process_time()
    rig.run(asyncio.sleep(2.0))
    assert samples(rig, "own", since_ns) >= 17
    assert time.process_time() - cpu_s < 1.0, "looking for a port must not spin"
    tap.plug()
    for driver in drivers:
        rig.until(lambda driver=driver: driver.state is DeviceState.ACTIVE, f"{driver.name} is back")
        back = [event for event in rig.topics("gap") if event.source == driver.name and "is back" in event.data["why"]]
        assert len(back) == 1
    since_ns = time.monotonic_ns()
    rig.run(asyncio.sleep(0.6))
    for driver in drivers:
        assert samples(rig, driver.name, since_ns) >= 4
    assert not [event for event in rig.events if event.late]
