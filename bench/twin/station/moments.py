"""The moments of clock-aligned values: whole multiples of an interval from midnight (1.6 section 3.16.2, 2.x J01)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from .clock import StationClock

__all__ = ["moments"]

_LOOK_S = 1.0


async def moments(clock: StationClock, interval_s: Callable[[], int]) -> AsyncGenerator[None]:
    """Come back at each, without end; `interval_s` (seconds) is asked again every second, and 0 means none."""
    while True:
        every_s = interval_s()
        if not every_s:
            await asyncio.sleep(_LOOK_S)
            continue
        now = clock.now()
        today_s = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6
        wait_s = every_s - today_s % every_s
        await asyncio.sleep(min(wait_s, _LOOK_S))
        if wait_s <= _LOOK_S:
            yield
