"""What a version tells the back end of the transactions at the outlet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from .meter import Sample
from .place import Place
from .session import Session
from .speech import Status

__all__ = ["Interrupted", "Running", "Stage", "Story"]

Stage = Literal["authorised", "connected", "locked", "current"]
"""How far a session has come: card or remote start, vehicle there, cable held, current flows."""


@dataclass
class Running:
    """A transaction that has begun; `id` is the back end's number in 1.6 and the station's own text in 2.x."""

    started_at: datetime
    id: int | str | None = None


@dataclass(frozen=True)
class Interrupted:
    """A transaction that goes on after a restart. `session`: None while nobody is authorised in it."""

    session: Session | None


class Story(Protocol):
    """Told by the outlet and the course of a session what happens; queues the messages that belong to it."""

    @property
    def running(self) -> Running | None:
        """The transaction that has begun and not ended."""
        ...

    def attach(self, outlet: Place) -> None:
        """The outlet that this is the story of; once, before anything else."""
        ...

    def noticed(self, status: Status) -> None:
        """The outlet has taken a step and has this status now."""
        ...

    def reached(self, session: Session, stage: Stage) -> None:
        """A session has come to a stage."""
        ...

    def sampled(self) -> None:
        """It is time for a periodic sample."""
        ...

    def settled(self, session: Session, at: datetime, end: Sample) -> None:
        """The output is dead and the register stands still."""
        ...

    def ended(self, session: Session, at: datetime, end: Sample) -> None:
        """The session is over; `session.stop_reason` says why."""
        ...

    def power_lost(self, session: Session | None) -> None:
        """The supply went away; what is queued now is sent after the next boot."""
        ...

    def interrupt(self) -> bool:
        """A reset comes that the transaction outlives: tell so. False when no transaction runs."""
        ...

    def take_up(self) -> Interrupted | None:
        """The supply, or the reset, is over: what goes on now; None when nothing does."""
        ...

    def abandon(self, reason: str) -> None:
        """End a transaction that has no session (2.x); reasons are those of a session."""
        ...
