"""OCPP 1.6 put together."""

from __future__ import annotations

from ..clock import StationClock
from ..faults import Knobs
from ..link import Link
from ..messages import Answers
from ..parts import Parts
from ..transaction import TransactionQueue
from .aligned import send_aligned_values
from .config import Config
from .dialect import Dialect16
from .requests import Requests16
from .story import Story16

__all__ = ["Version16"]


class Version16:
    """Implements `versions.Version`."""

    def __init__(self, station: str, knobs: Knobs, evses: int = 1) -> None:
        self._knobs = knobs
        self.speech = Dialect16(station, evses)
        self.settings = Config(evses)
        self._stories: dict[int, Story16] = {}

    def story(self, evse: int, queue: TransactionQueue, link: Link, clock: StationClock) -> Story16:
        self._stories[evse] = Story16(evse, queue, self.speech, self.settings, clock, self._knobs)
        return self._stories[evse]

    def answers(self, parts: Parts) -> Answers:
        return Requests16(parts, self.settings, self._knobs).answers

    async def work(self, parts: Parts) -> None:
        await send_aligned_values(parts, self.settings, self._stories, self._knobs)
