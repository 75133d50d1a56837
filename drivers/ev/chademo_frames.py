"""The frames of CHAdeMO on CAN (500 kbit/s, 11 bits, every 100 ms, little endian), as in `hw-configs/ev/chademo.dbc`.

What the vehicle says (0x100 to 0x102) is packed, what the charger says (0x108, 0x109) is unpacked. Reserved bytes are
0. Layout as seen in public implementations; the association's text is not public.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

__all__ = ["CAPABILITY", "CHARGER", "LIMITS", "OUTPUT", "STATE", "TIMES", "Charger", "Says", "Traits", "pack"]

LIMITS, TIMES, STATE = 0x100, 0x101, 0x102
CAPABILITY, OUTPUT = 0x108, 0x109
CHARGER = frozenset({CAPABILITY, OUTPUT})

FULL_RATE = 0x64
USE_MINUTES = 0xFF


class Traits(msgspec.Struct, frozen=True):
    """Constants of one vehicle. Volt, ampere, kWh, minutes.

    `protocol`: 0 before 0.9, 1 = 0.9, 2 = 1.0, 3 = 2.0. `target_v` is the voltage the charger must not exceed.
    """

    protocol: int = 2
    min_current_a: int = 0
    min_battery_v: int = 200
    max_battery_v: int = 435
    target_v: int = 410
    capacity_kwh: float = 40.0
    max_time_min: int = 60
    max_current_a: int = 125


class Says(NamedTuple):
    """What the vehicle says beside its constants. `faults`: bits 0..4 over-voltage, under-voltage, current deviation,
    temperature, voltage deviation."""

    request_a: int = 0
    permit: bool = False
    contactor_open: bool = True
    stop: bool = False
    faults: int = 0
    soc_pct: int = 0
    estimated_min: int = 0


class Charger(msgspec.Struct, frozen=True):
    """What the charger says, as its two frames came last. Volt, ampere, seconds."""

    welding_detection: bool = False
    available_v: int = 0
    available_a: int = 0
    threshold_v: int = 0
    protocol: int = 0
    voltage_v: int = 0
    current_a: int = 0
    charging: bool = False
    malfunction: bool = False
    locked: bool = False
    incompatible: bool = False
    system_malfunction: bool = False
    stop: bool = False
    remaining_s: int = 0

    def heard(self, key: int, data: bytes) -> Charger:
        """The same with one frame more.

        Raises:
            ValueError: the frame is not 8 bytes long, or not the charger's.
        """
        if len(data) != 8:
            raise ValueError(f"0x{key:03X} has {len(data)} bytes, not 8")
        if key == CAPABILITY:
            return msgspec.structs.replace(
                self,
                welding_detection=bool(data[0]),
                available_v=_u16(data, 1),
                available_a=data[3],
                threshold_v=_u16(data, 4),
            )
        if key != OUTPUT:
            raise ValueError(f"0x{key:03X} is no frame of a charger")
        status = data[5]
        return msgspec.structs.replace(
            self,
            protocol=data[0],
            voltage_v=_u16(data, 1),
            current_a=data[3],
            charging=bool(status & 0x01),
            malfunction=bool(status & 0x02),
            locked=bool(status & 0x04),
            incompatible=bool(status & 0x08),
            system_malfunction=bool(status & 0x10),
            stop=bool(status & 0x20),
            remaining_s=data[7] * 60 if data[6] == USE_MINUTES else data[6] * 10,
        )


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _two(value: int) -> tuple[int, int]:
    return value & 0xFF, value >> 8 & 0xFF


def pack(key: int, traits: Traits, says: Says) -> bytes:
    """The data of one of the vehicle's three frames.

    Raises:
        ValueError: a value does not fit its byte, or the frame is not the vehicle's.
    """
    if key == LIMITS:
        values = [traits.min_current_a, 0, *_two(traits.min_battery_v), *_two(traits.max_battery_v), FULL_RATE, 0]
    elif key == TIMES:
        capacity = _two(round(traits.capacity_kwh * 10.0))
        values = [0, USE_MINUTES, traits.max_time_min, says.estimated_min, 0, *capacity, 0]
    elif key == STATE:
        status = says.permit << 0 | says.contactor_open << 3 | says.stop << 4
        target = _two(traits.target_v)
        values = [traits.protocol, *target, says.request_a, says.faults, status, says.soc_pct, 0]
    else:
        raise ValueError(f"0x{key:03X} is no frame of a vehicle")
    return bytes(values)
