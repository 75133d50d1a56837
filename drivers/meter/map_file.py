"""Reads register maps, `hw-configs/meters/NAME.toml`; everything is checked when the file is read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

from ...bench.timeline import UNITS, did_you_mean, key_line, syntax_line
from ...errors import ConfigError
from .maps import QUANTITIES, TYPES, Quantity, RegisterMap

__all__ = ["load_map", "parse_map"]

REQUIRED = ("voltage_v", "current_a", "power_w", "energy_wh")

_DIMENSIONS: Mapping[str, Mapping[str, float]] = {**UNITS, "frequency": {"Hz": 1}}

_TOP = {"schema", "model", "function", "word_order", "max_registers", "energy_resolution_wh", "registers", "probe"}
_REGISTER = {"address", "type", "unit", "scale", "function", "word_order", "nan"}


def load_map(path: Path) -> RegisterMap:
    """Read a map.

    Raises:
        ConfigError: no such file, or something in it is wrong; names the line and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        others = sorted(other.stem for other in path.parent.glob("*.toml"))
        hint = did_you_mean(path.stem, others, 0.4)
        raise ConfigError(
            f"cannot read this register map: {error.strerror}{hint}. There are: {', '.join(others) or 'none'}.",
            file=str(path),
        ) from error
    return parse_map(text, str(path))


def parse_map(text: str, file: str = "register map") -> RegisterMap:
    """Read a map from TOML text; `file` names it in errors. Raises as `load_map`."""
    return _Parser(text, file).map()


class _Parser:
    """Turns TOML text into a `RegisterMap`; knows the line of every key."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def _fail(self, message: str, table: str = "", key: str = "") -> ConfigError:
        loc = [part for part in (*table.split("."), key) if part]
        return ConfigError(message, file=self._file, line=key_line(self._text, loc) or 1)

    def map(self) -> RegisterMap:
        try:
            top = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"is no TOML: {error}.", file=self._file, line=syntax_line(error, self._text)) from error
        self._known(top, _TOP, "")
        if top.get("schema") != 1:
            raise self._fail("'schema' must be 1, the version of this format.", "", "schema")
        model = top.get("model")
        if not isinstance(model, str) or not model:
            raise self._fail("'model' must say which meter this is.", "", "model")
        limit = self._whole(top, "max_registers", "", 125, 1, 125)
        quantities = self._quantities(top)
        for quantity in quantities.values():
            if quantity.width > limit:
                raise self._fail(f"{quantity.name} is wider than 'max_registers'.", "", "max_registers")
        return RegisterMap(model, quantities, limit, self._resolution(top), self._probe(top, quantities))

    def _known(self, table: Mapping[str, Any], allowed: set[str], where: str) -> None:
        for key in table:
            if key not in allowed:
                hint = did_you_mean(key, allowed)
                raise self._fail(f"unknown key {key!r}{hint}. Known: {', '.join(sorted(allowed))}.", where, key)

    def _table(self, top: Mapping[str, Any], key: str) -> dict[str, Any]:
        table = top.get(key)
        if not isinstance(table, dict) or not table:
            raise self._fail(f"the table [{key}] is missing.", "", key)
        return cast(dict[str, Any], table)

    def _whole(
        self, table: Mapping[str, Any], key: str, where: str, default: int | None, lowest: int, highest: int
    ) -> int:
        value = table.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise self._fail(f"{key!r} must be a whole number from {lowest} to {highest}.", where, key)
        return value

    def _choice(self, table: Mapping[str, Any], key: str, where: str, default: object, allowed: Sequence[Any]) -> Any:
        value = table.get(key, default)
        if value not in allowed:
            raise self._fail(f"{key!r} must be one of {', '.join(map(repr, allowed))}, not {value!r}.", where, key)
        return value

    def _quantities(self, top: Mapping[str, Any]) -> dict[str, Quantity]:
        registers = self._table(top, "registers")
        self._known(registers, set(QUANTITIES), "registers")
        for name in REQUIRED:
            if name not in registers:
                raise self._fail(f"[registers.{name}] is missing: every meter must have it.", "", "registers")
        return {name: self._quantity(name, entry, top) for name, entry in registers.items()}

    def _quantity(self, name: str, entry: Any, top: Mapping[str, Any]) -> Quantity:
        where = f"registers.{name}"
        if not isinstance(entry, dict):
            raise self._fail(f"[{where}] must be a table.", "registers", name)
        table = cast(dict[str, Any], entry)
        self._known(table, _REGISTER, where)
        kind = self._choice(table, "type", where, None, tuple(TYPES))
        function = self._choice(table, "function", where, top.get("function"), (3, 4))
        order = self._choice(table, "word_order", where, top.get("word_order", "big"), ("big", "little"))
        addresses = table.get("address")
        if not isinstance(addresses, list) or not 1 <= len(cast(list[Any], addresses)) <= 3:
            raise self._fail("'address' must be a list of one address, or of one for each phase.", where, "address")
        whole = cast(list[Any], addresses)
        if not all(isinstance(a, int) and not isinstance(a, bool) and 0 <= a <= 0xFFFF for a in whole):
            raise self._fail("an address is a whole number from 0 to 0xFFFF, counted from 0.", where, "address")
        units = _DIMENSIONS[QUANTITIES[name]]
        unit = self._choice(table, "unit", where, None, tuple(units))
        scale = self._decimal(table, "scale", where, "1")
        nan = table.get("nan")
        if nan is not None and not (isinstance(nan, int) and 0 <= nan < 1 << 16 * TYPES[kind][0]):
            raise self._fail(f"'nan' must be a whole number that fits in {kind}.", where, "nan")
        factor = scale * Decimal(str(units[unit]))
        return Quantity(name, function, tuple(whole), kind, order, factor.normalize(), nan)

    def _decimal(self, table: Mapping[str, Any], key: str, where: str, default: str | None) -> Decimal:
        value = table.get(key, default)
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal(0)
        if isinstance(value, bool) or not number.is_finite() or number == 0:
            raise self._fail(f'{key!r} must be a number other than 0, such as "0.1".', where, key)
        return number

    def _resolution(self, top: Mapping[str, Any]) -> Decimal:
        step = self._decimal(top, "energy_resolution_wh", "", None)
        if step < 0:
            raise self._fail("'energy_resolution_wh' must be above 0.", "", "energy_resolution_wh")
        return step

    def _probe(self, top: Mapping[str, Any], quantities: Mapping[str, Quantity]) -> dict[str, tuple[float, float]]:
        probe = self._table(top, "probe")
        self._known(probe, set(quantities), "probe")
        ranges: dict[str, tuple[float, float]] = {}
        for name, given in probe.items():
            ends = cast(list[Any], given) if isinstance(given, list) else []
            if len(ends) != 2 or not all(isinstance(end, (int, float)) for end in ends) or not ends[0] < ends[1]:
                raise self._fail(f"{name!r} must be a range [lowest, highest].", "probe", name)
            ranges[name] = (float(ends[0]), float(ends[1]))
        return ranges
