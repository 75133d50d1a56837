"""Who is on a Modbus segment: every unit is asked once, and compared with the meters that are known.

Asking reads registers and writes nothing; but it holds the segment for some seconds, so it is done on request only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from ...errors import ConfigError, DeviceError, DeviceLost
from ..config import HW_CONFIGS

if TYPE_CHECKING:
    from ...drivers.meter.segment import Segment

__all__ = ["FoundUnit", "find_units", "segment_of", "units_of"]

SEGMENT = re.compile(r"(?P<port>[^@]+?)(?:@(?P<baud>\d+)(?:,8?(?P<parity>[NEO])(?P<stop>[12])?)?)?")
SILENT_S = 0.15
KNOWN_S = 0.4
ASKED = ((4, 0), (3, 0))
"""Function and address of the first question: any answer, a refusal too, proves that somebody is there."""


class FoundUnit(msgspec.Struct, frozen=True):
    """One unit that answered; `maps`: the meters it looks like, by the names of their maps."""

    unit: int
    detail: str
    maps: tuple[str, ...] = ()

    def lines(self, port: str) -> list[str]:
        """The table for a bench file."""
        name = self.maps[0] if self.maps else "eastron-sdm630"
        guess = "" if len(self.maps) == 1 else "     # a guess: see docs/meters.md"
        return [
            f"[device.meter{self.unit}]",
            'driver = "meter.modbus"',
            f'port = "{port.partition("@")[0]}"',
            f"unit = {self.unit}",
            f'map = "{name}"{guess}',
        ]


def segment_of(text: str) -> Segment:
    """A segment by `PORT`, `PORT@9600` or `PORT@9600,8N1`.

    Raises:
        ConfigError: it is none of these.
    """
    from ...drivers.meter.segment import Segment
    from ...drivers.meter.wire import Link

    found = SEGMENT.fullmatch(text)
    if found is None:
        raise ConfigError(f"--modbus: {text!r} is no segment; write it as /dev/ttyUSB0@9600,8N1 or tcp://host:502.")
    link = Link(int(found["baud"] or 9600), found["parity"] or "N", int(found["stop"] or 1))
    return Segment("devices", found["port"], link)


async def find_units(segment: Segment, numbers: Iterable[int]) -> list[FoundUnit]:
    """Ask units of a segment, one after the other.

    Raises:
        DeviceError: the segment cannot be opened, or is lost.
    """
    await segment.connect()
    try:
        return [
            FoundUnit(unit, detail, await _looks_like(segment, unit))
            for unit in numbers
            if (detail := await _answers(segment, unit))
        ]
    finally:
        segment.close()
        await segment.closed()


def units_of(units: str) -> list[int]:
    """The units named by `1-20` or `1,5,7`.

    Raises:
        ConfigError: it names none.
    """
    found: list[int] = []
    try:
        for part in units.split(","):
            low, dash, high = part.partition("-")
            found += range(int(low), int(high if dash else low) + 1)
    except ValueError:
        found = [0]
    if not found or not all(1 <= unit <= 247 for unit in found):
        raise ConfigError(f"--units: {units!r} are no units of 1 to 247; write them as 1-20 or 1,5,7.")
    return sorted(set(found))


async def _answers(segment: Segment, unit: int) -> str:
    """What it said; empty when it said nothing."""
    from ...drivers.meter.segment import NotAnswered, UnitRefused

    for function, address in ASKED:
        try:
            await segment.read(unit, function, address, 2, SILENT_S)
        except UnitRefused as error:
            return f"refuses: {error}"
        except NotAnswered:
            continue
        return f"answers function {function}"
    return ""


async def _looks_like(segment: Segment, unit: int) -> tuple[str, ...]:
    from ...drivers.meter.map_file import load_map
    from ...drivers.meter.recognise import Recogniser

    fitting: list[str] = []
    for path in sorted((HW_CONFIGS / "meters").glob("*.toml")):
        meter = Recogniser(segment, load_map(path), device="devices", port="the segment", unit=unit, timeout_s=KNOWN_S)
        try:
            await meter.recognise(lambda error: None)
        except DeviceLost:
            raise
        except DeviceError:
            continue
        fitting.append(path.stem)
    return tuple(fitting)
