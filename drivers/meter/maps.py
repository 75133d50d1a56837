"""Register maps of energy meters: where a meter keeps what, and in which form.

The driver knows no meter; a map comes from a file (`map_file`).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum

import msgspec

from .wire import Link

__all__ = [
    "QUANTITIES",
    "TYPES",
    "Block",
    "Identity",
    "Likeness",
    "Quantity",
    "RegisterMap",
]

QUANTITIES = {
    "voltage_v": "voltage",
    "current_a": "current",
    "power_w": "power",
    "energy_wh": "energy",
    "frequency_hz": "frequency",
}
"""Quantity -> dimension; its value is in the unit that ends its name."""


TYPES = {
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


class Likeness(Enum):
    """What one poll says about the meter.

    PROVEN: everything probed lies in its range; PARTLY: some of it, and the rest is 0, as while a meter starts to
    measure; DEAD: a dead wire, nothing to judge by; BLANK: nothing but zeros, not even energy, as meters of other makes
    answer; FOREIGN: this meter never shows that.
    """

    PROVEN = "proven"
    PARTLY = "partly"
    DEAD = "dead"
    BLANK = "blank"
    FOREIGN = "foreign"


class Quantity(msgspec.Struct, frozen=True):
    """Where one quantity stands: an address for each phase, or one for the whole.

    Value = raw number x `factor`, in the unit that the quantity's name ends with; with `scale_address` (a register with
    a signed power of ten) x 10^that, too. `nan` is the raw pattern (all registers as one number) by which the meter
    says "not available"; floats also use NaN.
    """

    name: str
    function: int
    addresses: tuple[int, ...]
    type: str
    word_order: str
    factor: Decimal
    nan: int | None = None
    scale_address: int | None = None

    @property
    def width(self) -> int:
        """Registers of one value."""
        return TYPES[self.type][0]

    def decode(self, registers: Sequence[int], scale: int = 0) -> Decimal | None:
        """The value of `width` registers, exactly; `scale` is what stands at `scale_address`, unsigned.

        None where the meter has no such value.

        Raises:
            ValueError: not `width` registers.
        """
        if len(registers) != self.width:
            raise ValueError(f"{self.name} takes {self.width} registers, not {len(registers)}")
        words = registers if self.word_order == "big" else tuple(reversed(registers))
        data = struct.pack(f">{len(words)}H", *words)
        if self.nan is not None and int.from_bytes(data, "big") == self.nan:
            return None
        number = struct.unpack(TYPES[self.type][1], data)[0]
        if isinstance(number, float) and not math.isfinite(number):
            return None
        power = scale - 0x10000 if scale & 0x8000 else scale
        if not -10 <= power <= 10:
            return None
        return (Decimal(number) * self.factor).scaleb(power)

    def step(self, value: Decimal, scale: int = 0) -> Decimal:
        """The smallest difference this register can show near `value`."""
        if self.type not in ("f32", "f64"):
            power = scale - 0x10000 if scale & 0x8000 else scale
            return abs(self.factor).scaleb(power)
        mantissa = 24 if self.type == "f32" else 53
        exponent = math.frexp(float(value / self.factor))[1]
        return Decimal(2) ** (exponent - mantissa) * abs(self.factor)

    def spans(self) -> list[tuple[int, int, int]]:
        """Function, first and last + 1 of everything that has to be read for it."""
        found = [(self.function, address, address + self.width) for address in self.addresses]
        if self.scale_address is not None:
            found.append((self.function, self.scale_address, self.scale_address + 1))
        return found


class Block(msgspec.Struct, frozen=True):
    """Registers that one request reads: `count` from `address` on."""

    function: int
    address: int
    count: int

    def holds(self, function: int, address: int, width: int) -> bool:
        return self.function == function and self.address <= address and address + width <= self.address + self.count


class Identity(msgspec.Struct, frozen=True):
    """Registers that say which meter it is: `count` from `address` on, read in one request.

    Their first `number_registers` as one number are in `one_of`, or their text from register `text_at` on begins with
    one of `starts_with`. With `optional` a meter that refuses to be asked is judged by its values alone.
    """

    function: int
    address: int
    count: int
    one_of: tuple[int, ...] = ()
    starts_with: tuple[str, ...] = ()
    text_at: int = 0
    optional: bool = False

    def read(self, registers: Sequence[int]) -> str:
        """What the meter calls itself, as text, or as a number where it has no text."""
        text = b"".join(word.to_bytes(2, "big") for word in registers[self.text_at :])
        if self.starts_with:
            return text.decode("ascii", "replace").strip("\0 ")
        return str(registers[0])

    def fits(self, registers: Sequence[int]) -> bool:
        """Whether these registers are those of the meter of this map."""
        if self.one_of and registers[0] not in self.one_of:
            return False
        return not self.starts_with or self.read(registers).startswith(self.starts_with)

    def wanted(self) -> str:
        """What `fits`, in words."""
        return " or ".join([*map(str, self.one_of), *map(repr, self.starts_with)])


class RegisterMap(msgspec.Struct, frozen=True):
    """What a meter has where.

    A request reads at most `max_registers`, begins and ends with a value, and runs over registers that are none of
    ours only inside one of `readable` (function, first, last + 1), because some meters refuse that elsewhere.
    `link` and `unit` are as the meter is delivered.
    """

    model: str
    quantities: Mapping[str, Quantity]
    max_registers: int
    energy_resolution_wh: Decimal
    probe: Mapping[str, tuple[float, float]]
    readable: tuple[tuple[int, int, int], ...] = ()
    identity: Identity | None = None
    link: Link = Link()
    unit: int = 1

    def blocks(self) -> list[Block]:
        """As few requests as the meter allows, in order of address."""
        merged: list[Block] = []
        for function, start, end in sorted({span for q in self.quantities.values() for span in q.spans()}):
            last = merged[-1] if merged else None
            if last is not None and self._joins(last, function, start, end):
                merged[-1] = Block(function, last.address, max(end - last.address, last.count))
            else:
                merged.append(Block(function, start, end - start))
        return merged

    def _joins(self, last: Block, function: int, start: int, end: int) -> bool:
        if last.function != function or end - last.address > self.max_registers:
            return False
        if start <= last.address + last.count:
            return True
        return any(of == function and lo <= last.address and end <= hi for of, lo, hi in self.readable)

    def values(self, read: Mapping[Block, Sequence[int]]) -> dict[str, list[Decimal | None]]:
        """Every quantity's values from the registers of `blocks()`."""
        found: dict[str, list[Decimal | None]] = {}
        for quantity in self.quantities.values():
            scale = _scale(quantity, read)
            found[quantity.name] = [
                quantity.decode(_registers(read, quantity.function, address, quantity.width), scale)
                for address in quantity.addresses
            ]
        return found

    def energy_step(self, energy_wh: Decimal, read: Mapping[Block, Sequence[int]]) -> Decimal:
        """The smallest difference that this meter's energy can show near a value, in Wh."""
        quantity = self.quantities["energy_wh"]
        return max(quantity.step(energy_wh, _scale(quantity, read)), self.energy_resolution_wh)

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
        fits = {
            name: any(lo <= value <= hi for value in probed[name])
            for name, (lo, hi) in self.probe.items()
            if probed[name]
        }
        seen = [abs(value) for name, fit in fits.items() if not fit for value in probed[name]]
        if not any(fits.values()):
            unprobed = [name for name in ("current_a", "power_w") if name not in self.probe]
            seen += [abs(value) for name in unprobed for value in values.get(name, ()) if value is not None]
        if max(seen, default=Decimal(0)) >= 1:
            return Likeness.FOREIGN
        if any(fits.values()):
            return Likeness.PROVEN if all(fits.values()) else Likeness.PARTLY
        return Likeness.DEAD if max(energy) > 0 else Likeness.BLANK


def _registers(read: Mapping[Block, Sequence[int]], function: int, address: int, width: int) -> Sequence[int]:
    block, registers = next((block, found) for block, found in read.items() if block.holds(function, address, width))
    return registers[address - block.address : address - block.address + width]


def _scale(quantity: Quantity, read: Mapping[Block, Sequence[int]]) -> int:
    if quantity.scale_address is None:
        return 0
    return _registers(read, quantity.function, quantity.scale_address, 1)[0]
