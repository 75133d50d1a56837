"""A cable that is pulled at the vehicle leaves its other plug in the station's socket."""

from __future__ import annotations

from typing import Any

from pilotbench.bench.vehicle import Vehicle

from driver_rig import Rig


def test_cable_pulled_at_the_vehicle_stays_in_the_socket(rig: Rig) -> None:
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    vehicle = Vehicle(rig.timeline, pilot, None)

    def asked() -> list[Any]:
        return [next(iter(event.data["args"].values())) for event in rig.topics("stimulus")]

    async def play() -> None:
        await pilot.open()
        await vehicle.plug()
        await vehicle.unplug(cable_stays=True)

    rig.run(play())
    assert not vehicle.plugged
    assert asked() == [220, "B", "A"]
    rig.run(vehicle.unplug())
    assert asked()[3:] == ["A", None]
