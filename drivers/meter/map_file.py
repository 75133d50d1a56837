"""Reads register maps, `hw-configs/meters/NAME.toml`; everything is checked when the file is read."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from ...bench.timeline import UNITS, did_you_mean
from ...errors import ConfigError
from .maps import QUANTITIES, TYPES, Identity, Quantity, RegisterMap
from .sunspec import SunSpecMap
from .toml_text import TomlText
from .wire import Link

__all__ = ["load_map", "parse_map"]

REQUIRED = ("power_w", "energy_wh")

_DIMENSIONS: Mapping[str, Mapping[str, float]] = {**UNITS, "frequency": {"Hz": 1}}

_MAP = {"function", "word_order", "max_registers", "energy_resolution_wh", "readable", "registers", "probe"}
_TOP = _MAP | {"schema", "model", "link", "identity", "sunspec"}
_REGISTER = {"address", "type", "unit", "scale", "scale_address", "function", "word_order", "nan"}
_IDENTITY = {"function", "address", "count", "one_of", "starts_with", "text_at", "optional"}
_LINK = {"unit", "baud", "parity", "stop_bits"}


def load_map(path: Path) -> RegisterMap | SunSpecMap:
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


def parse_map(text: str, file: str = "register map") -> RegisterMap | SunSpecMap:
    """Read a map from TOML text; `file` names it in errors. Raises as `load_map`."""
    toml = TomlText(text, file)
    top = toml.load()
    toml.known(top, _TOP, "")
    if top.get("schema") != 1:
        raise toml.fail("'schema' must be 1, the version of this format.", "", "schema")
    model = toml.text(top, "model", "", "say which meter this is")
    parser = _Parser(toml, model, top)
    return parser.sunspec() if "sunspec" in top else parser.map(top, "")


class _Parser:
    """Turns the tables of one file into a map."""

    def __init__(self, toml: TomlText, model: str, top: Mapping[str, Any]) -> None:
        self._toml = toml
        self._model = model
        self._top = top
        table = toml.maybe_table(top, "link")
        toml.known(table, _LINK, "link")
        self._unit = toml.whole(table, "unit", "link", 1, 1, 247)
        self._link = Link(
            toml.whole(table, "baud", "link", 9600, 300, 4_000_000),
            toml.choice(table, "parity", "link", "N", ("N", "E", "O")),
            toml.whole(table, "stop_bits", "link", 1, 1, 2),
        )

    def map(self, table: Mapping[str, Any], where: str) -> RegisterMap:
        """The map in a table: the file's top, or that of one SunSpec model."""
        toml = self._toml
        limit = toml.whole(table, "max_registers", where, 125, 1, 125)
        quantities = self._quantities(table, where)
        for quantity in quantities.values():
            if quantity.width > limit:
                raise toml.fail(f"{quantity.name} is wider than 'max_registers'.", where, "max_registers")
        return RegisterMap(
            model=self._model,
            quantities=quantities,
            max_registers=limit,
            energy_resolution_wh=self._resolution(table, where),
            probe=self._probe(table, where, quantities),
            readable=self._readable(table, where),
            identity=self._identity(table, where),
            link=self._link,
            unit=self._unit,
        )

    def sunspec(self) -> SunSpecMap:
        """The models of a SunSpec device, each a map whose addresses count from the model's first register."""
        toml = self._toml
        table = toml.table(self._top, "sunspec")
        toml.known(table, {"markers", "models"}, "sunspec")
        markers = toml.items(table, "markers", "sunspec", int, "a list of addresses")
        models: dict[int, RegisterMap] = {}
        given = toml.table(table, "models", "sunspec")
        for name, entry in given.items():
            where = f"sunspec.models.{name}"
            if not name.isdigit() or not isinstance(entry, dict):
                raise toml.fail("a model is a table named by its number, such as [sunspec.models.203].", where)
            model = cast(dict[str, Any], entry)
            toml.known(model, _MAP, where)
            models[int(name)] = self.map(model, where)
        return SunSpecMap(self._model, tuple(markers), models, self._link, self._unit)

    def _quantities(self, table: Mapping[str, Any], where: str) -> dict[str, Quantity]:
        registers = self._toml.table(table, "registers", where)
        inner = _join(where, "registers")
        self._toml.known(registers, set(QUANTITIES), inner)
        for name in REQUIRED:
            if name not in registers:
                raise self._toml.fail(f"[{inner}.{name}] is missing: every meter must have it.", where, "registers")
        return {name: self._quantity(name, entry, table, inner) for name, entry in registers.items()}

    def _quantity(self, name: str, entry: Any, above: Mapping[str, Any], inner: str) -> Quantity:
        toml, where = self._toml, f"{inner}.{name}"
        if not isinstance(entry, dict):
            raise toml.fail(f"[{where}] must be a table.", inner, name)
        table = cast(dict[str, Any], entry)
        toml.known(table, _REGISTER, where)
        kind = toml.choice(table, "type", where, None, tuple(TYPES))
        function = toml.choice(table, "function", where, above.get("function"), (3, 4))
        order = toml.choice(table, "word_order", where, above.get("word_order", "big"), ("big", "little"))
        addresses = toml.items(table, "address", where, int, "a list of one address, or of one for each phase")
        if not 1 <= len(addresses) <= 3:
            raise toml.fail("'address' must be a list of one address, or of one for each phase.", where, "address")
        if not all(0 <= address <= 0xFFFF for address in addresses):
            raise toml.fail("an address is a whole number from 0 to 0xFFFF, counted from 0.", where, "address")
        units = _DIMENSIONS[QUANTITIES[name]]
        unit = toml.choice(table, "unit", where, None, tuple(units))
        scale = toml.decimal(table, "scale", where, "1")
        nan = self._pattern(table.get("nan"), kind, where)
        at = toml.whole(table, "scale_address", where, 0, 0, 0xFFFF) if "scale_address" in table else None
        factor = (scale * Decimal(str(units[unit]))).normalize()
        return Quantity(name, function, tuple(addresses), kind, order, factor, nan, at)

    def _pattern(self, given: Any, kind: str, where: str) -> int | None:
        """A whole number, or its digits as text where TOML's own numbers are too short (0xFFFFFFFFFFFFFFFF)."""
        if given is None:
            return None
        try:
            pattern = int(given, 0) if isinstance(given, str) else given
        except ValueError:
            pattern = -1
        if not isinstance(pattern, int) or not 0 <= pattern < 1 << 16 * TYPES[kind][0]:
            raise self._toml.fail(f"'nan' must be a whole number that fits in {kind}.", where, "nan")
        return pattern

    def _resolution(self, table: Mapping[str, Any], where: str) -> Decimal:
        step = self._toml.decimal(table, "energy_resolution_wh", where, None)
        if step < 0:
            raise self._toml.fail("'energy_resolution_wh' must be above 0.", where, "energy_resolution_wh")
        return step

    def _probe(
        self, table: Mapping[str, Any], where: str, quantities: Mapping[str, Quantity]
    ) -> dict[str, tuple[float, float]]:
        probe = self._toml.table(table, "probe", where)
        inner = _join(where, "probe")
        self._toml.known(probe, set(quantities), inner)
        return {name: self._range(probe, name, inner) for name in probe}

    def _range(self, table: Mapping[str, Any], name: str, where: str) -> tuple[float, float]:
        given = table[name]
        ends = cast(list[Any], given) if isinstance(given, list) else []
        if len(ends) != 2 or not all(isinstance(end, (int, float)) for end in ends) or not ends[0] < ends[1]:
            raise self._toml.fail(f"{name!r} must be a range [lowest, highest].", where, name)
        return float(ends[0]), float(ends[1])

    def _readable(self, table: Mapping[str, Any], where: str) -> tuple[tuple[int, int, int], ...]:
        function = table.get("function")
        spans: list[tuple[int, int, int]] = []
        for span in self._toml.items(table, "readable", where, list, "a list of [first, last] addresses"):
            ends = cast(list[Any], span)
            good = len(ends) == 2 and all(isinstance(end, int) for end in ends)
            if not good or not 0 <= ends[0] <= ends[1] <= 0xFFFF or function not in (3, 4):
                raise self._toml.fail(
                    "'readable' must be a list of [first, last] addresses, beside a 'function'.", where, "readable"
                )
            spans.append((function, ends[0], ends[1] + 1))
        return tuple(spans)

    def _identity(self, table: Mapping[str, Any], where: str) -> Identity | None:
        if "identity" not in table:
            return None
        toml, inner = self._toml, _join(where, "identity")
        given = toml.table(table, "identity", where)
        toml.known(given, _IDENTITY, inner)
        numbers = toml.items(given, "one_of", inner, int, "a list of numbers")
        texts = toml.items(given, "starts_with", inner, str, "a list of texts")
        if not numbers and not texts:
            raise toml.fail("[identity] needs 'one_of' or 'starts_with'.", where, "identity")
        return Identity(
            function=toml.choice(given, "function", inner, table.get("function"), (3, 4)),
            address=toml.whole(given, "address", inner, None, 0, 0xFFFF),
            count=toml.whole(given, "count", inner, 1, 1, 125),
            one_of=tuple(numbers),
            starts_with=tuple(texts),
            text_at=toml.whole(given, "text_at", inner, 0, 0, 124),
            optional=bool(toml.choice(given, "optional", inner, False, (False, True))),
        )


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
