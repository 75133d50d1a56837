"""One subject of the conversation with a station: provisioning, transactions, certificates, ...

A version's behaviour is a list of services (`behaviour.Composed`). A service proposes answers to the actions of its
subject, takes note of what was said in the end, and may ask the station something of itself afterwards.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from ..timeline import Stamp
from .fields import Payload

if TYPE_CHECKING:
    from .settings import Desk
    from .verbs import Caller

__all__ = ["Answers", "Asked", "FollowUp", "Service"]


class Asked(msgspec.Struct, frozen=True, gc=False):
    """How a request of the station came.

    - `asked`: the back end triggered it. `registered`: the station is served. `stamp`: its receipt.
    """

    asked: bool
    registered: bool
    stamp: Stamp


Answers = Mapping[str, Callable[[Payload, Asked], Payload]]
"""Action -> what proposes the answer to it. A proposal may be replaced before it is sent, so it changes nothing."""

FollowUp = Callable[["Caller"], Awaitable[None]]
"""What the back end does of itself after an answer was written."""


class Service:
    """Base of the services of one station; every method but `answers` does nothing unless a subject needs it."""

    def __init__(self, station: str, desk: Desk) -> None:
        self.station = station
        self.desk = desk

    def answers(self) -> Answers:
        """The actions of this subject. Called once, when the station first connects."""
        return {}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Take note of what was answered; called for every action. Returns remarks for the adapter."""
        return {}

    def follow(self, action: str, payload: Payload, reply: Payload) -> FollowUp | None:
        """What shall be done after the answer was written; None: nothing."""
        return None

    def heard(self, action: str, payload: Payload, stamp: Stamp) -> None:
        """A message that is never answered (2.1, type SEND)."""

    def connected(self) -> None:
        """A connection begins, the first or a new one: the station may have been away."""

    def asks(self, action: str, payload: Payload) -> None:
        """A request of the back end was sent; the station need not answer it before it speaks of it."""

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """The station's answer to a request of the back end."""

    def refused(self, action: str, payload: Payload) -> None:
        """The station answered a request of the back end by an error."""

    def booted(self) -> None:
        """The station reports a boot of its own accord."""
