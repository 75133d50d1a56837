"""What brings a device to its safe state without its driver: plain data for the guardian.

A recipe is made from the bench file alone, before any port is opened, and handed to the guardian
as JSON. The guardian imports no driver: it opens the wire, flushes, and sends each step until the
expected answer came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

__all__ = ["PHASES", "EmergencyRecipe", "Phase", "Step", "Wire"]

Phase = Literal["request", "pilot", "supply", "faults"]
PHASES: tuple[Phase, ...] = ("request", "pilot", "supply", "faults")
"""The order over all devices: EV request and load off, CP to A, supply off, injected faults off."""


class Wire(msgspec.Struct, frozen=True):
    """How the device is reached. `address`: a path, `host:port`, or the name of a CAN interface.

    `baud` bit/s; `bytesize`, `parity` (N, E, O) and `stopbits` of a serial line; `settings` what else the kind needs.
    """

    kind: Literal["serial", "tcp", "can"]
    address: str
    baud: int = 0
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    settings: Mapping[str, str] = {}


class Step(msgspec.Struct, frozen=True):
    """One command. `send_hex`: the bytes; for a CAN wire `id#data`.

    `expect`: a regular expression over the bytes that came back (as latin-1) which proves it; None where the device
    answers nothing. Tried `attempts` times, waiting `within_ms` for each.

    - `proves`: what its answer proves: the device's "state", read back, or that the "output" is dead.
    - `supply_off`: only once every step of the phase "supply" was acknowledged (the protective earth is restored
      with the supply off).
    """

    phase: Phase
    note: str
    send_hex: str
    expect: str | None = None
    within_ms: int = 100
    attempts: int = 5
    proves: Literal["", "state", "output"] = ""
    supply_off: bool = False


class EmergencyRecipe(msgspec.Struct, frozen=True):
    """The steps of one device.

    - `flush_hex`: sent first, to end a command of which only a part was written.
    - `reach`: "local" wires are taken from a dead owner at once; "remote" ones are behind a network that may be gone
      too; "none": nobody but the driver can reach it, and `why` says so.
    - `evse`: the outlet it belongs to; the bench fills it in.
    """

    device: str
    wire: Wire
    steps: tuple[Step, ...]
    flush_hex: str = ""
    reach: Literal["local", "remote", "none"] = "local"
    why: str = ""
    evse: int = 1
