"""The behaviour of the back end towards one station: its services, and a default for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from ..timeline import Stamp
from .defaults import default_of
from .dialect import Payload, Proposal
from .schemas import Schemas
from .service import Asked, FollowUp, Service

__all__ = ["Composed"]

S = TypeVar("S", bound=Service)


class Composed:
    """A behaviour made of services; implements `dialect.Behaviour`.

    Raises:
        ValueError: two services answer the same action.
    """

    def __init__(self, services: Sequence[Service], schemas: Schemas) -> None:
        self.services = tuple(services)
        self._schemas = schemas
        # Most services do nothing in these two, and every message goes through them.
        self._settling = [one for one in self.services if type(one).settled is not Service.settled]
        self._following = [one for one in self.services if type(one).follow is not Service.follow]
        self._answers: dict[str, Any] = {}
        for service in self.services:
            for action, answer in service.answers().items():
                if action in self._answers:
                    raise ValueError(f"two services answer {action}")
                self._answers[action] = answer

    @property
    def actions(self) -> frozenset[str]:
        """Actions that have behaviour of their own; every other one gets a default."""
        return frozenset(self._answers)

    def propose(self, action: str, payload: Payload, how: Asked) -> Proposal:
        """The answer to a request that fits its schema."""
        answer = self._answers.get(action)
        if answer is not None:
            return Proposal(answer(payload, how), "behaviour")
        return Proposal(default_of(action, self._schemas.schema(action, "response")), "default")

    def settle(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Let every service take note of what was answered; returns their remarks together."""
        notes: Payload = {}
        for one in self._settling:
            remarks = one.settled(action, payload, reply)
            if remarks:
                notes |= remarks
        return notes

    def follow(self, action: str, payload: Payload, reply: Payload) -> Iterable[FollowUp]:
        """What is to be done after the answer was written."""
        wanted = [one.follow(action, payload, reply) for one in self._following]
        return [work for work in wanted if work is not None]

    def heard(self, action: str, payload: Payload, stamp: Stamp) -> None:
        """A message that is never answered."""
        for service in self.services:
            service.heard(action, payload, stamp)

    def connected(self) -> None:
        """A connection begins."""
        for service in self.services:
            service.connected()

    def asks(self, action: str, payload: Payload) -> None:
        """A request of the back end was sent."""
        for service in self.services:
            service.asks(action, payload)

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """The station answered a request of the back end."""
        for service in self.services:
            service.answered(action, payload, answer)

    def refused(self, action: str, payload: Payload) -> None:
        """The station answered a request of the back end by an error."""
        for service in self.services:
            service.refused(action, payload)

    def booted(self) -> None:
        """The station reports a boot of its own accord."""
        for service in self.services:
            service.booted()

    def service(self, kind: type[S]) -> S | None:
        """The service of this kind; None when the version has none."""
        return next((service for service in self.services if isinstance(service, kind)), None)
