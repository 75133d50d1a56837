"""Register maps of energy meters: `hw-configs/meters/NAME.toml`.

A map says where a meter keeps voltage, current, power, energy and frequency, and in which form; the
driver knows no meter. Everything is checked when the map is read.
"""

from __future__ import annotations

import difflib
import math
import re
import struct
import tomllib
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, cast

import msgspec

from ...bench.timeline import UNITS
from ...errors import ConfigError

__all__ = ["QUANTITIES", "Block", "Likeness", "Quantity", "RegisterMap", "load_map"]

QUANTITIES = {
    "voltage_v": "voltage",
    "current_a": "current",
    "power_w": "power",
    "energy_wh": "energy",
    "frequency_hz": "frequency",
}
"""Quantity -> dimension; its value is in the unit that ends its name."""

REQUIRED = ("voltage_v", "current_a", "power_w", "energy_wh")

_DIMENSIONS: Mapping[str, Mapping[str, float]] = {**UNITS, "frequency": {"Hz": 1}}

_TYPES = {
    "i16": (1, ">h"),
    "u16": (1, ">H"),
    "i32": (2, ">i"),
    "u32": (2, ">I"),
    "i64": (4, ">q"),
    "u64": (4, ">Q"),
    "f32": (2, ">f"),
    "f64": (4, ">d"),
}
"""Type -> registers, and `struct` format of the bytes in big-endian word order."""

_TOP = {"schema", "model", "function", "word_order", "max_registers", "energy_resolution_wh", "registers", "probe"}
_REGISTER = {"address", "type", "unit", "scale", "function", "word_order", "nan"}


class Likeness(Enum):
    """What one poll says about the meter: PROVEN by a probe, DEAD wire (nothing to judge by), or FOREIGN."""

    PROVEN = "proven"
    DEAD = "dead"
    FOREIGN = "foreign"


class Quantity(msgspec.Struct, frozen=True):
    """Where one quantity stands: an address for each phase, or one for the whole.

    Value = raw number x `factor`, in the unit that the quantity's name ends with. `nan` is the raw
    pattern (all registers as one number) by which the meter says "not available"; floats also use NaN.
    """

    name: str
    function: int
    addresses: tuple[int, ...]
    type: str
    word_order: str
    factor: Decimal
    nan: int | None = None

    @property
    def width(self) -> int:
        """Registers of one value."""
        return _TYPES[self.type][0]

    def decode(self, registers: Sequence[int]) -> Decimal | None:
        """The value of `width` registers, exactly; None where the meter has none.

        Raises:
            ValueError: not `width` registers.
        """
        if len(registers) != self.width:
            raise ValueError(f"{self.name} takes {self.width} registers, not {len(registers)}")
        words = registers if self.word_order == "big" else tuple(reversed(registers))
        data = struct.pack(f">{len(words)}H", *words)
        if self.nan is not None and int.from_bytes(data, "big") == self.nan:
            return None
        number = struct.unpack(_TYPES[self.type][1], data)[0]
        if isinstance(number, float) and not math.isfinite(number):
            return None
        return Decimal(number) * self.factor

    def step(self, value: Decimal) -> Decimal:
        """The smallest difference this register can show near `value`."""
        if self.type not in ("f32", "f64"):
            return abs(self.factor)
        mantissa = 24 if self.type == "f32" else 53
        exponent = math.frexp(float(value / self.factor))[1]
        return Decimal(2) ** (exponent - mantissa) * abs(self.factor)


class Block(msgspec.Struct, frozen=True):
    """Registers that one request reads: `count` from `address` on."""

    function: int
    address: int
    count: int


