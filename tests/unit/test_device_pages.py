"""The pages of the small protocols say what is true, and their bench-file tables load."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path
from typing import Any

import pilotbench
import pytest
from pilotbench.bench.config import load_bench_file
from pilotbench.bench.devices import SECTIONS
from pilotbench.bench.twin.emulators.kinds import KINDS
from pilotbench.drivers.pilot.ev_sim_report import parse as parse_report
from pilotbench.drivers.pilot.frame import parse, unseal
from pilotbench.drivers.registry import driver_class

ROOT = Path(pilotbench.__file__).parent
PAGES = {"token.line": "token-protocol.md", "pilot.ev_sim": "ev-sim.md", "evse.rapi": "rapi.md"}


def page(kind: str) -> str:
    return (ROOT / "docs" / PAGES[kind]).read_text(encoding="utf-8")


def table(kind: str) -> dict[str, Any]:
    """The device's table on its page."""
    (text,) = re.findall(r"```toml\n(.*?)```", page(kind), re.DOTALL)
    ((_, found),) = tomllib.loads(text)["device"].items()
    return found


@pytest.mark.parametrize("kind", PAGES)
def test_the_table_on_the_page_makes_a_driver_and_an_emulator(kind: str) -> None:
    section = SECTIONS[kind].model_validate(table(kind))
    options = section.options(lambda folder, name, suffix: Path())
    assert set(options) < set(inspect.signature(driver_class(kind)).parameters)
    assert section.emulator()["kind"] in KINDS
    assert section.role == driver_class(kind).role


@pytest.mark.parametrize(
    ("kind", "key", "value", "options"),
    [
        ("token.line", "hold", "300 ms", {"hold_ms": 300}),
        ("token.line", "watchdog", "5 s", {"watchdog_ms": 5000}),
        ("evse.rapi", "poll", "2 s", {"poll_s": 2.0}),
        ("evse.rapi", "timeout", "200 ms", {"timeout_s": 0.2}),
        ("evse.rapi", "age", "0.5 s", {"age_s": 0.5}),
    ],
)
def test_a_key_of_the_bench_file_reaches_the_driver(kind: str, key: str, value: str, options: dict[str, Any]) -> None:
    section = SECTIONS[kind].model_validate({**table(kind), key: value})
    assert section.options(lambda folder, name, suffix: Path()).items() >= options.items()


def test_a_bench_with_all_three_loads(tmp_path: Path) -> None:
    text = (ROOT / "hw-configs" / "virtual.toml").read_text(encoding="utf-8")
    before, _, rest = text.partition("[device.pilot]")
    after = rest[rest.index("[device.meter]") :]
    mine = "".join(
        f'[device.{name}]\ndriver = "{kind}"\nport = "twin:{name}"\n'
        for name, kind in (("pilot", "pilot.ev_sim"), ("cards", "token.line"), ("rapi", "evse.rapi"))
    )
    path = tmp_path / "lab.toml"
    path.write_text(f"{before}{mine}{after}", encoding="utf-8")
    assert {"pilot", "cards", "rapi"} <= set(load_bench_file(path).device)


def test_the_example_of_the_token_protocol_is_sound() -> None:
    (block,) = [text for text in re.findall(r"```\n(.*?)```", page("token.line"), re.DOTALL) if "→" in text]
    lines = block.strip().splitlines()
    for line in lines:
        assert unseal(line[2:].encode())
        if line.startswith("←"):
            parse(line[2:].encode())
    assert len(lines) == 5


def test_the_reports_of_the_page_are_read() -> None:
    reports = [parse_report(line.encode()) for line in page("pilot.ev_sim").splitlines() if line.startswith("{ state")]
    assert [report.letter for report in reports] == [None, "B"]
