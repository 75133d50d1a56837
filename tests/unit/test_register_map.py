"""Register maps: the shipped one against golden bytes, and what is said about a wrong one."""

from __future__ import annotations

import struct
from decimal import Decimal
from pathlib import Path

import pilotbench
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pilotbench.drivers.meter.map_file import load_map, parse_map
from pilotbench.drivers.meter.maps import Block, Likeness, Quantity, RegisterMap
from pilotbench.errors import ConfigError

SDM630 = Path(pilotbench.__file__).parent / "hw-configs" / "meters" / "eastron-sdm630.toml"

GOOD = """\
schema = 1
model = "Test"
function = 3
max_registers = 20
energy_resolution_wh = "0.01"

[registers.voltage_v]
address = [0]
type = "u16"
unit = "V"
scale = "0.1"

[registers.current_a]
address = [100]
type = "i32"
unit = "mA"
word_order = "little"

[registers.power_w]
address = [102]
type = "i32"
unit = "kW"
nan = 0x7FFFFFFF

[registers.energy_wh]
address = [0x5000]
type = "u64"
unit = "kWh"
scale = "0.01"

[probe]
voltage_v = [50, 500]
"""


def crc16(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc.to_bytes(2, "little")


def test_golden_request_and_answer_of_an_sdm630() -> None:
    """From the field: V L1 of an SDM630, 231.685 V."""
    sdm = load_map(SDM630)
    voltage = sdm.quantities["voltage_v"]
    body = struct.pack(">BBHH", 1, voltage.function, voltage.addresses[0], voltage.width)
    assert body + crc16(body) == bytes.fromhex("01 04 00 00 00 02 71 CB")
    answer = bytes.fromhex("01 04 04 43 67 AF 55 E2 10")
    assert crc16(answer[:-2]) == answer[-2:]
    value = voltage.decode(struct.unpack(">HH", answer[3:7]))
    assert value is not None
    assert round(value, 3) == Decimal("231.685")


def test_one_request_reads_everything_of_an_sdm630() -> None:
    sdm = load_map(SDM630)
    assert sdm.blocks() == [Block(4, 0x00, 0x4A)]
    registers = [0] * 0x4A
    for address, value in (
        (0x00, 230.0),
        (0x02, 231.0),
        (0x04, 232.0),
        (0x06, 16.0),
        (0x34, 11040.0),
        (0x46, 50.0),
        (0x48, 7.4287),
    ):
        registers[address : address + 2] = struct.unpack(">HH", struct.pack(">f", value))
    values = sdm.values({sdm.blocks()[0]: registers})
    assert values["voltage_v"] == [230, 231, 232]
    assert values["power_w"] == [11040]
    (energy,) = values["energy_wh"]
    assert energy is not None
    assert sdm.energy_text(energy) == "7428.7"
    assert sdm.judge(values) is Likeness.PROVEN


def test_types_word_order_scale_units_and_not_available() -> None:
    parsed = parse_map(GOOD)
    assert parsed.blocks() == [Block(3, 0, 1), Block(3, 100, 4), Block(3, 0x5000, 4)]
    read = {
        Block(3, 0, 1): [2301],
        Block(3, 100, 4): [0xFC18, 0xFFFF, 0x7FFF, 0xFFFF],
        Block(3, 0x5000, 4): [0, 0, 1, 5],
    }
    values = parsed.values(read)
    assert values == {
        "voltage_v": [Decimal("230.1")],
        "current_a": [Decimal("-1.000")],
        "power_w": [None],
        "energy_wh": [Decimal(65541 * 10)],
    }
    assert parsed.energy_text(Decimal(65541 * 10)) == "655410.00"


@given(st.integers(0, 2**64 - 1))
def test_energy_of_a_counter_is_exact(raw: int) -> None:
    energy = parse_map(GOOD).quantities["energy_wh"]
    assert energy.decode(struct.unpack(">4H", raw.to_bytes(8, "big"))) == Decimal(raw) * 10


@given(st.floats(width=32, allow_nan=True, allow_infinity=True))
def test_floats_are_exact_or_not_available(value: float) -> None:
    quantity = Quantity("voltage_v", 4, (0,), "f32", "big", Decimal(1))
    decoded = quantity.decode(struct.unpack(">HH", struct.pack(">f", value)))
    assert (decoded is None) if value - value != 0 else (float(decoded or 0) == value)


def test_wrong_number_of_registers_is_no_value() -> None:
    with pytest.raises(ValueError, match="2 registers, not 1"):
        Quantity("voltage_v", 4, (0,), "f32", "big", Decimal(1)).decode([1])


def test_float_step_grows_with_the_value() -> None:
    energy = load_map(SDM630).quantities["energy_wh"]
    assert energy.step(Decimal("7428.7")) < Decimal("0.001")
    assert Decimal("0.4") < energy.step(Decimal("5000000")) < Decimal("0.5")


def test_dead_wire_neither_proves_nor_disproves_and_garbage_is_foreign() -> None:
    sdm = load_map(SDM630)
    assert isinstance(sdm, RegisterMap)
    zeros = {name: [Decimal(0)] * 3 for name in sdm.quantities}
    assert sdm.judge(zeros) is Likeness.BLANK
    dead = {**zeros, "energy_wh": [Decimal("0.1")]}
    assert sdm.judge(dead) is Likeness.DEAD
    assert sdm.judge({**dead, "voltage_v": [Decimal("1e20")] * 3}) is Likeness.FOREIGN
    assert sdm.judge({**dead, "energy_wh": [Decimal(-1)]}) is Likeness.FOREIGN
    assert sdm.judge({**dead, "energy_wh": [None]}) is Likeness.FOREIGN
    assert sdm.judge({**dead, "power_w": [Decimal(3000)]}) is Likeness.FOREIGN


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("schema = 1", "schema = 2", 1, "'schema' must be 1"),
        ("max_registers = 20", "max_registers = 126", 4, "from 1 to 125"),
        ("max_registers", "max_register", 4, "did you mean 'max_registers'"),
        ('type = "i32"\nunit = "mA"', 'type = "i33"\nunit = "mA"', 15, "'i33'"),
        ('unit = "mA"', 'unit = "V"', 16, "one of 'mA', 'A', not 'V'"),
        ("address = [102]", "address = 102", 20, "must be a list"),
        ("address = [0x5000]", "address = [0x50000]", 26, "counted from 0"),
        ('scale = "0.01"', "scale = 0", 29, "other than 0"),
        ("nan = 0x7FFFFFFF", "nan = 0x1FFFFFFFF", 23, "fits in i32"),
        ("voltage_v = [50, 500]", "voltage_v = [500, 50]", 32, "range"),
        ("[registers.power_w]", "[registers.powr_w]", 19, "did you mean 'power_w'"),
        ("[probe]", "[prove]", 31, "did you mean 'probe'"),
        ("[probe]", "[probe", 31, "no TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=says) as caught:
        parse_map(GOOD.replace(old, new, 1), "m.toml")
    assert (caught.value.file, caught.value.line) == ("m.toml", line)


def test_missing_file_names_the_maps_there_are() -> None:
    with pytest.raises(ConfigError, match="did you mean 'eastron-sdm630'"):
        load_map(SDM630.with_name("eastron-sdm360.toml"))
