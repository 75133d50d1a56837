"""Switching off what feeds the station: supplies, mains relays, and with them off the injected faults of relay boards.

Protective earth is restored only when every supply has acknowledged that it is off.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from ...errors import BenchError
from ..timeline import Source

__all__ = ["SafeDevice", "SafeRelays", "SafeSwitch", "SupplyOff", "run_step"]

FAULT_DUTIES = ("rcd", "dc-leak")
SUPPLY_WITHIN_S = 3.0


class SafeDevice(Protocol):
    """What has a safe state of its own: a supply, a load."""

    @property
    def name(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    async def make_safe(self) -> None: ...


class SafeRelays(SafeDevice, Protocol):
    """A relay board: number -> duty."""

    @property
    def relays(self) -> Mapping[int, str]: ...

    async def switch(self, n: int, on: bool) -> None: ...


class SafeSwitch(Protocol):
    """A pilot emulator with a relay that switches the station's supply."""

    @property
    def name(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    async def relay(self, n: int, on: bool) -> None: ...


async def run_step(
    source: Source, name: str, act: Callable[[], Awaitable[object]], trouble: list[str], within_s: float
) -> bool:
    """One step of making safe, told on the timeline; what fails stands in `trouble` and stops nothing."""
    why = ""
    limit = asyncio.timeout(within_s)
    try:
        async with limit:
            await act()
    except Exception as error:  # noqa: BLE001 - a driver that breaks, also a foreign one, must not stop the next step
        known = isinstance(error, (BenchError, OSError)) and str(error)
        why = f"not done within {within_s:g} s" if limit.expired() else str(error) if known else repr(error)
        trouble.append(f"{name}: {why}")
    source.note("safe.step", {"step": name, "ok": not why, "detail": why})
    return not why


class SupplyOff:
    """The supply of one station, however many devices switch it. `present` is False where the bench switches none.

    `switches`: pilot emulators with the number of their mains relay. A device that is closed is not looked at when
    nothing was ever opened, and counts as a failure otherwise: nobody knows whether it is off.
    """

    def __init__(
        self,
        source: Source,
        *,
        supplies: Sequence[SafeDevice] = (),
        boards: Sequence[SafeRelays] = (),
        switches: Sequence[tuple[SafeSwitch, int]] = (),
    ) -> None:
        self._source = source
        self._supplies = supplies
        self._boards = boards
        self._switches = switches
        self._busy = asyncio.Lock()

    @property
    def present(self) -> bool:
        return bool(self._supplies or self._boards or self._switches)

    @property
    def cuts(self) -> bool:
        """True when some device of this bench can switch the station's supply off."""
        return bool(self._supplies or self._switches or any("mains" in board.relays.values() for board in self._boards))

    async def off(self) -> list[str]:
        """Injected residual currents off, every supply off, then every board to its safe state; returns what failed."""
        async with self._busy:
            trouble: list[str] = []
            await asyncio.gather(*(self._faults_off(board, trouble) for board in self._boards if board.is_open))
            cut = [
                *(self._step(f"supply {supply.name} off", supply.make_safe, trouble) for supply in self._open_supplies),
                *(
                    self._step(f"mains relay {number} of {pilot.name} off", self._relay(pilot, number), trouble)
                    for pilot, number in self._switches
                    if pilot.is_open
                ),
            ]
            done = await asyncio.gather(*cut)
            # A board switches its own mains before its PE; every other one's has to be off before, too.
            boards = [board for board in self._boards if board.is_open]
            done += [await self._mains_off(board, trouble) for board in boards if len(boards) > 1]
            if all(done):
                for board in boards:
                    await self._step(f"relays {board.name} safe", board.make_safe, trouble)
            else:
                await self._without_earth(trouble)
            return trouble

    @property
    def _open_supplies(self) -> list[SafeDevice]:
        return [supply for supply in self._supplies if supply.is_open]

    async def _without_earth(self, trouble: list[str]) -> None:
        """A supply is not known to be off: mains relays open, and PE stays as it is."""
        for board in self._boards:
            if board.is_open:
                await self._mains_off(board, trouble)
            if "pe" in board.relays.values():
                trouble.append(f"{board.name}: PE left as it is, because the supply is not known to be off")

    async def _mains_off(self, board: SafeRelays, trouble: list[str]) -> bool:
        """Whether every mains relay of it acknowledged."""
        done = True
        for number, duty in board.relays.items():
            if duty == "mains":
                step = f"mains relay {number} of {board.name} off"
                off = await self._step(step, lambda number=number: board.switch(number, False), trouble)
                done = done and off
        return done

    async def _faults_off(self, board: SafeRelays, trouble: list[str]) -> None:
        for number, duty in board.relays.items():
            if duty in FAULT_DUTIES:
                step = f"{duty} relay {number} of {board.name} off"
                await self._step(step, lambda number=number: board.switch(number, False), trouble)

    def _relay(self, pilot: SafeSwitch, number: int) -> Callable[[], Awaitable[None]]:
        return lambda: pilot.relay(number, False)

    async def _step(self, name: str, act: Callable[[], Awaitable[object]], trouble: list[str]) -> bool:
        return await run_step(self._source, name, act, trouble, SUPPLY_WITHIN_S)
