"""What the parts of a link ask of it. They know this protocol and not the link."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from ..timeline import Stamp
from .dialect import Fact, Payload
from .misbehave.faults import LinkFaults
from .rpc import Fault, MessageId
from .service import FollowUp
from .verbs import Verbs

__all__ = ["Parent"]


class Registered(Protocol):
    """How far a station's registration is; `registration.Registration`."""

    @property
    def status(self) -> str | None: ...


class Parent(Protocol):
    """A station's link as its parts see it; `link.StationLink` documents each member."""

    station: str

    @property
    def registration(self) -> Registered: ...

    @property
    def connected(self) -> bool: ...

    @property
    def verbs(self) -> Verbs: ...

    @property
    def faults(self) -> LinkFaults: ...

    def send_raw(
        self, text: str, *, action: str | None = None, message_id: MessageId | None = None
    ) -> Stamp | None: ...

    def hang_up(self, code: int, reason: str) -> None: ...

    def publish(self, fact: Fact, stamp: Stamp) -> None: ...

    def violation(
        self,
        fault: Fault,
        stamp: Stamp,
        *,
        action: str | None = None,
        code: str | None = None,
        direction: str = "rx",
    ) -> None: ...

    def task(self, work: Awaitable[None], name: str) -> None: ...

    def follow_up(self, work: FollowUp, action: str) -> None: ...

    def trouble(self, what: str, exc: Exception) -> None: ...

    def identified(self, identity: dict[str, Any]) -> None: ...

    def clock_claim(self, action: str, payload: Payload, stamp: Stamp) -> None: ...
