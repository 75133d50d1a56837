"""What a meter does not have is absent from its sample, never 0; and how a SunSpec device is walked along."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from pathlib import Path

import pilotbench
import pytest
from pilotbench.drivers.meter.map_file import load_map
from pilotbench.drivers.meter.maps import RegisterMap
from pilotbench.drivers.meter.sample import Poll, data_of, unavailable
from pilotbench.drivers.meter.segment import NotAnswered, UnitRefused
from pilotbench.drivers.meter.sunspec import Discovered, NoMeter, SunSpecMap, discover

MAPS = Path(pilotbench.__file__).parent / "hw-configs" / "meters"


def poll(register_map: RegisterMap, words: dict[int, Sequence[int]]) -> Poll:
    """A poll of a meter that has these words at these addresses, and 0 elsewhere."""
    flat = {at + offset: word for at, value in words.items() for offset, word in enumerate(value)}
    found = {
        block: tuple(flat.get(block.address + offset, 0) for offset in range(block.count))
        for block in register_map.blocks()
    }
    return Poll(register_map, found, (), register_map.values(found))


def abb() -> RegisterMap:
    found = load_map(MAPS / "abb-b23-b24.toml")
    assert isinstance(found, RegisterMap)
    return found


NONE = (0xFFFF, 0xFFFF)
NO_ENERGY = (0xFFFF,) * 4


def test_a_meter_of_one_phase_has_one_value() -> None:
    one = poll(abb(), {0x5B00: (0, 2300), 0x5B02: NONE, 0x5B04: NONE, 0x5B0C: (0, 1600), 0x5B0E: NONE, 0x5B10: NONE})
    data = data_of(one)
    assert data is not None
    assert (data["voltage_v"], data["current_a"]) == ([230.0], [16.0])
    assert unavailable(one) == {"current_a"}


def test_phases_do_not_change_places() -> None:
    data = data_of(poll(abb(), {0x5B00: NONE, 0x5B02: (0, 2300), 0x5B04: (0, 2310)}))
    assert data is not None
    assert data["voltage_v"] == [], "230 V on L2 must not be told as L1"


def test_frequency_that_is_not_available_is_none() -> None:
    data = data_of(poll(abb(), {0x5B2C: (0xFFFF,)}))
    assert data is not None
    assert data["frequency_hz"] is None


@pytest.mark.parametrize("words", [{0x5B14: (0x7FFF, 0xFFFF)}, {0x5000: NO_ENERGY}], ids=["power", "energy"])
def test_without_power_or_energy_there_is_no_sample(words: dict[int, Sequence[int]]) -> None:
    without = poll(abb(), words)
    assert data_of(without) is None
    assert len(unavailable(without)) == 1


# ---- SunSpec


def sunspec() -> SunSpecMap:
    found = load_map(MAPS / "sunspec.toml")
    assert isinstance(found, SunSpecMap)
    return found


def walked(words: dict[int, Sequence[int]], *, silent: bool = False) -> Discovered:
    """Discover a device that has these words; it refuses every other address, or is silent there."""
    flat = {at + offset: word for at, value in words.items() for offset, word in enumerate(value)}

    async def read(address: int, count: int) -> Sequence[int]:
        if any(address + offset not in flat for offset in range(count)):
            raise (NotAnswered if silent else UnitRefused)("no such registers", device="meter")
        return [flat[address + offset] for offset in range(count)]

    return asyncio.run(discover(read, sunspec()))


SUNS = (0x5375, 0x6E53)
COMMON = (1, 66, *(0,) * 66)


@pytest.mark.parametrize("base", [40000, 50000, 0])
def test_the_marker_is_looked_for_in_all_three_places(base: int) -> None:
    found = walked({base: (*SUNS, *COMMON, 203, 105, *(0,) * 105)})
    assert found.identity["sunspec"] == "203"
    assert found.register_map.quantities["voltage_v"].addresses == tuple(base + 70 + at for at in (8, 9, 10))
    assert found.register_map.quantities["voltage_v"].scale_address == base + 70 + 15


def test_models_of_others_are_passed_over() -> None:
    found = walked({40000: (*SUNS, *COMMON, 64110, 3, 9, 9, 9, 120, 2, 7, 7, 213, 124, *(0,) * 124)})
    assert found.register_map.quantities["energy_wh"].addresses == (40000 + 70 + 5 + 4 + 68,)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((*SUNS, *COMMON, 103, 50, *(0,) * 50, 0xFFFF, 0), r"has the models \[1, 103\]"),
        ((*SUNS, 0, 0), "chain of SunSpec models is broken"),
        ((*SUNS, 1, 60000), "chain of SunSpec models is broken"),
        ((0, 0), 'no SunSpec marker "SunS" at 40000, 50000, 0'),
    ],
    ids=["an inverter", "zeros", "length that lies", "no marker"],
)
def test_what_is_no_sunspec_meter_is_said(words: Sequence[int], says: str) -> None:
    with pytest.raises(NoMeter, match=says):
        walked({40000: words})


def test_silence_everywhere_is_silence() -> None:
    with pytest.raises(NotAnswered):
        walked({}, silent=True)
    assert walked({0: (*SUNS, *COMMON, 203, 105, *(0,) * 105)}, silent=True).identity["sunspec"] == "203"


def test_scale_factors_and_what_is_not_implemented() -> None:
    found = walked({40000: (*SUNS, *COMMON, 203, 105, *(0,) * 105)}).register_map
    at = 40070
    minus = lambda power: (0x10000 - power,)  # noqa: E731
    words: dict[int, Sequence[int]] = {
        at + 3: (1600, 1601, 0x8000),
        at + 6: minus(2),
        at + 8: (2301, 2302, 2303),
        at + 15: (0x8000,),
        at + 16: (0x8000,),
        at + 18: struct.unpack(">H", struct.pack(">h", -350)),
        at + 22: (1,),
        at + 46: (1, 5),
        at + 54: (1,),
    }
    read = poll(found, words)
    data = data_of(read)
    assert data is not None
    assert data["current_a"] == [16.0, 16.01]
    assert data["voltage_v"] == [], "a scale factor that is not implemented is no power of ten"
    assert data["frequency_hz"] is None
    assert data["power_w"] == -3500.0
    assert (data["energy_wh"], data["energy_step_wh"]) == ("655410.000", 10.0)
