"""A switch that follows its command late: the contactor (20..60 ms, 10..30 ms), the connector lock (0.2..1.2 s)."""

from __future__ import annotations

from collections.abc import Set
from random import Random

__all__ = ["DelayedSwitch"]


class DelayedSwitch:
    """Position of a contact behind a coil or a motor.

    Args:
        rng: each operation draws its own delay from it.
        on_s, off_s: (shortest, longest) delay in seconds of each direction.
    """

    def __init__(self, rng: Random, *, on_s: tuple[float, float], off_s: tuple[float, float]) -> None:
        self._rng = rng
        self._on_s = on_s
        self._off_s = off_s
        self.commanded = False
        self.closed = False
        self.blocked: Set[bool] = frozenset()
        """Positions that cannot be reached (a jammed lock, a contact that does not close)."""
        self._due_ns: int | None = None

    def command(self, on: bool, now_ns: int) -> None:
        """Drive the coil; a command back to the present position before the delay is over cancels the motion."""
        if on == self.commanded:
            return
        self.commanded = on
        self._set_off(now_ns)

    def block(self, positions: Set[bool], now_ns: int) -> None:
        """From now on it cannot go to `positions`. What is free again follows its coil, with a new delay."""
        freed = self.commanded in self.blocked and self.commanded not in positions
        self.blocked = frozenset(positions)
        if freed:
            self._set_off(now_ns)

    def halt(self) -> None:
        """Stop where it is (a motor that lost its supply)."""
        self.commanded = self.closed
        self._due_ns = None

    def step(self, now_ns: int) -> int | None:
        """Move when it is time; returns the instant (ns) at which the contact moved, None when it did not."""
        due_ns = self._due_ns
        if due_ns is None or now_ns < due_ns:
            return None
        self._due_ns = None
        if self.commanded in self.blocked:
            return None
        self.closed = self.commanded
        return due_ns

    def _set_off(self, now_ns: int) -> None:
        on = self.commanded
        if on == self.closed:
            self._due_ns = None
            return
        low_s, high_s = self._on_s if on else self._off_s
        self._due_ns = now_ns + int(self._rng.uniform(low_s, high_s) * 1e9)
