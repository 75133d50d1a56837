"""The safe state at once: in which order, and what waits for nobody."""

from __future__ import annotations

import asyncio

from pilotbench.bench.safety.make_safe import SafeLimits, SafeRecipe
from pilotbench.bench.safety.observed import Outlet
from pilotbench.bench.safety.supply import SupplyOff
from pilotbench.bench.timeline import Timeline


class Device:
    """Any instrument; `silent`: it never answers."""

    is_open = True

    def __init__(self, name: str, did: list[str], *, silent: bool = False) -> None:
        self.name = name
        self._did = did
        self._silent = silent

    async def make_safe(self) -> None:
        await self._do("safe")

    async def resistor(self, state: str) -> None:
        await self._do(state)

    async def _do(self, what: str) -> None:
        self._did.append(f"{self.name} {what}")
        if self._silent:
            await asyncio.Event().wait()
        self._did.append(f"{self.name} done")


def played(*, at_once: bool, silent: bool = False) -> list[str]:
    """What was done, in order, until a moment after the supply has a chance to be off."""
    did: list[str] = []

    async def play() -> None:
        timeline = Timeline()
        outlet = Outlet(timeline)
        timeline.source("pilot").note("output", {"live": True, "phases": [True], "kind": "ac"}, evse=1)
        timeline.source("pilot").note("cp.state", {"state": "C", "pwm": True, "high_v": 6.0, "low_v": -12.0}, evse=1)
        supply = SupplyOff(timeline.bench, supplies=[Device("supply", did)])
        pilot, ev = Device("pilot", did, silent=silent), Device("ev", did)
        recipe = SafeRecipe(timeline.bench, outlet, SafeLimits(0.1, 0.5), pilot=pilot, ev=ev, supply=supply)
        running = asyncio.ensure_future(recipe.run(at_once=at_once))
        await asyncio.wait({running}, timeout=0.6)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())
    return did


def test_nothing_is_waited_for_between_the_request_the_pilot_and_the_supply() -> None:
    assert played(at_once=True)[:6] == ["ev safe", "ev done", "pilot A", "pilot done", "supply safe", "supply done"]


def test_a_pilot_that_does_not_answer_keeps_no_supply_on() -> None:
    assert played(at_once=True, silent=True)[-2:] == ["supply safe", "supply done"]


def test_in_order_the_current_falls_first() -> None:
    assert played(at_once=False) == ["ev safe", "ev done"]
