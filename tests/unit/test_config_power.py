"""Supplies, loads and relay boards in a bench file: their drivers and emulators are made of the same table."""

from __future__ import annotations

from pathlib import Path

import pytest
from pilotbench.bench.config import BenchFile, load_bench_file, virtual_bench
from pilotbench.bench.instruments import make_instruments
from pilotbench.bench.timeline import ClosedGate, Timeline
from pilotbench.drivers.power.relay import RelayBoard
from pilotbench.drivers.power.scpi import ScpiLoad, ScpiSupply
from pilotbench.errors import ConfigError

TABLES = """
[device.source]
driver = "supply.scpi"
port = "twin:source"
voltage = "232 V"
current = "32 A"
commands = { is_on = "OUTP:STAT?" }

[device.load]
driver = "load.scpi"
port = "twin:load"
reconnect = false

[device.relays]
driver = "power.relay"
board = "numato"
port = "twin:relays"
relays = { 0 = "mains", 1 = "pe" }
inverted = [1]
"""


def bench(tmp_path: Path, tables: str = TABLES) -> BenchFile:
    path = tmp_path / "lab.toml"
    path.write_text(virtual_bench().read_text(encoding="utf-8") + tables, encoding="utf-8")
    return load_bench_file(path)


def test_drivers_are_made_of_it(tmp_path: Path) -> None:
    ports = {"pilot": "p", "meter": "m", "can": "c", "source": "s", "relays": "r"}
    ports |= {device.port.removeprefix("twin:"): "x" for device in bench(tmp_path).device.values()}
    made = {d.name: d for d in make_instruments(bench(tmp_path), Timeline(), ClosedGate(), ports)}
    source, load, relays = made["source"], made["load"], made["relays"]
    assert isinstance(source, ScpiSupply)
    assert isinstance(load, ScpiLoad)
    assert isinstance(relays, RelayBoard)
    assert source.starts_with == (232.0, 32.0)
    assert relays.relays == {0: "mains", 1: "pe"}
    recipe = source.emergency()
    assert bytes.fromhex(recipe.steps[0].send_hex) == b"OUTP OFF\nOUTP:STAT?\n"
    assert recipe.wire.address == ports["source"]


def test_emulators_are_made_of_it(tmp_path: Path) -> None:
    device = bench(tmp_path).device
    assert device["source"].emulator() == {"kind": "supply.scpi"}
    assert device["relays"].emulator() == {
        "kind": "relay.numato",
        "relays": {"0": "mains", "1": "pe"},
        "inverted": [1],
    }
    assert (device["relays"].reconnect, device["load"].reconnect) == (True, False)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('1 = "pe"', '1 = "earth"', "'mains', 'pe', 'rcd', 'dc-leak' or 'aux'"),
        ('0 = "mains"', 'K1 = "mains"', "no number of a relay"),
        ("inverted = [1]", "inverted = [4]", "no duty"),
        ('current = "32 A"\ncommands', "commands", "voltage and current belong together"),
        ('board = "numato"', 'board = "numatos"', "'modbus', 'lcus' or 'numato'"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in TABLES
    with pytest.raises(ConfigError, match=says):
        bench(tmp_path, TABLES.replace(old, new))
