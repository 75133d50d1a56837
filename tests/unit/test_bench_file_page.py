"""docs/bench-file.md says what the bench file has: every table and key, and the words around them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_type_hints

import pytest
from pilotbench.bench.config import HW_CONFIGS, load_bench_file, virtual_bench
from pilotbench.bench.device_checks import OWN_NAMES
from pilotbench.bench.devices import Calibrated, MeterSection, PilotSection
from pilotbench.errors import ConfigError
from pydantic import TypeAdapter

from bench_page import PAGE, TABLES, default, keys_of, models, page

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_code() -> None:
    assert page(TEXT) == TEXT, "write them anew: python tests/support/bench_page.py"


def test_every_section_and_driver_has_its_table() -> None:
    assert [found["name"] for found in TABLES.finditer(TEXT)] == sorted(
        models(), key=lambda name: TEXT.index(f"<!-- keys: {name} -->")
    )


@pytest.mark.parametrize("name", models())
def test_every_key_says_what_it_is(name: str) -> None:
    assert [key for key, field in keys_of(name).items() if not field.description] == []


CASES = [(name, key) for name in models() for key, field in keys_of(name).items() if not field.is_required()]


@pytest.mark.parametrize(("name", "key"), CASES, ids=lambda part: part)
def test_what_stands_under_left_out_is_what_is_taken(name: str, key: str) -> None:
    """The default, written as the page shows it, is read as the default."""
    hint = get_type_hints(models()[name], include_extras=True)[key]
    field = keys_of(name)[key]
    shown = default(hint, field)
    wanted = field.get_default(call_default_factory=True)
    if shown == "–":
        assert wanted in (None, "", [], {})
        return
    value = tomllib.loads(f"value = {shown.strip('`')}")["value"]
    assert TypeAdapter(hint).validate_python(value, strict=True) == wanted


def test_the_blocks_are_toml() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    assert [sorted(tomllib.loads(block)) for block in blocks] == [["name", "schema"], ["device", "station"], []]
    assert virtual_bench().read_text(encoding="utf-8").startswith(blocks[-1])


def words(before: str, until: str) -> set[str]:
    """What stands in backquotes between two places of the page."""
    start = TEXT.index(before) + len(before)
    return set(re.findall(r"`([^`]+)`", TEXT[start : TEXT.index(until, start)]))


def test_the_lists_in_the_text_are_whole() -> None:
    assert words("Not allowed are the names under which the bench itself speaks:", "`driver` says") == OWN_NAMES
    assert words("Shipped packs:", "Shipped limits") == names("rules")
    assert words("Shipped limits:", "Packs of OCPP") == names("limits")
    assert words("that are uncertainties: of a pilot", "; of a meter") == set(PilotSection.uncertainties)
    assert words("; of a meter", "A verdict that") == set(MeterSection.uncertainties)
    calibrated = {name for name, model in models().items() if issubclass(model, Calibrated)}
    assert {name.partition(".")[0] for name in calibrated} == {"pilot", "meter"}


def names(folder: str) -> set[str]:
    return {path.stem for path in (HW_CONFIGS / folder).glob("*.toml")}


def test_every_shipped_bench_is_among_the_examples() -> None:
    assert set(re.findall(r"\(\.\./hw-configs/([\w-]+)\.toml\)", TEXT)) == {p.stem for p in HW_CONFIGS.glob("*.toml")}


def test_the_message_is_the_real_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^lab\.toml:\d+: (.*)$", TEXT, re.MULTILINE)
    path = tmp_path / "lab.toml"
    path.write_text(virtual_bench().read_text(encoding="utf-8").replace("\naccuracy =", "\nacuracy ="))
    with pytest.raises(ConfigError) as caught:
        load_bench_file(path)
    message = str(caught.value).partition(": ")[2]
    assert message.startswith(shown.rstrip(".")), message


def test_two_loads_at_one_outlet_are_refused(tmp_path: Path) -> None:
    """Only one of them would be made safe with the outlet."""
    text = virtual_bench().read_text(encoding="utf-8")
    loads = "".join(f'[device.{name}]\ndriver = "load.scpi"\nport = "twin:{name}"\n\n' for name in ("left", "right"))
    path = tmp_path / "lab.toml"
    path.write_text(text.replace("[envelope]\n", f"{loads}[envelope]\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match="'left' and 'right' are both the load of outlet 1"):
        load_bench_file(path)
