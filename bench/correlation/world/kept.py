"""What a world keeps of a run: tracks, readings, disturbances; and how a signal changes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ...timeline import Event
from ..facts import Facts
from ..language.reading import Reading
from ..language.signals import CONFIG, SIGNALS, STATION_SIGNALS, Signal
from .claims import ClaimClock
from .derived import DERIVED, derive
from .followed import Followed, Later
from .mark import Mark
from .outlet import Outlets
from .permission import Permission
from .pilot_facts import PilotFacts
from .profiles import ProfileBook
from .track import Change, Sample, Track

__all__ = ["Edge", "Kept", "keep"]

RING = 4000
REMEMBERED = 10_000
LATE_KEPT = 1000
LATE_NS = 30_000_000_000
"""Late events are kept by topic for longer than an instance stays open to them."""
DELAY_NS = 1_000_000_000
"""How long after a fact a source is taken to tell it, if it did not say so."""
SAMPLES = 20_000
"""Readings of a sampled signal that are kept: half an hour of a meter that is read ten times a second."""
ENERGIES = 200_000
"""Readings of the meter's register that are kept: what a transaction of five hours is compared with."""
AT_ONCE_NS = 1_000_000_000
"""A message that comes this soon after an edge was not held back."""
REACHED_PP = 1.0
"""How near to a profile's duty cycle counts as having come down to it (the tolerance of the ceiling)."""


class Edge(msgspec.Struct, frozen=True):
    """A signal of an outlet went from `before` to the change's value."""

    signal: str
    evse: int
    before: object
    change: Change


