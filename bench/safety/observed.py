"""What the bench sees of the outlet right now: is anything live there?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from typing import Any, cast

from ..timeline import Event, Timeline
from .senses import Senses

__all__ = ["Outlet"]

GONE = ("FAULTED", "IDLE")
"""States of a device that reports nothing any more: what it said last is not what is."""

STALE_NS = 2 * 10**9
"""A meter reading older than this says nothing about now."""


class Outlet:
    """Follows output sense and bench meter of one outlet on a timeline.

    `live` and `current_a` are None while nothing (or nothing recent) says. `loads`: devices at the output whose
    voltmeter can say live, too.
    """

    def __init__(self, timeline: Timeline, evse: int = 1, loads: Collection[str] = ()) -> None:
        self._evse = evse
        self._senses = Senses(loads)
        self.state: str | None = None
        self._current_a: float | None = None
        self._voltage_v: float | None = None
        self._metered_ns = 0
        self._changed = asyncio.Event()
        self.unsubscribe = timeline.subscribe(self._look)

    @property
    def live(self) -> bool | None:
        """Whether anybody who senses it says that the output is live."""
        return self._senses.live

    @property
    def sense_lost(self) -> bool | None:
        """What the output sense said last before its device stopped answering."""
        return self._senses.lost

    @property
    def may_be_live(self) -> bool:
        """Somebody says that the output is live, or said so last before nothing more came."""
        return bool(self.live or self.sense_lost)

    @property
    def metered_ns(self) -> int:
        """Until when the newest meter reading holds; 0 before the first."""
        return self._metered_ns

    @property
    def voltage_v(self) -> float | None:
        """Highest phase voltage of the newest meter reading, if it is recent and tells any."""
        return None if self.current_a is None else self._voltage_v

    @property
    def current_a(self) -> float | None:
        """Highest phase current of the newest meter reading, if it is recent."""
        if self._current_a is None or time.monotonic_ns() - self._metered_ns > STALE_NS:
            return None
        return self._current_a

    def _look(self, event: Event) -> None:
        if event.evse not in (None, self._evse):
            return
        if event.topic == "device.state":
            # A device that found its way back says anew what it senses.
            if event.data["state"] not in GONE or not self._senses.gone(event.source):
                return
        elif event.topic == "cp.state":
            self.state = str(event.data["state"])
        elif event.topic == "meter.sample":
            phases = cast("list[Any]", event.data["current_a"])
            # a meter without currents says nothing about them, and not that none flows
            self._current_a = max((abs(float(value)) for value in phases), default=None)
            volts = cast("list[Any]", event.data["voltage_v"])
            self._voltage_v = max((abs(float(value)) for value in volts), default=None)
            self._metered_ns = event.stamp.order_ns
        elif not self._senses.take(event):
            return
        self._changed.set()

    async def wait_until(self, true: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for a condition on what is seen; False when the time is over before it holds."""
        deadline = time.monotonic() + timeout_s
        while not true():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            self._changed.clear()
            try:
                async with asyncio.timeout(min(left_s, 0.1)):
                    await self._changed.wait()
            except TimeoutError:
                continue
        return True
