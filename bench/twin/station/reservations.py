"""The reservation of the one outlet (1.6 section 5.13, 2.x H01 to H04)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from .clock import StationClock

__all__ = ["Reservation", "Reservations"]


@dataclass(frozen=True)
class Reservation:
    """For whom the outlet is kept, and until when."""

    number: int
    token: str
    group: str | None
    expires: datetime


class Reservations:
    """At most one. `changed` is called when it comes or goes; `expired` when its time is over."""

    def __init__(self, clock: StationClock) -> None:
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self.current: Reservation | None = None
        self.changed: Callable[[], None] = lambda: None
        self.expired: Callable[[int], None] = lambda _number: None

    def reserve(self, wanted: Reservation) -> None:
        """Take it; one with the same number is replaced."""
        self._drop()
        self.current = wanted
        left_s = (wanted.expires - self._clock.now()).total_seconds()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, left_s), self._expire)
        self.changed()

    def cancel(self, number: int) -> bool:
        """Give it up; False if there is none with this number."""
        if self.current is None or self.current.number != number:
            return False
        self._drop()
        self.changed()
        return True

    def admits(self, token: str, group: str | None) -> bool:
        """Whether this token may charge here now."""
        held = self.current
        return held is None or held.token == token or (held.group is not None and held.group == group)

    def use(self) -> int | None:
        """Its owner has come; returns its number."""
        number = self.current.number if self.current else None
        self._drop()
        return number

    def _expire(self) -> None:
        held, self.current = self.current, None
        if held is not None:
            self.changed()
            self.expired(held.number)

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.current = None