class Kept:
    """Tracks per signal and outlet, samples per outlet, the station's configuration, disturbances.

    What events make of them is said by the classes that build on this one, up to `World`.
    """

    def __init__(self, facts: Facts, reached_pp: float = REACHED_PP) -> None:
        self.facts = facts
        self.now_ns = 0
        self.ready_ns = 0
        self.shut_ns: int | None = None
        self.ring: deque[Event] = deque(maxlen=RING)
        self.delays: dict[str, int] = {}
        self.samples: dict[int, list[Sample]] = {evse: [] for evse in facts.evses}
        self.energy: dict[int, list[Event]] = {evse: [] for evse in facts.evses}
        self.registers: deque[Event] = deque(maxlen=REMEMBERED)
        self.tx_events: deque[Event] = deque(maxlen=REMEMBERED)
        self.gaps: deque[Event] = deque(maxlen=REMEMBERED)
        self.overruns: deque[Event] = deque(maxlen=REMEMBERED)
        self.late: deque[Event] = deque(maxlen=REMEMBERED)
        self.late_of: dict[str, deque[Event]] = {}
        self.claims = ClaimClock()
        self.wall: tuple[int, int] | None = None
        self._tracks: dict[tuple[str, int], Track] = defaultdict(Track)
        self._books = {evse: ProfileBook() for evse in facts.evses}
        self._cable_a: float | None = facts.rated_a if facts.outlet == "cable" else None
        self._tx: dict[int, str] = {}
        self._all_settings: Event | None = None
        self._over: deque[str] = deque(maxlen=RING)
        self._reset_pending = ""
        self._reached_pp = reached_pp
        self._edges: list[Edge] = []
        self.turned: list[tuple[Edge, Event]] = []
        """Edges that lie between two readings, each with the event by which monitors take it; the group empties it."""
        self.faults: deque[str] = deque(maxlen=REMEMBERED)
        self.doubts: dict[str, float] = {}
        self._followed: Followed | None = None
        self._derives: dict[str, list[str]] = {}
        self._derived: frozenset[str] = frozenset()
        self._own_samples: dict[tuple[str, int], list[Sample]] = {}
        self._permission = Permission(facts, self.track, self._set)
        self._outlets = Outlets(facts, self.track, self._set)
        self._pilot = PilotFacts(facts, self.track, self._set, reached_pp)
        self.handled: frozenset[str] = frozenset({"source"})

    def follow(self, signals: Mapping[str, Signal], later: Later) -> None:
        """Keep these signals too, by their definitions and by what they are derived from. `later` sets timers."""
        read = {name: signal for name, signal in signals.items() if signal.reading is not None}
        self._followed = Followed(read, self.facts.evses, self, later)
        self._derived = frozenset(DERIVED.keys() & signals.keys())
        for name in sorted(self._derived):
            for need in DERIVED[name][0]:
                self._derives.setdefault(need, []).append(name)
        self.handled |= self._followed.by_topic.keys()

    @property
    def config(self) -> dict[str, str] | None:
        """The station's configuration as last read back; None when it was not."""
        return self._permission.config

    def track(self, signal: str, evse: int) -> Track:
        """The track of a signal; an empty one when nothing was said of it."""
        if signal.startswith(CONFIG):
            return self._setting_track(signal)
        return self._tracks[signal, 0 if signal in STATION_SIGNALS else evse]

    def _setting_track(self, signal: str) -> Track:
        """A setting that was not among all those of the station: it has none of that name."""
        if (signal, 0) not in self._tracks and self._all_settings is not None:
            self._tracks[signal, 0].push(Change(Mark.of(self._all_settings), "", self._all_settings))
        return self._tracks[signal, 0]

    def note(self, event: Event) -> Sequence[Edge]:
        """Take an event that changes no signal: time goes on, and it is there to be shown."""
        stamp = event.stamp
        order_ns = stamp.order_ns
        if order_ns > self.now_ns:
            self.now_ns = order_ns
        self.ring.append(event)
        if event.late or order_ns - stamp.lo_ns > self.delays.get(event.source, DELAY_NS):
            self.late.append(event)
            kept = self.late_of.get(event.topic)
            if kept is None:
                kept = self.late_of[event.topic] = deque(maxlen=LATE_KEPT)
            kept.append(event)
            while kept[0].stamp.order_ns < order_ns - LATE_NS:
                kept.popleft()
        return ()

    def evses(self, event: Event) -> Iterable[int]:
        """The outlets an event speaks of: its own, or all when it names none."""
        if event.evse is None:
            return self.facts.evses
        return (event.evse,) if event.evse in self.facts.evses else ()

    def _set(
        self, signal: str, evse: int, value: object, event: Event, *, at: Mark | None = None, why: str = ""
    ) -> None:
        track = self.track(signal, evse)
        before = track.value
        change = Change(at or Mark.of(event), value, event, why)
        if track.push(change):
            self._edges.append(Edge(signal, evse, before, change))
            if signal in ("online", "tx"):
                self._outlets.online(event)
            if signal in self._derives:
                self._derive(signal, evse, event, change.mark)

    # ---- signals by definition, and derived ones

    def outlets(self, event: Event, outlet: int | None) -> Iterable[int]:
        """The outlets that a signal of an event is about: its own, or the one that the definition names."""
        if outlet is None:
            return self.evses(event)
        return (outlet,) if outlet in self.facts.evses else ()

    def turn(self, signal: str, evse: int, change: Change, event: Event) -> None:
        """A follower found a change; `event` is how monitors take it."""
        track = self.track(signal, evse)
        before = track.value
        if track.push(change):
            self.turned.append((Edge(signal, evse, before, change), event))
            self._derive(signal, evse, event, change.mark, turned=True)

    def sampled(self, signal: str, evse: int, event: Event, value: float) -> None:
        """A follower read a number."""
        if signal != "current":
            keep(self._own_samples.setdefault((signal, evse), []), Sample(event, value), SAMPLES)

    def samples_of(self, signal: str, evse: int) -> list[Sample]:
        """The readings of a sampled signal, oldest first, as far as they are kept."""
        if signal == "current":
            return self.samples[evse]
        return self._own_samples.setdefault((signal, evse), [])

    def faulted(self, event: Event, text: str) -> None:
        """A source contradicts what was declared of its signal."""
        self.faults.append(f"{event.id}: {text}")

    def doubted(self, signal: str, u: float) -> None:
        """The error bound of a signal that is summed up."""
        self.doubts[signal] = max(u, self.doubts.get(signal, 0.0))

    def delay_ns(self, source: str) -> int:
        """How much later than the fact a source tells it at most."""
        return self.delays.get(source, DELAY_NS)

    def gap_ns(self, signal: str, reading: Reading | None) -> int:
        """So long after a reading nothing is known any more: as defined, or as the bench file says of its meter."""
        if reading is not None and signal not in SIGNALS:
            return reading.max_gap_ns
        return round(self.facts.meter_max_gap_s * 1e9)

    def _derive(self, signal: str, evse: int, event: Event, mark: Mark, *, turned: bool = False) -> None:
        for name in self._derives.get(signal, ()):
            for one in self.facts.evses if signal in STATION_SIGNALS else (evse,):
                track = self.track(name, one)
                before = track.value
                needs = [self.track(need, one) for need in DERIVED[name][0]]
                change = derive(name, self.facts, track, needs, mark, event)
                if change is None:
                    continue
                edge = Edge(name, one, before, change)
                if turned:
                    self.turned.append((edge, event))
                else:
                    self._edges.append(edge)
                self._derive(name, one, event, mark, turned=turned)

    # ---- what several kinds of events change

    def _allowance(self, evse: int, event: Event) -> None:
        limit = self._books[evse].limit_a()
        self._set("profile", evse, limit, event)
        self._pilot.profile(evse, event)
        if limit is None or self._cable_a is None or self._books[evse].partial:
            self._set("allowance", evse, None, event, why="cable or profiles are not known")
        else:
            self._set("allowance", evse, min(limit, self._cable_a, self.facts.rated_a), event)


def keep(kept: list[Any], item: Any, most: int) -> None:
    """Append; of more than so many the oldest tenth goes."""
    kept.append(item)
    if len(kept) > most:
        del kept[: most // 10]
