"""The JSON Schema of bench files: it is the shipped one, takes every shipped bench, and refuses mistakes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pilotbench.bench.config import HW_CONFIGS
from pilotbench.bench.upkeep.schema import bench_schema

BENCHES = sorted(HW_CONFIGS.glob("*.toml"))


def document(path: Path) -> dict[str, Any]:
    return json.loads(json.dumps(tomllib.loads(path.read_text(encoding="utf-8")), default=str))


@pytest.fixture(scope="module")
def schema() -> Any:
    return jsonschema_rs.validator_for(bench_schema())


def test_the_shipped_schema_is_the_present_one() -> None:
    shipped = json.loads((HW_CONFIGS / "bench.schema.json").read_text(encoding="utf-8"))
    assert shipped == bench_schema(), "write it anew: pilotbench schema > hw-configs/bench.schema.json"


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_every_shipped_bench_fits(schema: Any, path: Path) -> None:
    assert [error.message for error in schema.iter_errors(document(path))] == []


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        (("device", "meter"), "acuracy", "1 %"),
        (("device", "meter"), "accuracy", 1),
        (("device", "pilot"), "evse", 0),
        (("device", "pilot"), "watchdog", 2),
        (("station",), "ocpp", "1.5"),
        (("envelope",), "faults", ["diod"]),
        ((), "stations", {}),
    ],
)
def test_a_mistake_is_seen_by_an_editor(schema: Any, table: tuple[str, ...], key: str, value: Any) -> None:
    bench = document(HW_CONFIGS / "virtual.toml")
    node: Any = bench
    for part in table:
        node = node[part]
    node[key] = value
    assert not schema.is_valid(bench)


def test_a_driver_of_another_package_may_have_any_key(schema: Any) -> None:
    bench = document(HW_CONFIGS / "virtual.toml")
    bench["device"]["oven"] = {"driver": "acme.oven", "port": "/dev/ttyUSB9", "setpoint": "60 degC"}
    assert schema.is_valid(bench)
    del bench["device"]["oven"]["port"]
    assert not schema.is_valid(bench)
