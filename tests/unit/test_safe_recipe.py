"""Making an outlet safe when a driver breaks in a way that nobody thought of."""

from __future__ import annotations

import asyncio

from pilotbench.bench.safety.make_safe import SafeLimits, SafeRecipe
from pilotbench.bench.safety.observed import Outlet
from pilotbench.bench.safety.supply import SupplyOff
from pilotbench.bench.timeline import Timeline


class Device:
    """Any instrument; `breaks` is what its `make_safe` raises."""

    name = "device"
    is_open = True

    def __init__(self, breaks: Exception | None = None) -> None:
        self.breaks = breaks
        self.did: list[str] = []

    async def make_safe(self) -> None:
        self.did.append("safe")
        if self.breaks is not None:
            raise self.breaks

    async def resistor(self, state: str) -> None:
        self.did.append(state)


def test_a_driver_that_breaks_stops_no_other_step() -> None:
    pilot, supply = Device(), Device()

    async def play() -> tuple[str, ...]:
        timeline = Timeline()
        off = SupplyOff(timeline.bench, supplies=[supply, Device(ZeroDivisionError())])
        recipe = SafeRecipe(
            timeline.bench,
            Outlet(timeline),
            SafeLimits(0.1, 0.5),
            pilot=pilot,
            ev=Device(KeyError("soc")),
            supply=off,
        )
        return (await recipe.run(at_once=True)).trouble

    trouble = asyncio.run(play())
    assert pilot.did[0] == "A"
    assert supply.did == ["safe"]
    assert trouble == ("EV request to 0 A: KeyError('soc')", "supply device off: ZeroDivisionError()")
