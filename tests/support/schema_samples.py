"""Payloads made from the schema files of the `ocpp` package: valid ones, and one for each constraint that is broken.

Written from the schema files alone (drafts 04 and 06, as far as OCPP uses them) and from the tables of error
codes in the specifications, with nothing of the code under test.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
MANY = 2
"""Items of an array in a maximal payload that may have more; the whole number is in a payload of its own."""
LONG = 300
"""Characters of a string that has no limit."""

OCCURRENCE, FORMAT, PROPERTY, TYPE = "occurrence", "format", "property", "type"

CLASS_OF = {
    "required": OCCURRENCE,
    "minItems": OCCURRENCE,
    "maxItems": OCCURRENCE,
    "type": TYPE,
    "additionalProperties": FORMAT,
    "enum": PROPERTY,
    "maxLength": PROPERTY,
    "format": PROPERTY,
    "multipleOf": PROPERTY,
    "minimum": PROPERTY,
    "maximum": PROPERTY,
}
"""What the tables of error codes (OCPP-J 1.6 table 7; part 4 of 2.0.1 and 2.1, section 4.3) make of a constraint.

Occurrence: how often a member stands there (its cardinality in the tables of part 2), so a missing member too.
Type: another data type ("somestring": 12). Property: the type is right, the value is not allowed. Format: the payload
is not built as the action wants it, which is all that is left for a member that the action does not have.
"""

CODES = {
    "1.6": {
        OCCURRENCE: "OccurenceConstraintViolation",
        FORMAT: "FormationViolation",
        PROPERTY: "PropertyConstraintViolation",
        TYPE: "TypeConstraintViolation",
    },
    "2.0.1": {
        OCCURRENCE: "OccurrenceConstraintViolation",
        FORMAT: "FormatViolation",
        PROPERTY: "PropertyConstraintViolation",
        TYPE: "TypeConstraintViolation",
    },
}
CODES["2.1"] = CODES["2.0.1"]

BLOCKING = frozenset({"required", "type", "minItems"})
"""After these a lenient receiver lacks something it needs: missing, or of another type."""

_WRONG_TYPE: dict[str, list[Any]] = {
    "string": [5, None],
    "integer": ["1"],
    "number": ["1.0", True],
    "boolean": ["true", 0],
    "array": [{}, "x"],
    "object": [[], "x"],
}
_UNFIT = {"date-time": ["yesterday", "2026-11-21T10:00:00", "2026-13-21T10:00:00Z"], "uri": ["no uri at all"]}


@dataclass(frozen=True)
class Broken:
    """A payload in which one constraint is broken: which keyword, and where in the schema file."""

    keyword: str
    place: str
    payload: Any

    @property
    def blocking(self) -> bool:
        return self.keyword in BLOCKING

    def code(self, version: str) -> str:
        """The error code that the version has for it."""
        return CODES[version][CLASS_OF[self.keyword]]


class Sampler:
    """Payloads for one schema file."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def minimal(self) -> Any:
        """Required members only, everything as short and small as it may be."""
        return self._minimal(self._schema)

    def maximal(self) -> Any:
        """All members, strings of full length, the greatest numbers, the last words of enumerations."""
        return self._maximal(self._schema)

    def filled(self) -> Iterator[tuple[str, Any]]:
        """A payload for each array that may hold more than `MANY`, filled to its limit, the rest minimal."""
        for place, keyword, payload in self._walk(self._schema, "#", set()):
            if keyword == "filled":
                yield place, payload

    def broken(self) -> Iterator[Broken]:
        """A payload for each constraint in the file, broken alone; the rest is minimal."""
        for place, keyword, payload in self._walk(self._schema, "#", set()):
            if keyword != "filled":
                yield Broken(keyword, place, payload)

    def _resolve(self, node: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
        while "$ref" in node:
            place = node["$ref"]
            target: Any = self._schema
            for part in place.removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node, place

    def _minimal(self, node: dict[str, Any]) -> Any:
        node, _ = self._resolve(node, "")
        if "enum" in node:
            return node["enum"][0]
        kind = node.get("type")
        if kind is None:
            return None
        if kind == "object":
            return {name: self._minimal(node["properties"][name]) for name in node.get("required", [])}
        if kind == "array":
            return [self._minimal(node["items"]) for _ in range(node.get("minItems", 0))]
        if kind == "string":
            return {None: "", "date-time": "2026-11-21T10:00:00Z", "uri": "a:"}[node.get("format")]
        if kind == "boolean":
            return False
        return int(node.get("minimum", 0))

    def _maximal(self, node: dict[str, Any]) -> Any:
        node, _ = self._resolve(node, "")
        if "enum" in node:
            return node["enum"][-1]
        kind = node.get("type")
        if kind is None:
            return {"any": [{"thing": None}, 1.5, "at all"]}
        if kind == "object":
            whole = {name: self._maximal(below) for name, below in node.get("properties", {}).items()}
            # What a schema leaves open (customData of 2.x) may hold anything.
            return whole if node.get("additionalProperties") is False else {**whole, "anything": [{"else": None}, 1.5]}
        if kind == "array":
            return [self._maximal(node["items"])] * min(node.get("maxItems", MANY), max(MANY, node.get("minItems", 0)))
        if kind == "string":
            length = node.get("maxLength", LONG)
            if node.get("format") == "date-time":
                return "2026-11-21T11:30:00.123456+01:30"
            return ("http://host/" + "u" * length)[:length] if node.get("format") == "uri" else "ä" + "x" * (length - 1)
        if kind == "boolean":
            return True
        if kind == "integer":
            return int(node.get("maximum", 2**31 - 1))
        return node.get("maximum", 999999.9)

    def _walk(self, node: dict[str, Any], place: str, seen: set[str]) -> Iterator[tuple[str, str, Any]]:
        """Each constraint below a node once, however often its definition is used: place, keyword, value."""
        node, place = self._resolve(node, place)
        if place in seen:
            return
        seen.add(place)
        kind = node.get("type", "any")
        for wrong in _WRONG_TYPE.get(kind, []):
            yield place, "type", wrong
        if kind == "integer":
            yield place, "type", node.get("minimum", 0) + 0.5
        if "enum" in node:
            yield place, "enum", "NoSuchWord"
            yield place, "enum", node["enum"][0].swapcase()
        if "maxLength" in node:
            uri = node.get("format") == "uri"
            yield place, "maxLength", ("http://host/" if uri else "").ljust(node["maxLength"] + 1, "x")
        for unfit in _UNFIT.get(node.get("format", ""), ()):
            yield place, "format", unfit
        if "minimum" in node:
            yield place, "minimum", node["minimum"] - 1
        if "maximum" in node:
            yield place, "maximum", node["maximum"] + 1
        if "multipleOf" in node:
            yield place, "multipleOf", node["multipleOf"] * 1.5
        if kind == "object":
            yield from self._walk_object(node, place, seen)
        if kind == "array":
            yield from self._walk_array(node, place, seen)

    def _walk_object(self, node: dict[str, Any], place: str, seen: set[str]) -> Iterator[tuple[str, str, Any]]:
        whole = self._minimal(node)
        for name in node.get("required", []):
            yield f"{place}/{name}", "required", {key: value for key, value in whole.items() if key != name}
        if node.get("additionalProperties") is False:
            yield place, "additionalProperties", {**whole, "noSuchMember": 1}
        for name, below in node.get("properties", {}).items():
            for at, keyword, value in self._walk(below, f"{place}/{name}", seen):
                yield at, keyword, {**whole, name: value}

    def _walk_array(self, node: dict[str, Any], place: str, seen: set[str]) -> Iterator[tuple[str, str, Any]]:
        least, most = node.get("minItems", 0), node.get("maxItems")
        item = self._minimal(node["items"])
        if least:
            yield place, "minItems", [item] * (least - 1)
        if most is not None:
            yield place, "maxItems", [item] * (most + 1)
        if most is not None and most > MANY:
            yield place, "filled", [item] * most
        for at, keyword, value in self._walk(node["items"], f"{place}/items", seen):
            yield at, keyword, [value] + [item] * (least - 1)


@functools.cache
def schema_folder(version: str) -> Path:
    """Where the schema files of a version are."""
    spec = importlib.util.find_spec("ocpp")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / FOLDERS[version] / "schemas"


@functools.cache
def files(version: str) -> dict[tuple[str, str], Path]:
    """Every schema file of a version, by action and side (`request`, `response`)."""
    found: dict[tuple[str, str], Path] = {}
    for path in sorted(schema_folder(version).glob("*.json")):
        if path.stem.endswith("Response"):
            found[path.stem.removesuffix("Response"), "response"] = path
        else:
            found[path.stem.removesuffix("Request"), "request"] = path
    return found


@functools.cache
def sampler(version: str, action: str, side: str) -> Sampler:
    """The sampler of one schema file."""
    return Sampler(json.loads(files(version)[action, side].read_text(encoding="utf-8-sig")))
