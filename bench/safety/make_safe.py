"""Making a bench safe in order, and proving it.

Orderly: the vehicle asks for no current, the current falls, CP goes to B and then A, the output
is proven dead, injected faults are taken back. A failing step never stops the next one.
Safe means: output proven dead. Where the bench can see neither voltage nor current at the outlet,
the outcome says so and does not call it safe.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from ...errors import BenchError
from ..timeline import Source
from .observed import Outlet

__all__ = ["SafeLimits", "SafeOutcome", "SafeRecipe"]

CURRENT_GONE_A = 1.0
"""Load below which S2 may open: IEC 61851-1 sequence 7 (a normal stop)."""

CURRENT_WAIT_S = 3.0


class SafePilot(Protocol):
    """What the recipe asks of a pilot emulator."""

    async def resistor(self, state: str) -> None: ...

    async def make_safe(self) -> None: ...


class SafeEv(Protocol):
    """What the recipe asks of an EV simulator."""

    async def make_safe(self) -> None: ...


class SafeLimits(msgspec.Struct, frozen=True):
    """When the output counts as dead: no voltage sensed, and less than `current_below_a` metered."""

    output_dead_within_s: float
    current_below_a: float


class SafeOutcome(msgspec.Struct, frozen=True):
    """How making safe ended. `proven`: the output was seen dead. `trouble`: steps that failed."""

    proven: bool
    text: str
    trouble: tuple[str, ...] = ()


class SafeRecipe:
    """The orderly way to the safe state of one bench. It may be run any number of times."""

    def __init__(
        self, source: Source, outlet: Outlet, limits: SafeLimits, *, pilot: SafePilot | None, ev: SafeEv | None
    ) -> None:
        self._source = source
        self._outlet = outlet
        self._limits = limits
        self._pilot = pilot
        self._ev = ev

    async def run(self) -> SafeOutcome:
        """Go through every step; never raises for a step that fails."""
        trouble: list[str] = []
        pilot, ev = self._pilot, self._ev
        if ev is not None:
            await self._step("EV request to 0 A", ev.make_safe, trouble)
            if self._outlet.live is not False:
                await self._step(f"current below {CURRENT_GONE_A:g} A", self._current_gone, trouble)
        if pilot is not None:
            if self._outlet.state in ("C", "D"):
                await self._step("CP to B", lambda: pilot.resistor("B"), trouble)
            await self._step("CP to A, faults off", pilot.make_safe, trouble)
        proven = await self._output_dead(trouble)
        text = self._verdict(proven)
        self._source.note("safe.step", {"step": "output dead", "ok": proven, "detail": text})
        return SafeOutcome(proven, text, tuple(trouble))

    async def _step(self, name: str, act: Callable[[], Awaitable[object]], trouble: list[str]) -> None:
        try:
            await act()
        except (BenchError, OSError, TimeoutError) as error:
            trouble.append(f"{name}: {error}")
            self._source.note("safe.step", {"step": name, "ok": False, "detail": str(error)})
        else:
            self._source.note("safe.step", {"step": name, "ok": True, "detail": ""})

    async def _current_gone(self) -> None:
        def gone() -> bool:
            current_a = self._outlet.current_a
            return self._outlet.live is False or (current_a is not None and current_a < CURRENT_GONE_A)

        if not await self._outlet.wait_until(gone, CURRENT_WAIT_S):
            raise TimeoutError(f"still {self._outlet.current_a} A after {CURRENT_WAIT_S:g} s; going on")

    async def _output_dead(self, trouble: list[str]) -> bool:
        outlet = self._outlet
        if outlet.live is None and outlet.current_a is None:
            return False

        def dead() -> bool:
            current_a = outlet.current_a
            no_current = current_a is None or current_a < self._limits.current_below_a
            return outlet.live is not True and no_current and not (outlet.live is None and current_a is None)

        if await outlet.wait_until(dead, self._limits.output_dead_within_s):
            return True
        trouble.append(
            f"output still live {self._limits.output_dead_within_s:g} s after CP went to A "
            f"(voltage sensed: {outlet.live}, current: {outlet.current_a} A)"
        )
        return False

    def _verdict(self, proven: bool) -> str:
        outlet = self._outlet
        if proven:
            seen = [
                "no voltage sensed" if outlet.live is False else "",
                f"{outlet.current_a:.2f} A metered" if outlet.current_a is not None else "",
            ]
            return "safe: output proven dead (" + ", ".join(part for part in seen if part) + ")"
        if outlet.live is None and outlet.current_a is None:
            return "CP at A acknowledged, output not observed"
        return "NOT SAFE: the output is still live. Switch the supply off by hand, now."
