"""What the bench asks of an instrument, by the part it plays.

A driver class names its part in `role`. A device that plays a part only partly says so in
`capabilities`, and raises DeviceError for what it lacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

__all__ = ["DUTIES", "Duty", "Ev", "Load", "Pilot", "PilotCapability", "Relays", "Role", "Supply", "Token"]

Role = Literal["pilot", "meter", "ev", "supply", "load", "relay", "token", "monitor"]

PilotCapability = Literal["pp", "faults", "token", "relay", "lock", "output", "state_d"]

Duty = Literal["mains", "pe", "rcd", "dc-leak", "aux"]
DUTIES: tuple[Duty, ...] = ("mains", "pe", "rcd", "dc-leak", "aux")
"""What a relay switches: the supply of the station, its protective earth, an AC or DC residual current, or else."""


class _Device(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def evse(self) -> int: ...

    @property
    def is_open(self) -> bool: ...

    @property
    def alive(self) -> bool: ...

    async def make_safe(self) -> None: ...


class Pilot(_Device, Protocol):
    """Plays the vehicle on CP and PP. See `LinePilot` for arguments and errors."""

    @property
    def capabilities(self) -> frozenset[PilotCapability]: ...

    async def resistor(self, state: str) -> None: ...

    async def faults(self, *, diode: bool = False, short_ohm: int | None = None, cp_open: bool = False) -> None: ...

    async def pp(self, ohm: int | None) -> None: ...

    async def token(self, id: str, kind: str = "ISO14443") -> None: ...  # noqa: A002 - the word of OCPP

    async def relay(self, n: int, on: bool) -> None: ...


class Ev(_Device, Protocol):
    """An EV simulator: battery, current demand, and what it wants."""

    async def command(
        self,
        *,
        plugged: bool | None = None,
        s2_closed: bool | None = None,
        max_current_a: float | None = None,
        charge: bool | None = None,
    ) -> None: ...


class Supply(_Device, Protocol):
    """The supply of the station; safe = its output is off, read back. Volt rms and ampere."""

    async def set(self, voltage_v: float, current_a: float) -> None: ...

    async def output(self, on: bool) -> None: ...


class Load(_Device, Protocol):
    """An electronic load at the outlet; safe = its input is off, read back. Ampere."""

    async def draw(self, current_a: float) -> None: ...

    async def input(self, on: bool) -> None: ...


class Relays(_Device, Protocol):
    """Relays by number, each with a duty. Safe = residual currents off, then mains off, then PE closed."""

    @property
    def relays(self) -> Mapping[int, Duty]: ...

    async def switch(self, n: int, on: bool) -> None: ...


class Token(_Device, Protocol):
    """Presents a card to the station's reader."""

    async def token(self, id: str, kind: str = "ISO14443") -> None: ...  # noqa: A002 - the word of OCPP
