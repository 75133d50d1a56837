"""The bench file's JSON Schema, for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any, cast

from ..config import BenchFile
from ..devices import SECTIONS, OtherDevice

__all__ = ["bench_schema"]

TITLE = "pilotbench bench file"
BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def bench_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a bench file, with a table for each built-in driver."""
    schema = BenchFile.model_json_schema(by_alias=True)
    devices: list[dict[str, Any]] = []
    shared = cast("dict[str, Any]", schema.setdefault("$defs", {}))
    for driver, section in SECTIONS.items():
        own = section.model_json_schema(by_alias=True)
        shared.update(own.pop("$defs", {}))
        shared[_name(driver)] = own
        devices.append({"if": _driver(driver), "then": {"$ref": f"#/$defs/{_name(driver)}"}})
    other = OtherDevice.model_json_schema(by_alias=True)
    schema["properties"]["device"]["additionalProperties"] = {
        "type": "object",
        "properties": {"driver": {"type": "string", "examples": list(SECTIONS)}},
        "required": other["required"],
        "allOf": devices,
    }
    for hidden in ("path", "text", "calibrations"):
        schema["properties"].pop(hidden, None)
    _tidy(schema)
    schema |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": TITLE}
    return schema


def _driver(name: str) -> dict[str, Any]:
    return {"properties": {"driver": {"const": name}}, "required": ["driver"]}


def _tidy(node: Any) -> None:
    """A quantity is a text with a unit here: bounds and defaults of its number say nothing about that text."""
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            _tidy(item)
    if not isinstance(node, dict):
        return
    table = cast("dict[str, Any]", node)
    texts = {"type": "string"} in (table, *table.get("anyOf", ())) or table.get("type") == "string"
    if texts:
        for bound in BOUNDS:
            table.pop(bound, None)
        if not isinstance(table.get("default", ""), str):
            table.pop("default")
    table.pop("title", None) if isinstance(table.get("title"), str) else None
    for value in table.values():
        _tidy(value)


def _name(driver: str) -> str:
    return f"device-{driver}"
