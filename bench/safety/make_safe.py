"""Making a bench safe in order, and proving it.

Orderly: the vehicle and the load ask for no current, the current falls, CP goes to B and then A, the output
is proven dead, injected faults are taken back, and with every outlet there the supply goes off (`SupplyOff`). An
output that stays live has its supply cut at once, and the run is an ERROR. A failing step never stops the next one.
At once, for a trip: nothing is waited for between the request, CP at A and the supply; the proof follows.
Safe means: output proven dead. Where the bench sees no voltage at the outlet, by a sense or its meter, the
outcome says so and does not call it safe, also when no current is metered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from ..timeline import Source
from .observed import Outlet
from .senses import AC_DEAD_V
from .supply import SafeDevice, SupplyOff, run_step

__all__ = ["SafeLimits", "SafeOutcome", "SafeRecipe", "together"]

CURRENT_GONE_A = 1.0
"""Load below which S2 may open: IEC 61851-1 sequence 7 (a normal stop)."""

CURRENT_WAIT_S = 3.0


STEP_WITHIN_S = 1.0
MAY_CLOSE_YET_S = 0.3
CUT_WITHIN_S = 1.0
PILOT_FIRST_S = 0.1
WELDED = "Its contactor did not open: it may be welded. Do not use the station before it was looked at"
PILOT_WITHIN_S = 5.0
"""Long enough for a device that restarts (2 s) and is greeted again; the whole recipe ends within 13 s."""


class SafePilot(Protocol):
    """What the recipe asks of a pilot emulator."""

    @property
    def is_open(self) -> bool: ...

    async def resistor(self, state: str) -> None: ...

    async def make_safe(self) -> None: ...


class SafeEv(Protocol):
    """What the recipe asks of an EV simulator."""

    @property
    def is_open(self) -> bool: ...

    async def make_safe(self) -> None: ...


class SafeLimits(msgspec.Struct, frozen=True):
    """When the output counts as dead: no voltage sensed, and less than `current_below_a` where it is metered."""

    output_dead_within_s: float
    current_below_a: float


class SafeOutcome(msgspec.Struct, frozen=True):
    """How making safe ended. `proven`: the output was seen dead. `trouble`: steps that failed.

    `error`: the run is an ERROR all the same, since it took the supply to make the output dead.
    """

    proven: bool
    text: str
    trouble: tuple[str, ...] = ()
    error: bool = False


def together(outcomes: Mapping[int, SafeOutcome], supply_trouble: Sequence[str] = ()) -> SafeOutcome:
    """One outcome for a bench of several outlets: proven when each is. A supply that did not go off is an error."""
    if len(outcomes) == 1:
        whole = next(iter(outcomes.values()))
    else:
        worst_first = sorted(outcomes.items(), key=lambda entry: (entry[1].proven, "NOT SAFE" not in entry[1].text))
        whole = SafeOutcome(
            all(outcome.proven for outcome in outcomes.values()),
            "; ".join(f"outlet {evse}: {outcome.text}" for evse, outcome in worst_first),
            tuple(f"outlet {evse}: {text}" for evse, outcome in outcomes.items() for text in outcome.trouble),
            any(outcome.error for outcome in outcomes.values()),
        )
    if not supply_trouble:
        return whole
    text = f"{whole.text}; the supply is not known to be off: switch it off by hand"
    return msgspec.structs.replace(whole, text=text, trouble=(*whole.trouble, *supply_trouble), error=True)


class SafeRecipe:
    """The orderly way to the safe state of one outlet. It may be run any number of times.

    `load`: an electronic load at the outlet. `supply`: what feeds the station, to be cut when the output stays live.
    """

    def __init__(
        self,
        source: Source,
        outlet: Outlet,
        limits: SafeLimits,
        *,
        pilot: SafePilot | None,
        ev: SafeEv | None,
        load: SafeDevice | None = None,
        supply: SupplyOff | None = None,
    ) -> None:
        self._source = source
        self._outlet = outlet
        self._limits = limits
        self._pilot = pilot
        self._ev = ev
        self._load = load
        self._supply = supply

    async def run(self, *, at_once: bool = False) -> SafeOutcome:
        """Go through every step; never raises for a step that fails.

        A device that was never reached has nothing to be taken back, and is left out.
        """
        trouble: list[str] = []
        asked = [
            self._step(f"{what} to 0 A", device.make_safe, trouble)
            for what, device in (("EV request", self._ev), ("load", self._load))
            if device is not None and device.is_open
        ]
        await asyncio.gather(*asked)
        if asked and self._outlet.live is not False and not at_once:
            await self._step(f"current below {CURRENT_GONE_A:g} A", self._current_gone, trouble, CURRENT_WAIT_S + 1)
        closing = self._outlet.state in ("C", "D")
        async with asyncio.TaskGroup() as group:
            to_a = group.create_task(self._to_a(trouble, by_way_of_b=closing and not at_once))
            if at_once and self._supply is not None:
                # The pilot has a start; one that does not answer must not keep the supply on.
                await asyncio.wait({to_a}, timeout=PILOT_FIRST_S)
                trouble += await self._supply.off()
        at_a = to_a.result()
        if closing and at_a:
            # A contactor that was on its way when S2 opened may close yet: dead at once proves nothing.
            await self._outlet.wait_until(lambda: self._outlet.live is True, MAY_CLOSE_YET_S)
        # Without the acknowledgement nobody knows how fresh the pilot's own sense is.
        known = at_a is not False and self._outlet.sense_lost is None
        proven = known and await self._output_dead(self._limits.output_dead_within_s, trouble)
        cut = ""
        if not proven and self._needs_cut and self._supply is not None:
            trouble += await self._supply.off()
            cut = "the supply was switched off, because " + self._still(at_a)
            proven = known and await self._output_dead(CUT_WITHIN_S, trouble)
        pilot = self._pilot
        if pilot is not None and pilot.is_open:
            read_back = await self._step("faults off, state A read back", pilot.make_safe, trouble, PILOT_WITHIN_S)
            at_a = at_a and read_back
            # What is read back counts, too: the event that told of a live output may have been lost on the wire.
            proven = proven and read_back and self._outlet.live is not True
        text = self._verdict(proven, reached=at_a is not None, at_a=bool(at_a))
        self._source.note("safe.step", {"step": "output dead", "ok": proven, "detail": text})
        if cut:
            text = f"{text}; {cut}. {WELDED}" if proven else f"{text} Even though {cut}."
        return SafeOutcome(proven, text, tuple(trouble), error=bool(cut))

    async def _to_a(self, trouble: list[str], *, by_way_of_b: bool) -> bool | None:
        """CP to A, and whether it was acknowledged; None when the pilot is not reached."""
        pilot = self._pilot
        if pilot is None or not pilot.is_open:
            return None
        if by_way_of_b:
            await self._step("CP to B", lambda: pilot.resistor("B"), trouble)
        at_a = await self._step("CP to A", lambda: pilot.resistor("A"), trouble)
        if not at_a:
            # It may just have restarted, or be on its way back: its own safe state greets it again.
            at_a = await self._step("CP to A, faults off", pilot.make_safe, trouble, PILOT_WITHIN_S)
        return at_a

    @property
    def _needs_cut(self) -> bool:
        """The output is live, or was when it was last seen: not so on a bench that sees nothing."""
        outlet = self._outlet
        flows = outlet.current_a is not None and outlet.current_a >= self._limits.current_below_a
        return self._supply is not None and self._supply.cuts and (outlet.may_be_live or flows)

    def _still(self, at_a: bool | None) -> str:
        if at_a is False or self._outlet.sense_lost is not None:
            return "nobody could say that the output is dead"
        return f"the output was still live {self._limits.output_dead_within_s:g} s after CP went to A"

    async def _step(
        self,
        name: str,
        act: Callable[[], Awaitable[object]],
        trouble: list[str],
        within_s: float = STEP_WITHIN_S,
    ) -> bool:
        return await run_step(self._source, name, act, trouble, within_s)

    async def _current_gone(self) -> None:
        def gone() -> bool:
            current_a = self._outlet.current_a
            return self._outlet.live is False or (current_a is not None and current_a < CURRENT_GONE_A)

        if not await self._outlet.wait_until(gone, CURRENT_WAIT_S):
            raise TimeoutError(f"still {self._outlet.current_a} A after {CURRENT_WAIT_S:g} s; going on")

    async def _output_dead(self, within_s: float, trouble: list[str]) -> bool:
        outlet, since_ns = self._outlet, time.monotonic_ns()
        if outlet.live is None and outlet.current_a is None:
            return False

        def dead() -> bool:
            current_a = outlet.current_a
            no_current = current_a is None or current_a < self._limits.current_below_a
            return no_current and (outlet.live is False or metered_dead())

        def metered_dead() -> bool:
            # Without a sense the meter's voltage counts. No current is no proof: a vehicle at 0 A draws none from a
            # live output.
            if outlet.live is not None or outlet.metered_ns < since_ns:
                return False  # a reading from before CP went to A tells of another time
            return outlet.voltage_v is not None and outlet.voltage_v < AC_DEAD_V

        if await outlet.wait_until(dead, within_s):
            return True
        if outlet.live is None and outlet.current_a is not None and outlet.current_a < self._limits.current_below_a:
            return False  # nobody sees whether it is live: the verdict says so
        trouble.append(
            f"output still live after {within_s:g} s (voltage sensed: {outlet.live}, current: {outlet.current_a} A)"
        )
        return False

    def _verdict(self, proven: bool, *, reached: bool, at_a: bool) -> str:
        outlet = self._outlet
        if proven:
            seen = [
                "no voltage sensed" if outlet.live is False else "",
                f"{outlet.voltage_v:.0f} V metered" if outlet.live is None and outlet.voltage_v is not None else "",
                f"{outlet.current_a:.2f} A metered" if outlet.current_a is not None else "",
            ]
            return "safe: output proven dead (" + ", ".join(part for part in seen if part) + ")"
        last = outlet.sense_lost if outlet.live is None else outlet.live
        seen = {True: "live when last seen", False: "dead when last seen", None: "not observed"}[last]
        if reached and not at_a:
            said = f"CP at A was not acknowledged, and the output, {seen}, is not proven dead"
        elif outlet.sense_lost is not None:
            said = f"the output, {seen}, is not seen any more"
        elif outlet.live is None and outlet.current_a is None:
            how = "CP at A acknowledged" if reached else "the pilot emulator was not reached"
            return f"{how}, output not observed"
        elif outlet.live is None and outlet.current_a is not None and outlet.current_a < self._limits.current_below_a:
            how = "CP at A acknowledged" if reached else "the pilot emulator was not reached"
            volts = "" if outlet.voltage_v is None else f" and {outlet.voltage_v:.0f} V"
            return f"{how}, {outlet.current_a:.2f} A{volts} metered, output not observed"
        else:
            said = "the output is still live"
        return f"NOT SAFE: {said}. Switch the supply off by hand, now."
