"""The station's supply is switched off over several devices: the earth comes back last, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from pilotbench.bench.safety.supply import SupplyOff

from driver_rig import Rig


@pytest.fixture
def rig(rig: Rig) -> Rig:
    """One board has the mains, another one the earth and a residual current, and a supply stands before both."""
    rig.devices = {
        "mains": {"kind": "relay.modbus", "relays": {"1": "mains"}},
        "earth": {"kind": "relay.numato", "relays": {"2": "pe", "3": "rcd"}, "inverted": [2]},
        "source": {"kind": "supply.scpi", "feeds": False},
    }
    return rig


def switched_on(rig: Rig) -> SupplyOff:
    """Everything on, and the earth open."""
    ready = rig.twin.ready
    earth = rig.driver(
        "power.relay/numato", ready["earth"], name="earth", relays={2: "pe", 3: "rcd"}, inverted=[2], poll_s=60.0
    )
    mains = rig.driver(
        "power.relay/modbus", ready["mains"], name="mains", relays={1: "mains"}, inverted=[], unit=1, poll_s=60.0
    )
    source = rig.driver("supply.scpi", ready["source"], name="source", poll_s=60.0)

    async def play() -> None:
        for device in (earth, mains, source):
            await device.open()
            await device.make_safe()
        await earth.switch(2, False)
        await earth.switch(3, True)
        await source.output(True)
        await mains.switch(1, True)

    rig.run(play())
    return SupplyOff(rig.timeline.bench, supplies=[source], boards=[earth, mains])


def done_after(rig: Rig, before: int) -> list[tuple[Any, bool]]:
    """What the emulators did, by their own logs: duty, or the command of a supply, and on."""
    log = [entry for entry in rig.twin.truth() if "on" in entry and entry.get("command") != "fault"]
    return [(entry.get("duty") or entry["command"], entry["on"]) for entry in log[before:] if entry.get("device")]


def test_earth_comes_back_when_every_supply_is_off(rig: Rig) -> None:
    supply = switched_on(rig)
    before = len(done_after(rig, 0))
    assert rig.run(supply.off()) == []
    steps = list(dict.fromkeys(done_after(rig, before)))
    assert steps[0] == ("rcd", False)
    assert set(steps[1:3]) == {("OUTP OFF", False), ("mains", False)}
    assert steps[3:] == [("pe", True)]


@pytest.mark.parametrize("stuck", ["mains", "source"])
def test_earth_stays_open_when_one_of_them_does_not_go_off(rig: Rig, stuck: str) -> None:
    supply = switched_on(rig)
    rig.twin.control(type="fault", name="stuck", on=True, device=stuck)
    rig.twin.wait("fault")
    before = len(done_after(rig, 0))
    trouble = rig.run(supply.off())
    assert any("PE left as it is" in text for text in trouble)
    done = done_after(rig, before)
    assert ("pe", True) not in done
    assert ("rcd", False) in done
    assert any(duty == "mains" for duty, _ in done), "what can go off is told to"
