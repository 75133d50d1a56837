"""The emulators by kind: what each needs of the twin, and what the twin needs of each.

A kind's module is imported when an emulator of it is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any, Protocol

from ..model.plant import Fact, Plant
from .truth import TruthLog
from .wire_faults import WireFaults

__all__ = ["KINDS", "Emulator", "Place", "UnknownKind", "make_emulator"]

KINDS: dict[str, str] = {
    "pilot.line": ".line_pilot:make",
    "pilot.ev_sim": ".ev_sim:make",
    "token.line": ".token_line:make",
    "evse.rapi": ".rapi:make",
    "meter.modbus": ".meter:make",
    "ev.slcan": ".ev:make",
    "ev.socketcand": ".ev:make_socketcand",
    "ev.chademo": ".chademo_charger:make",
    "supply.scpi": ".scpi:make_supply",
    "load.scpi": ".scpi:make_load",
    "relay.modbus": ".relay_modbus:make",
    "relay.lcus": ".relay_serial:make_lcus",
    "relay.numato": ".relay_serial:make_numato",
}
"""Kind -> module and function. The function takes a `Place` and the emulator's settings."""


class UnknownKind(Exception):
    """There is no emulator of that kind; the message names the known ones."""


@dataclass(slots=True)
class Place:
    """Where an emulator stands.

    - `name`: of the device in the bench file; its port is `folder / name` when it is a pty.
    - `plant`: the outlet it is wired to.
    - `rng`: its own generator.
    - `present_token`: hold a card (kind, id) to the station's reader.
    - `note`: something a person may want to know.
    - `wire`: what is wrong with its wire; hand it to the port that carries the bytes.
    - `shared`: what several emulators of one twin share, such as the units on one bus, by a name of their own.
    """

    loop: asyncio.AbstractEventLoop
    name: str
    folder: Path
    plant: Plant
    rng: Random
    truth: TruthLog
    present_token: Callable[[str, str], None]
    note: Callable[[str], None]
    now_ns: int
    shared: dict[str, Any] = field(default_factory=dict[str, Any])
    wire: WireFaults | None = None


class Emulator(Protocol):
    """One instrument's stand-in. It never reacts to a client that closes the port."""

    @property
    def port(self) -> str:
        """Where a client reaches it, once it is started: a path, or `socket://127.0.0.1:PORT`."""
        ...

    async def start(self) -> None:
        """Open the wire and power up."""
        ...

    def step(self, now_ns: int) -> None:
        """The millisecond tick."""
        ...

    def on_fact(self, fact: Fact) -> None:
        """A change in the model of its outlet."""
        ...

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """Begin or end a fault of this instrument; False when it has no such fault."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


def make_emulator(kind: str, place: Place, settings: dict[str, Any]) -> Emulator:
    """The emulator of a kind.

    Raises:
        UnknownKind: there is none.
    """
    entry = KINDS.get(kind)
    if entry is None:
        raise UnknownKind(f"device {place.name!r}: there is no emulator {kind!r}; known are {', '.join(KINDS)}")
    module, function = entry.split(":")
    make: Callable[[Place, dict[str, Any]], Emulator] = getattr(import_module(module, __package__), function)
    return make(place, settings)
