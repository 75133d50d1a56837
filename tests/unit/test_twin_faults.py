"""The list of the station's faults and oddities: rules, cases, versions that there are; each knob in one place."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.catalogue import CASES
from pilotbench.bench.twin.faults import FAULTS as PHYSICAL
from pilotbench.bench.twin.station.faults import DEVIATIONS, FAULTS, ODDITIES, VERSIONS, Knobs, knobs_of
from pilotbench.bench.twin.station.slips import SLIPS

from cli_runs import cli
from fault_matrix import NO_FAULT
from fault_page import PAGE, page
from traces import CONFIGS

ROOT = CONFIGS.parent
STATION = ROOT / "bench" / "twin" / "station"


@functools.cache
def packs() -> dict[str, dict[str, Any]]:
    """Rule -> what its pack says of it, with the versions it holds for."""
    rules: dict[str, dict[str, Any]] = {}
    for file in (CONFIGS / "rules").glob("*.toml"):
        pack = tomllib.loads(file.read_text("utf-8"))
        for name, rule in pack["rule"].items():
            spoken = rule.get("ocpp", pack.get("ocpp", VERSIONS))
            rules[name] = {**rule, "versions": [spoken] if isinstance(spoken, str) else list(spoken)}
    return rules


def test_there_are_as_many_as_promised() -> None:
    assert len(FAULTS) >= 40
    assert len(ODDITIES) >= 12
    for version in VERSIONS:
        assert sum(version in DEVIATIONS[name].versions for name in FAULTS) >= 40


@pytest.mark.parametrize("name", DEVIATIONS)
def test_each_names_a_case_and_rules_that_there_are(name: str) -> None:
    one = DEVIATIONS[name]
    assert one.course in CASES
    assert set(one.versions) <= set(VERSIONS)
    assert one.versions
    rules = packs()
    for version, trips in one.trips.items():
        assert trips.sure
        assert not set(trips.sure) & set(trips.perhaps)
        for rule in trips.sure:
            assert version in rules[rule]["versions"], f"{rule} does not hold for {version}"
        assert all(rule in rules for rule in trips.perhaps)


def test_every_rule_has_a_fault_or_a_reason_why_not() -> None:
    tripped = {rule for one in DEVIATIONS.values() for trips in one.trips.values() for rule in trips.sure}
    tripped |= {one.rules[0] for one in PHYSICAL.values() if one.outcome == "station FAIL"}
    assert set(packs()) - tripped == set(NO_FAULT)


def test_every_slip_is_used() -> None:
    used = {slip for one in DEVIATIONS.values() for slip in one.changes.get("slips", ())}
    assert used == set(SLIPS)


@functools.cache
def functions() -> dict[tuple[str, str], str]:
    """The source of each function of the station by its place (module, or version) and name."""
    found: dict[tuple[str, str], str] = {}
    for file in STATION.rglob("*.py"):
        place = file.relative_to(STATION)
        text = file.read_text("utf-8")
        tree = ast.parse(text)
        methods = [node for part in tree.body if isinstance(part, ast.ClassDef) for node in part.body]
        for node in [*tree.body, *methods]:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and place.parts[0] != "faults":
                key = (place.parts[0], f"{place.name}:{node.name}")
                found[key] = found.get(key, "") + str(ast.get_source_segment(text, node))
    return found


@pytest.mark.parametrize("knob", [field.name for field in fields(Knobs)])
def test_each_knob_is_read_at_one_place(knob: str) -> None:
    found = [key for key, text in functions().items() if re.search(rf"knobs\.{knob}\b", text)]
    assert found
    if len(found) > 1:  # or once by each of the versions
        assert sorted(place for place, _ in found) == ["v16", "v2x"], found


def test_a_knob_that_nobody_turns_is_none() -> None:
    turned = {knob for one in DEVIATIONS.values() for knob in one.changes}
    assert turned == {field.name for field in fields(Knobs)}
    for name, one in DEVIATIONS.items():
        assert knobs_of(name) != Knobs() or one.bench


def test_the_page_is_what_the_command_prints(tmp_path: Path) -> None:
    run = cli("twin", "faults", "--markdown", state=tmp_path)
    assert run.code == 0, run.err
    assert PAGE.read_text("utf-8") == page(run.out), "write it anew: python tests/support/fault_page.py"


def test_the_command_lists_everything(tmp_path: Path) -> None:
    told = cli("twin", "faults", "--json", state=tmp_path).document
    minutes = {row["name"] for row in told["station"] if row["long"]}
    assert minutes == {name for name, one in DEVIATIONS.items() if one.long}
    rows = {row["name"]: row for row in told["station"]}
    assert set(rows) == set(DEVIATIONS)
    assert rows["late-open"]["trips"]["2.1"] == ["stop.open"]
    assert rows["soft-start"]["kind"] == "oddity"
    assert {"cp-diode-short", "mains-cut"} <= {row["name"] for row in told["physical"]}
    lines = cli("twin", "faults", state=tmp_path).out.splitlines()
    assert any(line.split()[:3] == ["late-open", "local_stop", "stop.open"] for line in lines)
    assert sum(line.endswith(" (takes minutes)") for line in lines) == len(minutes)
