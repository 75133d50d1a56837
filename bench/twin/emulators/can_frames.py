"""The two messages of the EV simulator, laid out as in hw-configs/ev/pilotbench-ev.dbc."""

from __future__ import annotations

import struct

from ..model.vehicle import Command

__all__ = ["COMMAND_ID", "STATUS_ID", "pack_status", "unpack_command"]

COMMAND_ID = 0x200
STATUS_ID = 0x201


def unpack_command(data: bytes) -> Command:
    """EV_Command: bits in byte 0, MaxCurrent in bytes 1 and 2, 0.1 A, little endian.

    Raises:
        ValueError: not 8 bytes.
    """
    if len(data) != 8:
        raise ValueError(f"EV_Command has {len(data)} bytes, not 8")
    return Command(
        plugged=bool(data[0] & 0x10),
        s2_closed=bool(data[0] & 0x20),
        charge=bool(data[0] & 0x40),
        max_current_a=int.from_bytes(data[1:3], "little") / 10.0,
    )


def pack_status(
    counter: int, *, plugged: bool, s2_wish: bool, soc_pct: float, current_a: float, battery_v: float
) -> bytes:
    """EV_Status: counter and bits in byte 0, SoC 0.5 %, current 0.1 A signed, pack voltage 0.1 V; the rest 0."""
    bits = (counter & 0x0F) | (plugged << 4) | (s2_wish << 5)
    return struct.pack(
        "<BBhHxx", bits, min(200, round(soc_pct * 2.0)), round(current_a * 10.0), round(battery_v * 10.0)
    )
