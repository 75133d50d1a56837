"""When a fault begins that waits: for what happens at its outlet first, and for a time from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..model.plant import Plant

__all__ = ["FLOWS_A", "ONCE", "FaultStarts", "Start"]

FLOWS_A = 1.0
"""So much current in any phase counts as charging."""

ONCE: dict[str, Callable[[Plant], bool]] = {
    "now": lambda _plant: True,
    "plugged": lambda plant: plant.plugged,
    "live": lambda plant: max(plant.output_v) > 0.0,
    "charging": lambda plant: max(plant.current_a) >= FLOWS_A,
}
"""What is waited for, at an outlet."""

Key = tuple[str, int | None, str | None]
"""Name of the fault, evse, device."""


@dataclass(slots=True)
class Start:
    """One that waits. `due_ns` is set once what it waits for has come true, and stays although that ends."""

    plant: Plant
    once: str
    after_ns: int
    args: Mapping[str, Any]
    due_ns: int | None = None


class FaultStarts:
    """All that wait; the last word on a fault at a place counts."""

    def __init__(self) -> None:
        self._waiting: dict[Key, Start] = {}

    def add(self, key: Key, start: Start) -> None:
        """Have it wait."""
        self._waiting[key] = start

    def drop(self, key: Key) -> None:
        """It does not begin any more, if it has not."""
        self._waiting.pop(key, None)

    def due(self, now_ns: int) -> Iterator[tuple[Key, Mapping[str, Any]]]:
        """Those whose time has come, each once, with their arguments."""
        if not self._waiting:
            return
        for key, start in list(self._waiting.items()):
            if start.due_ns is None and ONCE[start.once](start.plant):
                start.due_ns = now_ns + start.after_ns
            if start.due_ns is not None and now_ns >= start.due_ns:
                del self._waiting[key]
                yield key, start.args
