"""Checksums of CAN messages that a mapping may name: one byte over all other bytes of the frame, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

__all__ = ["CHECKSUMS"]


def _table(polynomial: int) -> tuple[int, ...]:
    def row(value: int) -> int:
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value & 0x80 else 0)
        return value & 0xFF

    return tuple(row(value) for value in range(256))


_J1850 = _table(0x1D)


def _crc8_j1850(data: bytes) -> int:
    """CRC-8/SAE-J1850: polynomial 0x1D, start and final XOR 0xFF; of b"123456789" it is 0x4B."""
    return reduce(lambda crc, byte: _J1850[crc ^ byte], data, 0xFF) ^ 0xFF


CHECKSUMS: Mapping[str, Callable[[bytes], int]] = {
    "xor8": lambda data: reduce(lambda left, right: left ^ right, data, 0),
    "sum8": lambda data: sum(data) & 0xFF,
    "crc8-j1850": _crc8_j1850,
}
"""Kind -> the checksum of some bytes."""
