"""The page on meters: its example is a map, and its table has every map there is, with the requests that it makes."""

from __future__ import annotations

import re
from pathlib import Path

import pilotbench
import pytest
from pilotbench.drivers.meter.map_file import load_map, parse_map
from pilotbench.drivers.meter.maps import RegisterMap

ROOT = Path(pilotbench.__file__).parent
PAGE = (ROOT / "docs" / "meters.md").read_text(encoding="utf-8")
ROWS = {row.split("`")[1]: row for row in PAGE.splitlines() if row.startswith("| `") and row.count("|") == 9}
MAPS = {path.stem: path for path in (ROOT / "hw-configs" / "meters").glob("*.toml")}


def test_the_example_is_a_map() -> None:
    example = next(block for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "schema" in block)
    parsed = parse_map(example)
    assert isinstance(parsed, RegisterMap)
    assert [(block.address, block.count) for block in parsed.blocks()] == [(0, 0x24)]


def test_every_map_is_in_the_table() -> None:
    assert ROWS.keys() == MAPS.keys()


@pytest.mark.parametrize("name", sorted(MAPS))
def test_requests_and_energy_step_are_as_the_table_says(name: str) -> None:
    found = load_map(MAPS[name])
    cells = [cell.strip() for cell in ROWS[name].split("|")]
    if not isinstance(found, RegisterMap):
        assert sorted({model.blocks()[0].count for model in found.models.values()}) == [52, 66]
        return
    counts = [block.count for block in found.blocks()]
    assert cells[4] == f"{len(counts)} ({', '.join(map(str, counts))})"
    assert float(cells[5].split()[0]) == float(found.energy_resolution_wh)
    assert cells[6].startswith("yes") is (found.identity is not None)
    if "Modbus TCP" not in cells[7]:
        link = found.link
        assert f"{link.baud} 8{link.parity}{link.stop_bits}" in cells[7].replace("*", "")
