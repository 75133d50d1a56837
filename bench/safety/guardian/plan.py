"""What the guardian is told at its start: whom to watch, and the emergency recipe of every device."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PHASES", "Plan", "Recipe", "Step", "Wire", "read_plan"]

PHASES = ("request", "pilot", "supply", "faults")
"""In this order over all devices: EV request and load off, CP to A, supply off, injected faults off."""


@dataclass(frozen=True)
class Wire:
    """See `drivers.emergency.Wire`."""

    kind: str
    address: str
    baud: int = 0
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    settings: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Step:
    """See `drivers.emergency.Step`."""

    phase: str
    note: str
    send_hex: str
    expect: str | None = None
    within_ms: int = 100
    attempts: int = 5
    proves: str = ""
    supply_off: bool = False


@dataclass(frozen=True)
class Recipe:
    """See `drivers.emergency.EmergencyRecipe`."""

    device: str
    wire: Wire
    steps: tuple[Step, ...]
    flush_hex: str = ""
    reach: str = "local"
    why: str = ""
    evse: int = 1


@dataclass(frozen=True)
class Plan:
    """`owner`: process id of the bench. `dead_ms`: silence after which it is dead. `report`: file to write.

    `permission`: the file in which a person permits to energise, to be taken away; empty: there is none. `mouth`: the
    owner's standard error, a descriptor that this process has inherited; whoever started the owner reads there what
    was done when the owner can say nothing any more.
    """

    owner: int
    dead_ms: int
    report: str
    recipes: tuple[Recipe, ...]
    permission: str = ""
    mouth: int | None = None


def read_plan(text: str) -> Plan:
    """The plan from its JSON.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    raw = json.loads(text)
    recipes = tuple(map(_recipe, raw["recipes"]))
    permission = str(raw.get("permission", ""))
    mouth = None if raw.get("mouth") is None else int(raw["mouth"])
    return Plan(int(raw["owner"]), int(raw["dead_ms"]), str(raw["report"]), recipes, permission, mouth)


def _recipe(raw: dict[str, Any]) -> Recipe:
    steps = tuple(Step(**step) for step in raw["steps"])
    unknown = {step.phase for step in steps} - set(PHASES)
    if unknown:
        raise ValueError(f"{raw['device']}: there is no phase {', '.join(sorted(unknown))}")
    words = {key: str(raw[key]) for key in ("flush_hex", "reach", "why") if key in raw}
    return Recipe(str(raw["device"]), Wire(**raw["wire"]), steps, evse=int(raw.get("evse", 1)), **words)
