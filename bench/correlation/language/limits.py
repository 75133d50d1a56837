"""Named limits: versioned data with clause, source, and whether anybody checked it against the text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from ....errors import RuleError
from ...timeline import UNITS
from .place import nearest, place, read_toml

__all__ = ["Limit", "load_limits"]


class Limit(msgspec.Struct, frozen=True):
    """One limit. `base` is the value in the base unit of its dimension (ns, A, V, W, Wh, ohm, percent).

    `verified` is False when the value was not checked against the text of the standard that it is ascribed to.
    """

    name: str
    value: float
    unit: str
    clause: str
    source: str
    verified: bool
    note: str = ""

    @property
    def dimension(self) -> str:
        return dimension_of(self.unit) or ""

    @property
    def base(self) -> float:
        return self.value * UNITS[self.dimension][self.unit]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: float
    unit: str
    clause: str
    source: str
    verified: bool
    note: str = ""


SCHEMA = 1
_HEAD = ("schema", "title", "limit")


def dimension_of(unit: str) -> str | None:
    """The dimension a unit belongs to, None for no unit."""
    return next((name for name, units in UNITS.items() if unit in units), None)


def load_limits(paths: Sequence[Path]) -> dict[str, Limit]:
    """Read limits files; a later file may not redefine a name.

    Raises:
        RuleError: a file cannot be read, or an entry is not right; names file and limit.
    """
    limits: dict[str, Limit] = {}
    for path in paths:
        text, entries = _read(path)
        for name, entry in entries.items():
            full = f"limit.{name}"
            if full in limits:
                raise RuleError(f"{full} is defined a second time", pack=place(path, text, ("limit", name)))
            limits[full] = _limit(path, text, full, entry)
    return limits


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    text, content = read_toml(path, "limits file", _HEAD, SCHEMA)
    entries = content.get("limit", {})
    if not isinstance(entries, dict):
        raise RuleError("limits are written as [limit.NAME]", pack=str(path))
    return text, cast("dict[str, Any]", entries)


def _limit(path: Path, text: str, name: str, entry: Any) -> Limit:
    where = ("limit", name.removeprefix("limit."))
    try:
        read = msgspec.convert(entry, _Entry)
    except msgspec.ValidationError as error:
        raise RuleError(
            f"{name}: {error}; an entry has {', '.join(_Entry.__struct_fields__)}", pack=place(path, text, where)
        ) from error
    if dimension_of(read.unit) is None:
        units = [unit for group in UNITS.values() for unit in group]
        what = f"{name}: unknown unit {read.unit!r}{nearest(read.unit, units)}"
        raise RuleError(what, pack=place(path, text, (*where, "unit")))
    return Limit(name, read.value, read.unit, read.clause, read.source, read.verified, read.note)
