"""What the vehicle shows the station: the coding of its cable, and whether it needs ventilation."""

from __future__ import annotations

from typing import Any

from pilotbench.bench.vehicle import Vehicle

from driver_rig import Rig


def shown(rig: Rig) -> list[tuple[str, Any]]:
    """Resistors and codings, oldest first."""
    done = [event.data for event in rig.topics("stimulus")]
    found = {"resistor": "state", "pp": "ohm"}
    return [(data["verb"], data["args"][found[data["verb"]]]) for data in done if data["verb"] in found]


def test_a_vehicle_asks_for_ventilation_until_the_next_plug_in(rig: Rig) -> None:
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    vehicle = Vehicle(rig.timeline, pilot, None)

    async def play() -> None:
        await pilot.open()
        await vehicle.plug()
        await vehicle.ventilation(True)  # it shows once S2 closes
        await vehicle.charge()
        await vehicle.ventilation(False)
        await vehicle.ventilation(True)
        await vehicle.plug()
        await vehicle.charge()

    rig.run(play())
    states = [value for verb, value in shown(rig) if verb == "resistor"]
    assert states[-6:] == ["B", "D", "C", "D", "B", "C"]


def test_a_plug_without_a_coding_is_plugged_all_the_same(rig: Rig) -> None:
    pilot = rig.driver("pilot.line", rig.twin.ready["pilot"])
    vehicle = Vehicle(rig.timeline, pilot, None)

    async def play() -> None:
        await pilot.open()
        await vehicle.plug(cable_a=63)
        await vehicle.plug(cable_a=None)

    rig.run(play())
    assert vehicle.plugged
    assert shown(rig)[-4:] == [("pp", 100), ("resistor", "B"), ("pp", None), ("resistor", "B")]
