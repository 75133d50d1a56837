"""The vehicle behind the plug: how its current and its wish for S2 follow duty, cable, command and battery.

It owns battery, current and the wish; plug, CP and S2 belong to the pilot emulator, and reach it as `Seen`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from .battery import Battery
from .duty import duty_is_valid, duty_to_current_a

__all__ = ["Command", "Seen", "Vehicle", "VehicleTraits"]

MIN_CURRENT_A = 6.0
"""Below it no vehicle charges (IEC 61851-1 offers nothing smaller)."""


@dataclass(frozen=True, slots=True)
class VehicleTraits:
    """Constants of one vehicle: A per phase, seconds, A/s, percent.

    `command_timeout_s`: its firmware watchdog; without a command for so long it draws nothing.
    """

    max_current_a: float = 32.0
    phases: int = 3
    s2_close_s: float = 0.3
    reaction_s: float = 0.4
    ramp_up_a_s: float = 20.0
    ramp_down_a_s: float = 60.0
    soc_pct: float = 30.0
    command_timeout_s: float = 0.5


@dataclass(frozen=True, slots=True)
class Command:
    """The last command frame."""

    plugged: bool = False
    s2_closed: bool = False
    charge: bool = False
    max_current_a: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What reaches the vehicle. `duty_pct`: None = no PWM seen; `cable_a`: rating coded by PP."""

    duty_pct: float | None
    s2_closed: bool
    output_live: bool
    cable_a: float


class Vehicle:
    """Current per phase and S2 wish, stepped with the model."""

    def __init__(self, traits: VehicleTraits) -> None:
        self.traits = traits
        self._timeout_ns = round(traits.command_timeout_s * 1e9)
        self.battery = Battery(traits.soc_pct)
        self.command = Command()
        self.current_a = 0.0
        self.wish = False
        self._command_ns: int | None = None
        self._target_a = 0.0
        self._wanted: deque[tuple[int, float]] = deque()
        self._last_wanted_a = 0.0
        self._willing_since_ns: int | None = None
        self._unwilling_since_ns: int | None = None

    def receive(self, command: Command, now_ns: int) -> None:
        """Take a command frame that arrived at `now_ns`."""
        self.command = command
        self._command_ns = now_ns

    def step(self, now_ns: int, dt_s: float, seen: Seen) -> None:
        """Advance by `dt_s` seconds to `now_ns`."""
        if self._command_ns is None or now_ns - self._command_ns > self._timeout_ns:
            self._stop()
            self.wish = False
            self._willing_since_ns = None
            return
        limit_a = self._limit_a(seen)
        if not (seen.output_live and seen.s2_closed):
            self._stop()
        else:
            self._follow(now_ns, dt_s, limit_a)
        self._decide_wish(now_ns, limit_a > 0.0)

    def _limit_a(self, seen: Seen) -> float:
        """What may be drawn now; 0 = nothing: no valid PWM, no permission, full, or less than any vehicle uses."""
        command = self.command
        duty_pct = seen.duty_pct
        if not (command.charge and command.plugged) or self.battery.full:
            return 0.0
        if duty_pct is None or not duty_is_valid(duty_pct):
            return 0.0
        limit_a = min(duty_to_current_a(duty_pct), self.traits.max_current_a, seen.cable_a, command.max_current_a)
        return limit_a if limit_a >= MIN_CURRENT_A - 1e-6 else 0.0

    def _follow(self, now_ns: int, dt_s: float, limit_a: float) -> None:
        """Ramp to the limit as it was `reaction_s` ago: a dead time that a fast series of changes cannot restart."""
        if limit_a != self._last_wanted_a:
            self._last_wanted_a = limit_a
            self._wanted.append((now_ns + int(self.traits.reaction_s * 1e9), limit_a))
        while self._wanted and self._wanted[0][0] <= now_ns:
            self._target_a = self._wanted.popleft()[1]
        if self.current_a < self._target_a:
            self.current_a = min(self._target_a, self.current_a + self.traits.ramp_up_a_s * dt_s)
        elif self.current_a > self._target_a:
            self.current_a = max(self._target_a, self.current_a - self.traits.ramp_down_a_s * dt_s)

    def _stop(self) -> None:
        self.current_a = 0.0
        self._target_a = 0.0
        self._last_wanted_a = 0.0
        self._wanted.clear()

    def _decide_wish(self, now_ns: int, willing: bool) -> None:
        """Close S2 after `s2_close_s` of willingness; open it `reaction_s` after its end, once the current is 0."""
        if willing:
            self._unwilling_since_ns = None
            if self._willing_since_ns is None:
                self._willing_since_ns = now_ns
            if now_ns - self._willing_since_ns >= self.traits.s2_close_s * 1e9:
                self.wish = True
            return
        self._willing_since_ns = None
        if self._unwilling_since_ns is None:
            self._unwilling_since_ns = now_ns
        noticed = now_ns - self._unwilling_since_ns >= self.traits.reaction_s * 1e9
        if noticed and self.current_a <= 0.0:
            self.wish = False
