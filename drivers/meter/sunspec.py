"""SunSpec meters: the register map is not known before the device has said which models it has, and where.

Source: SunSpec Device Information Model Specification (the marker "SunS" at 40000, 50000 or 0, then models, each with
its number and length, chained up to number 0xFFFF); models 1, 201..204 and 211..214 as published at
github.com/sunspec/models.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from .maps import Quantity, RegisterMap
from .segment import NotAnswered, UnitRefused
from .wire import Link

__all__ = ["Discovered", "NoMeter", "SunSpecMap", "discover"]

Read = Callable[[int, int], Awaitable[Sequence[int]]]
"""Reads (address, count); raises UnitRefused where the device has no such registers, NotAnswered when it is silent."""

MARKER = (0x5375, 0x6E53)
COMMON = 1
COMMON_TEXTS = {"manufacturer": (2, 16), "type": (18, 16), "firmware": (42, 8), "serial": (50, 16)}
"""Name -> first register in the common model, and number of registers."""
END = 0xFFFF
MAX_MODELS = 60
TALLEST = 0x10000


class NoMeter(Exception):
    """What answers is no SunSpec meter that is known here; the message says what it is."""


class SunSpecMap(msgspec.Struct, frozen=True):
    """What is known before: where the marker may be, and the models that are meters, their addresses from 0 on."""

    model: str
    markers: tuple[int, ...]
    models: Mapping[int, RegisterMap]
    link: Link = Link()
    unit: int = 1


class Discovered(NamedTuple):
    """The map of the device that answered, and what it says of itself."""

    register_map: RegisterMap
    identity: dict[str, str]


async def discover(read: Read, known: SunSpecMap) -> Discovered:
    """Find the marker, walk along the models, and take the first that is a meter.

    Raises:
        NoMeter: no marker, a broken chain, or no meter among the models.
    """
    base = await _marker(read, known.markers)
    address, seen = base + 2, list[int]()
    identity: dict[str, str] = {}
    for _ in range(MAX_MODELS):
        number, length = await read(address, 2)
        if number == END:
            break
        if address + 2 + length >= TALLEST or (length == 0 and number == 0):
            raise NoMeter(f"its chain of SunSpec models is broken at {address}: model {number}, length {length}.")
        if number == COMMON and length >= 65:
            identity = _texts(await read(address, 66))
        register_map = known.models.get(number)
        if register_map is not None and length >= _height(register_map) - 2:
            return Discovered(_moved(register_map, address, number), {**identity, "sunspec": str(number)})
        seen.append(number)
        address += 2 + length
    raise NoMeter(
        f"it is a SunSpec device, but no meter that is known here: it has the models {seen}, wanted is one of "
        f"{sorted(known.models)}."
    )


async def _marker(read: Read, markers: Sequence[int]) -> int:
    silent: NotAnswered | None = None
    answers = 0
    for address in markers:
        try:
            found = await read(address, 2)
        except UnitRefused:
            answers += 1
        except NotAnswered as error:
            silent = silent or error
        else:
            answers += 1
            if tuple(found) == MARKER:
                return address
    if silent is not None and not answers:
        raise silent
    raise NoMeter(
        f'it answers, but has no SunSpec marker "SunS" at {", ".join(map(str, markers))}. Is it a SunSpec device, and '
        "is SunSpec switched on in it?"
    )


def _texts(registers: Sequence[int]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, (first, count) in COMMON_TEXTS.items():
        data = b"".join(word.to_bytes(2, "big") for word in registers[first : first + count])
        text = data.split(b"\0")[0].decode("utf-8", "replace").strip()
        if text:
            found[name] = text
    return found


def _height(register_map: RegisterMap) -> int:
    return max(end for quantity in register_map.quantities.values() for _, _, end in quantity.spans())


def _moved(register_map: RegisterMap, by: int, number: int) -> RegisterMap:
    return msgspec.structs.replace(
        register_map,
        model=f"{register_map.model}, model {number}",
        quantities={name: _quantity_moved(quantity, by) for name, quantity in register_map.quantities.items()},
        readable=tuple((function, first + by, last + by) for function, first, last in register_map.readable),
    )


def _quantity_moved(quantity: Quantity, by: int) -> Quantity:
    at = quantity.scale_address
    return msgspec.structs.replace(
        quantity,
        addresses=tuple(address + by for address in quantity.addresses),
        scale_address=None if at is None else at + by,
    )
