"""The signals of one world that are followed by their definitions, and what they tell the monitors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec

from ...timeline import Event, Stamp
from ..language.reading import Reading
from ..language.signals import Signal
from .debounce import Proposal
from .edge_width import TURNED
from .follow import Follower, follower_of
from .mark import Mark
from .track import Change

__all__ = ["Followed", "Later", "turned"]

Later = Callable[[int, Callable[[], None]], None]


class Ground(Protocol):
    """The world as its followers see it."""

    now_ns: int

    def outlets(self, event: Event, outlet: int | None) -> Iterable[int]: ...
    def turn(self, signal: str, evse: int, change: Change, event: Event) -> None: ...
    def sampled(self, signal: str, evse: int, event: Event, value: float) -> None: ...
    def faulted(self, event: Event, text: str) -> None: ...
    def doubted(self, signal: str, u: float) -> None: ...
    def delay_ns(self, source: str) -> int: ...
    def gap_ns(self, signal: str, reading: Reading) -> int: ...


class Followed:
    """Followers of every outlet, by topic; an event goes to those that read it, in the order of their names."""

    def __init__(self, signals: Mapping[str, Signal], evses: Iterable[int], ground: Ground, later: Later) -> None:
        self.by_topic: dict[str, list[tuple[int | None, dict[int, Follower]]]] = {}
        self._of: dict[tuple[str, int], Follower] = {}
        self._ground = ground
        for name in sorted(signals):
            reading = signals[name].reading
            if reading is None:
                continue
            timed = msgspec.structs.replace(reading, max_gap_ns=ground.gap_ns(name, reading))
            outlets = {evse: follower_of(timed, _Home(name, evse, ground, later)) for evse in evses}
            self._of.update({(name, evse): follower for evse, follower in outlets.items()})
            for topic in reading.on.topics:
                self.by_topic.setdefault(topic, []).append((reading.outlet, outlets))

    def take(self, event: Event) -> None:
        """An event was applied to the world."""
        for outlet, followers in self.by_topic.get(event.topic, ()):
            for evse in self._ground.outlets(event, outlet):
                followers[evse].take(event)

    def lost(self, source: str, from_ns: int) -> dict[tuple[str, int], int]:
        """A source has a gap (the recorder: all have): from when on what was read from it is not known."""
        return {
            key: follower.lost(from_ns)
            for key, follower in self._of.items()
            if source == "recorder" or source in follower.sources
        }


class _Home:
    """One signal of one outlet in its world."""

    def __init__(self, signal: str, evse: int, ground: Ground, later: Later) -> None:
        self._signal = signal
        self._evse = evse
        self._ground = ground
        self.later = later

    def put(self, item: Proposal) -> None:
        # the edge is told when it is known, and happened when it did
        stamp = msgspec.structs.replace(item.stamp, order_ns=max(item.stamp.order_ns, self._ground.now_ns))
        event = turned(item.event, stamp)
        self._ground.turn(self._signal, self._evse, Change(Mark.of(event), item.value, item.event, item.why), event)

    def sample(self, event: Event, value: float) -> None:
        self._ground.sampled(self._signal, self._evse, event, value)

    def fault(self, event: Event, text: str) -> None:
        self._ground.faulted(event, text)

    def doubt(self, u: float) -> None:
        self._ground.doubted(self._signal, u)

    def delay_ns(self, source: str) -> int:
        return self._ground.delay_ns(source)


def turned(event: Event, stamp: Stamp) -> Event:
    """An edge that a reading made, as monitors take it: the reading's id and data, a stamp of its own."""
    return msgspec.structs.replace(event, topic=TURNED, stamp=stamp)
