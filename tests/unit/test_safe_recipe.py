"""Making an outlet safe when a driver breaks in a way that nobody thought of."""

from __future__ import annotations

import asyncio

import pytest
from pilotbench.bench.safety.make_safe import SafeLimits, SafeOutcome, SafeRecipe
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


@pytest.mark.parametrize(
    ("amps", "live", "proven", "says"),
    [
        (0.0, None, False, "CP at A acknowledged, 0.00 A and 230 V metered, output not observed"),
        (0.0, False, True, "safe: output proven dead (no voltage sensed, 0.00 A metered)"),
        (0.0, True, False, "NOT SAFE: the output is still live"),
        (6.0, None, False, "NOT SAFE: the output is still live"),
        (None, None, False, "CP at A acknowledged, output not observed"),
    ],
)
def test_no_current_alone_proves_no_output_dead(amps: float | None, live: bool | None, proven: bool, says: str) -> None:
    outcome = made_safe(amps, live, [230.0])
    assert outcome.proven is proven
    assert outcome.text.startswith(says)


@pytest.mark.parametrize(("volts", "proven"), [([12.0], True), ([0.0, 51.0], False), ([], False)])
def test_the_meters_voltage_proves_it_where_there_is_no_sense(volts: list[float], proven: bool) -> None:
    assert made_safe(0.0, None, volts).proven is proven


def test_a_reading_from_before_the_plug_was_out_proves_nothing() -> None:
    assert made_safe(0.0, None, [12.0], again=False).proven is False


def made_safe(amps: float | None, live: bool | None, volts: list[float], *, again: bool = True) -> SafeOutcome:
    async def play() -> SafeOutcome:
        timeline = Timeline()
        outlet = Outlet(timeline)
        if live is not None:
            timeline.source("pilot").note("output", {"live": live, "phases": [live], "kind": "ac"}, evse=1)
        if amps is not None:
            data = {"power_w": 0.0, "current_a": [amps], "voltage_v": volts, "energy_wh": "1"}
            meter = timeline.source("meter")

            def tell() -> None:
                meter.note("meter.sample", data, evse=1)
                if again:
                    asyncio.get_running_loop().call_later(0.02, tell)

            tell()
        recipe = SafeRecipe(timeline.bench, outlet, SafeLimits(0.1, 0.5), pilot=Device(), ev=None)
        return await recipe.run()

    return asyncio.run(play())
