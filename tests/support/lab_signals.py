"""Signals of a pack on a bench of their own: definitions as TOML, readings in, changes of the track out."""

from __future__ import annotations

import heapq
import tomllib
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from pilotbench.bench.correlation.facts import Facts
from pilotbench.bench.correlation.language.signal_reader import read_signals
from pilotbench.bench.correlation.language.signals import Signal
from pilotbench.bench.correlation.world.world import World
from pilotbench.bench.timeline import Event, Stamp

MS = 1_000_000


class Seen(NamedTuple):
    """A change: its value, and between which milliseconds it was."""

    value: object
    lo: float
    hi: float


def defined(text: str) -> dict[str, Signal]:
    """The signals of a pack with this text."""
    return read_signals(tomllib.loads(text)["signal"], {}, (Path("lab.toml"), text))


def at(
    ms: float,
    data: dict[str, Any],
    *,
    topic: str = "lab.t",
    width: float = 0.0,
    seq: int = 0,
    late_ms: float = 0.0,
    evse: int | None = None,
) -> Event:
    """A reading at `ms`, up to `width` ms older, received `late_ms` later."""
    hi = round(ms * MS)
    return Event(
        topic, "lab", seq or round(ms) + 1, Stamp(hi + round(late_ms * MS), hi - round(width * MS), hi), data, evse
    )


class Lab:
    """A world that follows the signals of a definition, with its timers."""

    def __init__(self, text: str, facts: Facts | None = None) -> None:
        self.world = World(facts or Facts())
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = count()
        self.world.follow(defined(text), self._later)
        self.world.delays["lab"] = 10 * MS

    def _later(self, when_ns: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (when_ns, next(self._count), action))

    def until(self, ms: float) -> None:
        """Time passes."""
        while self._timers and self._timers[0][0] < ms * MS:
            when_ns, _, action = heapq.heappop(self._timers)
            self.world.now_ns = max(self.world.now_ns, when_ns)
            action()

    def play(self, events: Sequence[Event], end_ms: float | None = None) -> None:
        """Events in canonical order."""
        for event in events:
            self.until(event.stamp.order_ns / MS)
            self.world.apply(event)
        if end_ms is not None:
            self.until(end_ms)

    def seen(self, signal: str, evse: int = 1) -> list[Seen]:
        """The changes of a signal."""
        return [
            Seen(item.value, item.mark.stamp.lo_ns / MS, item.mark.stamp.hi_ns / MS)
            for item in self.world.track(signal, evse).changes
        ]


def readings(rows: Sequence[tuple[float, Any]], key: str = "v", **more: Any) -> list[Event]:
    """One reading of a key at each of these times (ms)."""
    return [at(ms, {key: value}, seq=i, **more) for i, (ms, value) in enumerate(rows, 1)]
