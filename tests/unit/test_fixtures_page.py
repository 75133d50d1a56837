"""docs/fixtures.md names what the façades of a test offer, with the names and defaults of their arguments."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.facades import TimelineFacade, VehicleFacade
from pilotbench.bench.host import BenchHost
from pilotbench.bench.twin_control import TwinFacade

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "fixtures.md").read_text(encoding="utf-8")
NOT_FOR_TESTS = {"bench", "call", "close", "report", "running", "start"}
"""Of the host: for the plugin and the command line, which start and close it."""


def named(fixture: str) -> dict[str, str]:
    """Name -> what stands in its brackets, of a fixture's table; "" for an attribute."""
    section = PAGE.split(f"\n## {fixture}\n")[1].split("\n## ")[0]
    cells = " ".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    return {name: inside or "" for name, inside in re.findall(r"`(\w+)(?:\(([^`]*)\))?`", cells)}


def signature(method: Any) -> str:
    """As the page writes it: without types, without `self`, and without the star of what is by name only."""
    parts: list[str] = []
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        bare = parameter.replace(annotation=inspect.Parameter.empty)
        parts.append(str(bare).replace("'", '"').replace(" = ", "="))
    return ", ".join(parts)


@pytest.mark.parametrize(
    ("fixture", "facade"),
    [("vehicle", VehicleFacade), ("timeline", TimelineFacade), ("bench", BenchHost), ("twin", TwinFacade)],
)
def test_the_page_says_what_a_fixture_has(fixture: str, facade: type[Any]) -> None:
    page = named(fixture)
    methods = {
        name: signature(member)
        for name, member in vars(facade).items()
        if inspect.isfunction(member) and not name.startswith("_") and name not in NOT_FOR_TESTS
    }
    told = {name: inside for name, inside in page.items() if name in methods and inside != "…"}
    assert set(methods) <= set(page), "not on the page"
    assert told == {name: methods[name] for name in told}
    assert {name for name, inside in page.items() if inside} <= set(methods), "there is no such method"
