"""The twin's meters, whose registers were written down apart from the maps, read by them; and wrong maps refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pilotbench.drivers.meter.map_file import load_map
from pilotbench.drivers.meter.segments import share_segments
from pilotbench.errors import DeviceError

from driver_rig import CONFIGS, Rig
from meter_rig import MAPS, MeterRig
from twin_client import Station, TwinProcess

METERS = {
    name: {"unit": number, "model": name, **({} if number == 1 else {"segment": "sdm630"})}
    for number, name in enumerate(MAPS, 1)
}
"""One of each make, all on one line."""

EASTRON = {"sdm630", "sdm72-v2", "sdm72", "sdm120"}
ALIKE = {
    **dict.fromkeys(("eastron-sdm630", "eastron-sdm72-v2", "eastron-sdm72", "eastron-sdm120"), EASTRON),
    "carlo-gavazzi-em340": {"em340", "em24-e1"},
}
"""Map -> meters that it cannot tell from its own: they have the same values in the same places, as far as there are."""


@pytest.fixture
def meters(rig: Rig, twin: Callable[..., TwinProcess]) -> Iterator[MeterRig]:
    made = MeterRig(rig, twin, METERS)
    yield made
    made.close()


def live(rig: Rig) -> Station:
    """Close the station's contactor: 230 V at the outlet."""
    station = rig.twin.station()
    station.hello()
    station.send(type="set", evse=1, contactor=True)
    station.until("state", output_v=lambda volts: min(volts) > 200)
    rig.run(asyncio.sleep(0.2))  # the meters have renewed their registers by then
    return station


def one_line(meters: MeterRig, **options: Any) -> list[Any]:
    drivers = [
        meters.driver(meters.port("sdm630"), name, baud=9600, parity="N", stop_bits=1, **options) for name in METERS
    ]
    share_segments(drivers)
    return drivers


def test_all_makes_on_one_line_tell_the_same(meters: MeterRig) -> None:
    rig = meters.rig
    rig.station = live(rig)
    drivers = one_line(meters, poll_s=0.25, timeout_s=0.3)

    async def opened() -> None:
        for driver in drivers:
            await driver.open()

    rig.run(opened())
    since_ns = time.monotonic_ns() + 300_000_000
    rig.run(asyncio.sleep(1.0))
    data = {event.source: event.data for event in rig.topics("meter.sample") if event.stamp.order_ns >= since_ns}
    assert data.keys() == METERS.keys()
    reference = data["sdm630"]
    assert reference["voltage_v"] == pytest.approx([230.0] * 3, abs=3)
    assert reference["frequency_hz"] == 50.0
    for name, sample in data.items():
        volts = {"sdm72": [], "sdm120": reference["voltage_v"][:1]}.get(name, reference["voltage_v"])
        assert sample["voltage_v"] == pytest.approx(volts, abs=1), name
        assert sample["frequency_hz"] == (None if name == "sdm72" else 50.0), name
        step = max(sample["energy_step_wh"], 0.2)
        assert float(sample["energy_wh"]) == pytest.approx(float(reference["energy_wh"]), abs=step), name
        assert sample["power_w"] == 0.0


@pytest.mark.parametrize("alive", [False, True], ids=["dead outlet", "live outlet"])
def test_wrong_map_is_refused(meters: MeterRig, alive: bool) -> None:
    """On a dead outlet, where there is least to go by, too."""
    rig = meters.rig
    port = meters.port("sdm630")
    if alive:
        rig.station = live(rig)

    async def accepted(path: Any, name: str) -> bool:
        driver = meters.driver(
            port,
            name,
            name=f"{path.stem}-{name}",
            register_map=load_map(path),
            baud=9600,
            parity="N",
            stop_bits=1,
            timeout_s=0.3,
        )
        try:
            await driver.open()
        except DeviceError:
            return False
        finally:
            await driver.close()
        return True

    async def table() -> dict[str, set[str]]:
        return {
            path.stem: {name for name in METERS if await accepted(path, name)}
            for path in sorted((CONFIGS / "meters").glob("*.toml"))
        }

    found = rig.run(table(), 60.0)
    for stem, names in found.items():
        own = {name for name, known in MAPS.items() if known == stem}
        assert names >= own, stem
        assert names <= ALIKE.get(stem, own), stem


def test_zeros_of_an_eastron_meter_are_no_janitza(meters: MeterRig) -> None:
    """It answers function 03 at 0x4A38 with zeros, as from the field."""
    janitza = load_map(CONFIGS / "meters" / "janitza-umg604.toml")
    driver = meters.driver(meters.port("sdm630"), "sdm630", register_map=janitza, timeout_s=0.3)
    with pytest.raises(DeviceError, match="nothing but zeros"):
        meters.rig.run(driver.open())
    new = meters.driver(meters.port("sdm630"), "sdm630", register_map=janitza, timeout_s=0.3, new_meter=True)
    meters.rig.run(new.open())


def test_model_that_names_itself_is_told(meters: MeterRig) -> None:
    drivers = {driver.name: driver for driver in one_line(meters, timeout_s=0.3)}

    async def opened() -> dict[str, str]:
        wanted = ("b23", "iem3155", "pac2200", "em24-e1", "sunspec-203")
        for name in wanted:
            await drivers[name].open()
        return {name: drivers[name].identity["type"] for name in wanted}

    assert meters.rig.run(opened()) == {
        "b23": "B23",
        "iem3155": "iEM3155",
        "pac2200": "7KM2200-2EA30-1EA1",
        "em24-e1": "1648",
        "sunspec-203": "SM203",
    }


def test_word_order_turned_round_is_no_sample(meters: MeterRig) -> None:
    """230 V would be a number near 0, and the energy nonsense: it is refused when the meter is opened."""
    rig = meters.rig
    rig.station = live(rig)
    meters.fault("meter-word-order", device="em340")
    driver = meters.driver(meters.port("sdm630"), "em340", timeout_s=0.3)
    with pytest.raises(DeviceError, match="not like the Carlo Gavazzi EM340"):
        rig.run(driver.open())
