"""Writes the tables of docs/bench-file.md: `python tests/support/bench_page.py`; a test holds them up to date."""

from __future__ import annotations

import re
import sys
from datetime import date
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pilotbench.bench import quantities, sections
from pilotbench.bench.config import BenchFile
from pilotbench.bench.devices import SECTIONS, Calibrated, DeviceSection
from pydantic import BaseModel
from pydantic.fields import FieldInfo

PAGE = Path(__file__).resolve().parents[2] / "docs" / "bench-file.md"
TABLES = re.compile(r"(<!-- keys: (?P<name>[\w.-]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

TOP: dict[str, type[BaseModel]] = {
    name: field.annotation if isinstance(field.annotation, type) else get_args(field.annotation)[0]
    for name, field in BenchFile.model_fields.items()
    if name in ("station", "csms", "envelope", "safe", "rules", "twin")
}
"""Table of a bench file -> its model."""

UNITS: list[tuple[Any, str, str]] = [
    (quantities.Seconds, "time", "s"),
    (quantities.Milliseconds, "time", "ms"),
    (quantities.Amps, "current", "A"),
    (quantities.Volts, "voltage", "V"),
    (quantities.WattHours, "energy", "Wh"),
    (quantities.Share, "share", "%"),
    (sections.Celsius, "temperature", "degC"),
    (quantities.Delay, '`"least..most ms"` or `"none"`', ""),
]
"""A quantity, what it is of, and the unit in which its default and its bounds are counted."""


def models() -> dict[str, type[BaseModel]]:
    """Everything that has a table on the page, by the name after `keys:`."""
    return {**TOP, "device": DeviceSection, **SECTIONS}


def keys_of(name: str) -> dict[str, FieldInfo]:
    """The keys of one table; for a driver without those that every device has."""
    model = models()[name]
    every = DeviceSection.model_fields if name in SECTIONS else {}
    found = {
        field.alias or key: field
        for key, field in model.model_fields.items()
        if key not in every and key != "driver" and not field.exclude
    }
    return dict(sorted(found.items(), key=lambda item: item[0] in Calibrated.model_fields))


def table(name: str) -> str:
    """The table of one section or driver, in Markdown."""
    hints = get_type_hints(models()[name], include_extras=True)
    rows = ["| key | value | if left out | |", "|---|---|---|---|"]
    for key, field in keys_of(name).items():
        hint = hints[key]
        rows.append(f"| `{key}` | {_value(hint, field)} | {default(hint, field)} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def _plain(hint: Any) -> Any:
    """Without None, and without what `Field` added."""
    if get_origin(hint) in (Union, UnionType):
        kept = [part for part in get_args(hint) if part is not NoneType]
        return kept[0] if len(kept) == 1 else Union[tuple(kept)]  # noqa: UP007 - made at run time
    return hint


def unit_of(hint: Any) -> tuple[str, str] | None:
    """What a quantity is of and its unit; None for anything else."""
    for form in (hint, _plain(hint)):
        for known, of, unit in UNITS:
            if form == known:
                return of, unit
    return None


def _value(hint: Any, field: FieldInfo) -> str:
    found = unit_of(hint)
    if found is not None:
        of, unit = found
        return of + _bounds(field, f" {unit}")
    return _kind(_plain(hint)) + _bounds(field, "")


def _kind(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f'`"{arg}"`' if isinstance(arg, str) else f"`{_toml(arg)}`" for arg in args)
    if origin is list:
        return f"list of {_kind(args[0])}"
    if origin in (Union, UnionType):
        return " or ".join(_kind(arg) for arg in args if arg is not NoneType)
    if hint is NoneType:
        return "–"
    names = {str: "text", int: "integer", float: "number", bool: "`true`, `false`", date: "date"}
    return names.get(hint, "table")


def _bounds(field: FieldInfo, unit: str) -> str:
    found = {
        sign: getattr(rule, name)
        for rule in field.metadata
        for name, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if hasattr(rule, name)
    }
    return "".join(
        f", {sign} {value if isinstance(value, int) else f'{value:g}'}{unit}" for sign, value in found.items()
    )


def default(hint: Any, field: FieldInfo) -> str:
    """The default as it would be written; empty for a key that must be there."""
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    found = unit_of(hint)
    if value is None:
        return '`"none"`' if found is not None and "none" in found[0] else "–"
    if found is None:
        return f"`{_toml(value)}`" if value not in ("", [], {}) else "–"
    if isinstance(value, tuple):
        return f'`"{value[0]:g}..{value[1]:g} ms"`'
    return f'`"{value:g} {found[1]}"`'


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def page(text: str) -> str:
    """The page with its tables made anew."""
    return TABLES.sub(lambda found: found[1] + table(found["name"]) + found[4], text)


def main() -> int:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
