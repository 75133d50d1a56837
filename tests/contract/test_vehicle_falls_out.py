"""A vehicle whose pilot goes to A by itself, or by another hand, is not plugged any more."""

from __future__ import annotations

import time

import pytest
from pilotbench.bench.vehicle import Vehicle
from pilotbench.errors import DeviceError

from driver_rig import Rig


def test_pilot_that_restarts_by_itself_is_not_plugged_any_more(rig: Rig) -> None:
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    ev = rig.driver("ev.dbc", rig.twin.ready["can"])
    vehicle = Vehicle(rig.timeline, pilot, ev)

    async def plugged() -> None:
        await pilot.open()
        await ev.open()
        vehicle.start()
        await vehicle.plug()

    rig.run(plugged())
    assert vehicle.plugged
    begun_ns = time.monotonic_ns()
    rig.twin.control(type="reset_pilot", boot_s=0.2)
    rig.run(rig.timeline.wait_for("pilot.reset", timeout_s=3, since_ns=begun_ns))
    assert not vehicle.plugged
    told = rig.run(rig.timeline.wait_for("ev.command", lambda e: not e.data["plugged"], timeout_s=3, since_ns=begun_ns))
    assert (told.data["plugged"], told.data["charge"]) == (False, False)
    (said,) = [event for event in rig.topics("device.state") if event.data["device"] == "vehicle"]
    assert (said.data["state"], "started" in said.data["why"]) == ("DEGRADED", True)
    rig.until(lambda: pilot.state == "ACTIVE", "the pilot made itself safe")
    rig.run(vehicle.plug())
    assert vehicle.plugged
    rig.run(vehicle.stop())


def test_made_safe_by_another_hand_is_unplugged(rig: Rig) -> None:
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    vehicle = Vehicle(rig.timeline, pilot, None)

    async def play() -> None:
        await pilot.open()
        vehicle.start()
        await vehicle.plug()
        await pilot.make_safe()

    rig.run(play())
    assert not vehicle.plugged
    rig.run(vehicle.stop())


def test_plug_while_the_pilot_is_gone_fails_at_once(rig: Rig) -> None:
    tap = rig.tap("pilot")
    pilot = rig.driver("pilot.line", tap.port)
    vehicle = Vehicle(rig.timeline, pilot, None)
    rig.run(pilot.open())
    tap.unplug()
    rig.until(lambda: pilot.gone, "the pilot is gone")
    begun_ns = time.monotonic_ns()
    with pytest.raises(DeviceError, match="is looked for"):
        rig.run(vehicle.plug())
    assert time.monotonic_ns() - begun_ns < 50_000_000
    assert not vehicle.plugged
