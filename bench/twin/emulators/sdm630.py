"""The register map of an Eastron SDM630: input registers (FC04), IEEE 754 floats, high word first.

Source: the manufacturer's public protocol description, as used by the open readers of these meters.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ..model.energy_meter import Reading

__all__ = ["BLOCKS", "write_registers"]

BLOCKS = ((0x0000, 0x60), (0x0156, 0x34))
"""(first address, registers) that exist; a read outside is answered with `illegal data address`."""


def write_registers(reading: Reading, start: int, registers: list[int]) -> None:
    """Put `reading` into `registers`, whose first element has the address `start`; what lies outside is left."""
    for address, value in _values(reading):
        offset = address - start
        if 0 <= offset < len(registers) - 1:
            registers[offset : offset + 2] = struct.unpack(">HH", struct.pack(">f", value))


def _values(reading: Reading) -> Iterator[tuple[int, float]]:
    """Address and value: V, A, W, VA, Hz, kWh. Power factor is 1 and reactive power 0."""
    for phase in range(3):
        step = 2 * phase
        yield 0x00 + step, reading.voltage_v[phase]
        yield 0x06 + step, reading.current_a[phase]
        yield 0x0C + step, reading.power_w[phase]
        yield 0x12 + step, reading.power_w[phase]
        yield 0x1E + step, 1.0
        yield 0x15A + step, reading.phase_energy_wh[phase] / 1000.0
    total_w = sum(reading.power_w)
    yield 0x34, total_w
    yield 0x38, total_w
    yield 0x3E, 1.0
    yield 0x46, 50.0 if max(reading.voltage_v) > 0.0 else 0.0
    yield 0x48, reading.energy_wh / 1000.0
    yield 0x156, reading.energy_wh / 1000.0
