"""What counts as the answer to a Modbus request, down to its length on the wire; everything else is not data.

Source: MODBUS Application Protocol V1.1b3 sections 6.1, 6.2, 6.3, 6.4, 6.5, 6.11 and 7; MODBUS over Serial Line V1.02
section 2.5.1; MODBUS Messaging on TCP/IP V1.0b section 3.1.3.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Ask", "crc16", "find_answer"]


class Ask(NamedTuple):
    """A request for `registers` registers, coils or inputs from `address` on; `transaction` is None on a serial line.

    Functions 1 (read coils), 2 (read discrete inputs), 3 and 4 (read registers), 5 and 15 (write one coil to `on`).
    """

    unit: int
    function: int
    address: int
    registers: int
    transaction: int | None = None
    on: bool = False


def _table() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_TABLE = _table()


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS; its low byte is sent first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def find_answer(data: bytes, ask: Ask) -> bytes | None:
    """The frame in `data` that answers `ask`: what it asks for, or an exception; None when there is none (yet).

    Noise around it is passed over. An answer of another unit or function, with another number of registers, of another
    transaction, or with a wrong checksum is noise too.
    """
    values, size = _expected(ask)
    refusal = bytes((ask.unit, ask.function | 0x80))
    if ask.transaction is None:
        return _sealed(data, values, size) or _sealed(data, refusal, 3)
    head = ask.transaction.to_bytes(2, "big") + b"\x00\x00"
    return _whole(data, head + size.to_bytes(2, "big") + values, 6 + size) or _whole(
        data, head + b"\x00\x03" + refusal, 9
    )


def _expected(ask: Ask) -> tuple[bytes, int]:
    """How the answer begins, from the unit on, and how long it is without its checksum."""
    head = bytes((ask.unit, ask.function))
    if ask.function in (5, 15):
        written = (0xFF00 if ask.on else 0) if ask.function == 5 else 1
        return head + ask.address.to_bytes(2, "big") + written.to_bytes(2, "big"), 6
    size = (ask.registers + 7) // 8 if ask.function in (1, 2) else 2 * ask.registers
    return (head + bytes((size,)) if size < 256 else b""), 3 + size


def _sealed(data: bytes, head: bytes, size: int) -> bytes | None:
    """The first `size` bytes that begin with `head` and are followed by their checksum; with the checksum."""
    at = data.find(head)
    while at >= 0:
        frame = data[at : at + size + 2]
        if len(frame) == size + 2 and crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little"):
            return frame
        at = data.find(head, at + 1)
    return None


def _whole(data: bytes, head: bytes, size: int) -> bytes | None:
    at = data.find(head)
    return data[at : at + size] if at >= 0 and len(data) >= at + size else None