class RegisterMap(msgspec.Struct, frozen=True):
    """What a meter has where."""

    model: str
    quantities: Mapping[str, Quantity]
    max_registers: int
    energy_resolution_wh: Decimal
    probe: Mapping[str, tuple[float, float]]

    @classmethod
    def load(cls, path: Path) -> RegisterMap:
        """Read a map.

        Raises:
            ConfigError: no such file, or something in it is wrong; names the line and what is allowed.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            others = sorted(other.stem for other in path.parent.glob("*.toml"))
            near = difflib.get_close_matches(path.stem, others, 1, 0.4)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigError(
                f"cannot read this register map: {error.strerror}.{hint} There are: {', '.join(others) or 'none'}.",
                file=str(path),
            ) from error
        return cls.parse(text, str(path))

    @classmethod
    def parse(cls, text: str, file: str = "register map") -> RegisterMap:
        """Read a map from TOML text; `file` names it in errors."""
        return _Parser(text, file).map()

    def blocks(self) -> list[Block]:
        """As few requests as the meter's limit allows, in order of address."""
        spans = sorted(
            {
                (quantity.function, address, address + quantity.width)
                for quantity in self.quantities.values()
                for address in quantity.addresses
            }
        )
        merged: list[Block] = []
        for function, start, end in spans:
            last = merged[-1] if merged else None
            if last is not None and last.function == function and end - last.address <= self.max_registers:
                merged[-1] = Block(function, last.address, max(end - last.address, last.count))
            else:
                merged.append(Block(function, start, end - start))
        return merged

    def values(self, read: Mapping[Block, Sequence[int]]) -> dict[str, list[Decimal | None]]:
        """Every quantity's values from the registers of `blocks()`."""
        found: dict[str, list[Decimal | None]] = {}
        for quantity in self.quantities.values():
            values: list[Decimal | None] = []
            for address in quantity.addresses:
                block, registers = next(
                    (block, registers)
                    for block, registers in read.items()
                    if block.function == quantity.function
                    and block.address <= address
                    and address + quantity.width <= block.address + block.count
                )
                at = address - block.address
                values.append(quantity.decode(registers[at : at + quantity.width]))
            found[quantity.name] = values
        return found

    def energy_text(self, energy_wh: Decimal) -> str:
        """Energy as decimal text in Wh, rounded to the map's resolution."""
        step = self.energy_resolution_wh
        return format((energy_wh / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step, "f")

    def judge(self, values: Mapping[str, Sequence[Decimal | None]]) -> Likeness:
        """Whether these values can come from the meter of this map."""
        energy = [value for value in values["energy_wh"] if value is not None]
        if not energy or min(energy) < 0:
            return Likeness.FOREIGN
        probed = {name: [value for value in values.get(name, ()) if value is not None] for name in self.probe}
        if any(lo <= value <= hi for name, (lo, hi) in self.probe.items() for value in probed[name]):
            return Likeness.PROVEN
        seen = [abs(value) for column in probed.values() for value in column]
        seen += [abs(value) for name in ("current_a", "power_w") for value in values[name] if value is not None]
        return Likeness.DEAD if seen and max(seen) < 1 else Likeness.FOREIGN


def load_map(path: Path) -> RegisterMap:
    """Read a register map; see `RegisterMap.load`."""
    return RegisterMap.load(path)


class _Parser:
    """Turns TOML text into a `RegisterMap`; knows the line of every key."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file

    def _fail(self, message: str, table: str = "", key: str = "") -> ConfigError:
        return ConfigError(message, file=self._file, line=_line_of(self._text, table, key))

    def map(self) -> RegisterMap:
        try:
            top = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            number = int(line.group(1)) if line else self._text.count("\n") + 1
            raise ConfigError(f"is no TOML: {error}.", file=self._file, line=number) from error
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
                near = difflib.get_close_matches(key, sorted(allowed), 1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise self._fail(f"unknown key {key!r}; {hint}Known: {', '.join(sorted(allowed))}.", where, key)

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
        kind = self._choice(table, "type", where, None, tuple(_TYPES))
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
        if nan is not None and not (isinstance(nan, int) and 0 <= nan < 1 << 16 * _TYPES[kind][0]):
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


def _line_of(text: str, table: str, key: str) -> int:
    """The line of `key` in `[table]`, else of the table's head, else 1."""
    here, head = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        opened = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if opened:
            here = opened.group(1).replace('"', "")
            if here == table:
                head = number
            if here in (f"{table}.{key}".strip("."), key):
                return number
        elif here == table and key and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", line):
            return number
    return head
