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

__all__ = ["QUANTITIES", "TYPES", "Block", "Likeness", "Quantity", "RegisterMap"]

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
        return TYPES[self.type][0]

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
        number = struct.unpack(TYPES[self.type][1], data)[0]
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
