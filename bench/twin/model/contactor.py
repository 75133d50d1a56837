"""The poles behind the contactor's coil: three phases and the neutral, each of which can weld."""

from __future__ import annotations

from collections.abc import Set
from random import Random

from .switch import DelayedSwitch

__all__ = ["ALL_POLES", "NEUTRAL", "Contactor"]

NEUTRAL = 0
ALL_POLES = frozenset({NEUTRAL, 1, 2, 3})
"""Poles by number: 1..3 are L1..L3, 0 is N."""


class Contactor:
    """The coil moves all poles together; a welded one stays closed when they open.

    A pole welds while it is closed: `weld` takes effect at once where it is closed, else with the next closing.
    """

    def __init__(self, rng: Random) -> None:
        self.coil = DelayedSwitch(rng, on_s=(0.020, 0.060), off_s=(0.010, 0.030))
        self.welding: frozenset[int] = frozenset()
        """Poles that will weld as soon as they are closed."""
        self.welded: frozenset[int] = frozenset()

    @property
    def closed(self) -> bool:
        """Where the coil has put its contacts; welded poles may be closed besides."""
        return self.coil.closed

    def command(self, on: bool, now_ns: int) -> None:
        """Drive the coil."""
        self.coil.command(on, now_ns)

    def step(self, now_ns: int) -> int | None:
        """As `DelayedSwitch.step`."""
        moved_ns = self.coil.step(now_ns)
        if moved_ns is not None and self.coil.closed:
            self.welded |= self.welding
        return moved_ns

    def weld(self, poles: Set[int], *, at_once: bool = False) -> None:
        """These poles weld, all others are sound again. `at_once`: even while they are open, as a bypass does."""
        self.welding = frozenset(poles)
        self.welded = self.welding if at_once or self.coil.closed else self.welded & self.welding

    def conducts(self, pole: int) -> bool:
        """Whether this pole is closed now."""
        return self.coil.closed or pole in self.welded
