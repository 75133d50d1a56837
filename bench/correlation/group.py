"""Rules that read the same families of sources, with the signals that they share.

What a group decides depends on its canonical sequence only: timers are set on event times and run between two
events, never by anybody's clock. A group waits for its own sources and for no others.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import cast

import msgspec

from ...errors import RuleError
from ..timeline import Event
from .condition import Reader
from .excuse import MISBEHAVIOUR, Excuses, is_excusable
from .facts import Facts
from .language.pack import NamedRule, Pack
from .language.signals import CONFIG, Signal
from .ledger import KEEP, KEEP_ALL, Ledger
from .patterns import Context, Monitor, monitor_for
from .qualify import qualify
from .reads import DISTURBANCES, family, lag_ns, reads, signals_in
from .verdict import Instance
from .world.world import World

__all__ = ["Group", "groups_of"]

Order = tuple[int, int, int]
OnDecided = Callable[[NamedRule, Instance, "Group"], None]
LEAST_KEPT = 20
_STATION_TOPICS = ("ocpp.", "csms.", "station.")


class Group:
    """Monitors over one world; `feed` takes events in canonical order."""

    def __init__(
        self, families: frozenset[str], rules: Sequence[NamedRule], pack: Pack, facts: Facts, on_decided: OnDecided
    ) -> None:
        self.families = families
        self.rules = tuple(rules)
        self.world = World(facts)
        self.last: Order = (-1, -1, -1)
        self.ledgers: dict[str, Ledger] = {}
        self.topics: set[str] = set(DISTURBANCES)
        self._facts = facts
        self.broken: dict[str, str] = {}
        self._excusable = {named.id: named.rule.severity == "safety" for named in rules if is_excusable(named)}
        self._excuses = Excuses()
        if self._excusable:
            self.topics.add(MISBEHAVIOUR)
        self._timers: list[tuple[int, int, str, Callable[[], None]]] = []
        self._count = count()
        self._monitors: list[tuple[NamedRule, Monitor, frozenset[str]]] = []
        self._naming: dict[str, tuple[Monitor, ...]] = {}
        signals = _signals_of(rules)
        self.world.follow(signals, self._follower_timer)
        keep = min(KEEP, max(LEAST_KEPT, KEEP_ALL // max(1, len(pack.rules))))
        self._speaking: dict[str, tuple[tuple[str, ...], int]] = {}
        self._contexts: list[Context] = []
        for named in rules:
            ledger = self.ledgers[named.id] = Ledger(self.qualified, keep)

            def report(instance: Instance, named: NamedRule = named, ledger: Ledger = ledger) -> None:
                ledger.take(instance, self.world.now_ns)
                on_decided(named, instance, self)

            context = Context(Reader(self.world, pack, named), self._scheduler(named.id), report)
            context.lag_ns = lag_ns(named.rule, signals, round(facts.meter_max_gap_s * 1e9))
            context.slack_ns += context.lag_ns
            topics = reads(named.rule, named.signals)
            self.topics |= topics
            self._contexts.append(context)
            self._monitors.append((named, monitor_for(context), topics | {"gap", "bench.state"}))
        self._version: str | None = None
        self._dispatch: dict[str, tuple[Monitor, ...]] = {}
        self._index()

    def _index(self) -> None:
        """Who is called for which topic, of the rules that are about the station's OCPP version."""
        table: dict[str, list[Monitor]] = {topic: [] for topic in self.topics}
        naming: dict[str, list[Monitor]] = {}
        for named, monitor, topics in self._monitors:
            about = named.rule.ocpp
            if named.id in self.broken:
                continue
            if about and self._version is not None and self._version not in about:
                continue
            for topic in topics:
                table.setdefault(topic, []).append(monitor)
            for name in signals_in(named.rule):
                naming.setdefault(name, []).append(monitor)
        self._naming = {name: tuple(monitors) for name, monitors in naming.items()}
        self._dispatch = {topic: tuple(monitors) for topic, monitors in table.items()}

    def qualified(self, instance: Instance) -> Instance:
        """The instance as it stands with what is known of disturbances, those on purpose too."""
        found = qualify(instance, self.world)
        safety = self._excusable.get(instance.rule)
        return found if safety is None else self._excuses.apply(found, safety=safety)

    def concerned(self, speaks: Sequence[str] | None) -> bool:
        """Whether a source that speaks of topics with these beginnings (None: of anything) matters here."""
        if speaks is None:
            return True
        beginnings = tuple(speaks)
        return any(topic.startswith(beginnings) for topic in self.topics - DISTURBANCES)

    def hears(self, topic: str, source: str, speaks: Sequence[str] | None) -> bool:
        """Whether what this source says of the topic is for this group: of gaps, those of its own sources only."""
        return topic != "gap" or source == "recorder" or self.concerned(speaks)

    def feed(self, event: Event) -> None:
        """Take the next event in canonical order.

        Raises:
            RuleError: it lies before the last one.
        """
        order = event.order
        if order < self.last:
            raise RuleError(f"{event.id} was fed out of canonical order; sort the events by their order first")
        self.last = order
        self.take(event, order[0])

    def take(self, event: Event, order_ns: int) -> None:
        """`feed` without the check."""
        timers = self._timers
        if timers and timers[0][0] < order_ns:
            self.advance(order_ns)
        topic = event.topic
        world = self.world
        if topic in world.handled:
            if topic == "source":
                self._source(event)
                return
            if topic == "ocpp.connected" and self.foreign(event):
                return
            try:
                edges = world.apply(event)
            except Exception as error:  # noqa: BLE001 - what cannot be read must not raise into the driver that told it
                event, edges = world.unreadable(event, error)
                topic = event.topic
            if topic == "ocpp.connected":
                self._connected(event)
        else:
            edges = world.note(event)
        if topic.startswith(_STATION_TOPICS) and self.foreign(event):
            return
        if topic == MISBEHAVIOUR:
            self._excuses.take(event)
        for monitor in self._dispatch.get(topic, ()):
            try:
                monitor.take(event, edges)
            except Exception as error:  # noqa: BLE001 - a rule that breaks must not take the others with it
                self._break(monitor, error, event.id)
        if world.turned:
            self._turned()

    def _turned(self) -> None:
        """Tell of the edges that lie between two readings: each comes as an event of its own, with its own stamp."""
        world = self.world
        turned, world.turned = world.turned, []
        for edge, event in turned:
            for monitor in self._naming.get(edge.signal, ()):
                try:
                    monitor.take(event, (edge,))
                except Exception as error:  # noqa: BLE001 - as above
                    self._break(monitor, error, event.id)

    def _follower_timer(self, when_ns: int, action: Callable[[], None]) -> None:
        """A timer of a signal's follower, which belongs to no rule."""

        def due() -> None:
            action()
            self._turned()

        heapq.heappush(self._timers, (when_ns, next(self._count), "", due))

    def advance(self, watermark_ns: int) -> None:
        """Nothing older than this will come: settle what is due before it."""
        timers = self._timers
        world, broken = self.world, self.broken
        while timers and timers[0][0] < watermark_ns:
            when_ns, _, rule, action = heapq.heappop(timers)
            if when_ns > world.now_ns:
                world.now_ns = when_ns
            if rule in broken:
                continue
            if not rule:
                action()
                continue
            try:
                action()
            except Exception as error:  # noqa: BLE001 - as above
                monitor = next(item for named, item, _ in self._monitors if named.id == rule)
                self._break(monitor, error, f"{when_ns} ns")

    def finish(self, end_ns: int, truncated: bool) -> None:
        """Settle everything: nothing more will come."""
        self.advance(end_ns + 1)
        self.world.now_ns = max(self.world.now_ns, end_ns)
        for named, monitor, _ in self._monitors:
            if named.id in self.broken:
                continue
            try:
                monitor.finish(end_ns, truncated)
            except Exception as error:  # noqa: BLE001 - as above
                self._break(monitor, error, "the end")
        for ledger in self.ledgers.values():
            ledger.close()

    def open_obligations(self, rule: str | None = None, upto_ns: int | None = None) -> int:
        """How many obligations, of one rule or of all, the mere passing of time will settle.

        `upto_ns`: only of the rules that have something to do before that instant.
        """
        if upto_ns is not None:
            soon = {name for when_ns, _, name, _ in self._timers if when_ns <= upto_ns}
            return sum(monitor.open_deadlines() for named, monitor, _ in self._monitors if named.id in soon)
        return sum(monitor.open_deadlines() for named, monitor, _ in self._monitors if rule in (None, named.id))

    def _scheduler(self, rule: str) -> Callable[[int, Callable[[], None]], None]:
        """What sets a rule's timers."""
        timers, counter = self._timers, self._count

        def schedule(when_ns: int, action: Callable[[], None]) -> None:
            heapq.heappush(timers, (when_ns, next(counter), rule, action))

        return schedule

    def _break(self, monitor: Monitor, error: Exception, where: str) -> None:
        """A rule that cannot be judged for a defect of this program: its verdict is an ERROR, and says so."""
        named = next(named for named, item, _ in self._monitors if item is monitor)
        self.broken.setdefault(named.id, f"{type(error).__name__} at {where}: {error}")
        self._index()

    def foreign(self, event: Event) -> bool:
        """The event is of a station that this bench is not about."""
        station = event.data.get("station")
        return bool(station and self._facts.station and station != self._facts.station)

    def _connected(self, event: Event) -> None:
        version = event.data.get("version")
        if isinstance(version, str) and version != self._version:
            if self._version is not None:
                # what is owed in the version that it spoke before, it may tell in the new one: there nobody listens
                at_ns, why = event.stamp.order_ns, f"the station speaks OCPP {version} now, no more {self._version}"
                data = {"from_ns": at_ns, "to_ns": at_ns, "why": why}
                self.world.gaps.append(msgspec.structs.replace(event, topic="gap", data=data))
            self._version = version
            self._index()

    def _source(self, event: Event) -> None:
        """A source says what it speaks of, and how late: nobody waits longer than for the slowest that he reads."""
        topics, delay_ns = event.data.get("topics"), event.data.get("delay_ns")
        if not isinstance(topics, list) or not isinstance(delay_ns, int):
            return
        self.world.delays[event.source] = delay_ns
        self._speaking[event.source] = (tuple(map(str, cast("list[object]", topics))), delay_ns)
        for context, (_, _, read) in zip(self._contexts, self._monitors, strict=True):
            wanted = read - DISTURBANCES
            mine = [
                delay for begins, delay in self._speaking.values() if any(topic.startswith(begins) for topic in wanted)
            ]
            said = [any(topic.startswith(begins) for begins, _ in self._speaking.values()) for topic in wanted]
            if mine and all(said):
                context.slack_ns = max(mine) + context.lag_ns


def _signals_of(rules: Sequence[NamedRule]) -> dict[str, Signal]:
    """The signals that rules name, and those that they are derived from."""
    found: dict[str, Signal] = {}

    def add(name: str, signals: Mapping[str, Signal]) -> None:
        if name not in found and not name.startswith(CONFIG):
            found[name] = signals[name]
            for need in signals[name].needs:
                add(need, signals)

    for named in rules:
        for name in sorted(signals_in(named.rule)):
            add(name, named.known)
    return found


def groups_of(pack: Pack, facts: Facts, on_decided: OnDecided) -> list[Group]:
    """The rules of a pack, by the families of sources that they read."""
    by_families: dict[frozenset[str], list[NamedRule]] = {}
    for named in pack.rules:
        by_families.setdefault(frozenset(map(family, reads(named.rule, named.signals))), []).append(named)
    return [Group(families, rules, pack, facts, on_decided) for families, rules in by_families.items()]
