"""The versions of OCPP that the station speaks: the one place that chooses between them."""

from __future__ import annotations

from typing import Protocol

from .clock import StationClock
from .faults import Knobs
from .link import Link
from .messages import Answers
from .parts import Parts
from .settings import Settings
from .speech import Speech
from .story import Story
from .transaction import TransactionQueue

__all__ = ["Version", "version_of"]


class Version(Protocol):
    """What a version adds to the parts that all have in common."""

    @property
    def speech(self) -> Speech: ...
    @property
    def settings(self) -> Settings: ...

    def story(self, evse: int, queue: TransactionQueue, link: Link, clock: StationClock) -> Story:
        """The story of one outlet, numbered from 1."""
        ...

    def answers(self, parts: Parts) -> Answers:
        """Who answers which request; the station is complete by then."""
        ...

    async def work(self, parts: Parts) -> None:
        """What the version does besides, from power-on until it is cancelled."""
        ...


def version_of(name: str, station: str, knobs: Knobs, evses: int = 1) -> Version:
    """The version called "1.6", "2.0.1" or "2.1"; modules of the others are not loaded."""
    if name == "1.6":
        from .v16.version import Version16

        return Version16(station, knobs, evses)
    from .v2x.version import Version2x

    return Version2x(name, station, knobs, evses)
