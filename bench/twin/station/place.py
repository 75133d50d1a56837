"""The outlet as the course of a session and the choice of a status see it. `charging.Outlet` documents each member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .control import PilotControl
from .meter import OwnMeter, Sample
from .reservations import Reservations
from .session import Session, Token
from .speech import Status

__all__ = ["Place"]


class Place(Protocol):
    """What `course` and `states` need of an outlet, so that they do not know the outlet itself."""

    evse: int
    control: PilotControl
    meter: OwnMeter
    session: Session | None
    operative: bool
    has_lock: bool
    rating_a: float | None
    trouble: Status | None
    finishing: Status | None
    keeps_lock: bool
    last_idle: Sample
    phases: int
    reservations: Reservations

    @property
    def plugged(self) -> bool: ...

    @property
    def locked(self) -> bool: ...

    @property
    def offered_a(self) -> float | None: ...

    def cable_in(self) -> bool: ...

    def step(self) -> None: ...

    def release(self, session: Session) -> None: ...

    def request_stop(self, reason: str, token: Token | None = None) -> None: ...

    async def until(self, holds: Callable[[], bool], timeout_s: float | None) -> bool: ...
