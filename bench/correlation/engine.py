"""The engine: events in canonical order in, verdicts out.

Rules that read the same families of sources form a group with signals of its own (see `group`). What is decided
depends on the canonical sequence only; `advance` lets time pass without an event and can only make a decision come
sooner, not different.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import cast

import msgspec

from ..timeline import Event
from .digest import digest_of
from .excerpt import excerpt, one_line
from .facts import Facts
from .group import Group, groups_of
from .pack import NamedRule, Pack
from .qualify import qualify
from .summary import verdict_of
from .verdict import Instance, Outcome, Report, Verdict

__all__ = ["Engine", "canonical", "evaluate"]

OnVerdict = Callable[[Instance], None]
Around = Callable[[int, int], Iterable[Event]]
UNREAD = frozenset({"verdict", "tick"})
TEXTS = 25
"""So many texts with an excerpt are made per rule while the run goes on; more would cost more than they explain."""


class Engine:
    """Evaluates a pack over a sequence of events.

    `on_verdict` is called with each instance as it is decided, and again if what came later qualifies it.
    `around(from_ns, to_ns)` gives the events near a verdict, for its text.
    """

    def __init__(
        self, pack: Pack, facts: Facts, on_verdict: OnVerdict | None = None, around: Around | None = None
    ) -> None:
        self.pack = pack
        self.facts = facts
        self._on_verdict = on_verdict
        self._around = around
        self._texts: dict[str, dict[int, Instance]] = {named.id: {} for named in pack.rules}
        self.groups = groups_of(pack, facts, self._decided)
        self._speaks: dict[str, tuple[str, ...]] = {}
        self._routes: dict[tuple[str, str], tuple[Group, ...]] = {}

    def feed(self, event: Event) -> None:
        """Take the next event in canonical order.

        Raises:
            RuleError: it lies before the last one.
        """
        for group in self.route(event):
            group.feed(event)

    def route(self, event: Event) -> tuple[Group, ...]:
        """The groups that have to see an event."""
        topic, source = event.topic, event.source
        if topic == "source":
            self._heard_of(event)
        found = self._routes.get((topic, source))
        if found is None:
            speaks = self._speaks.get(source)
            found = tuple(
                group for group in self.groups if topic in group.topics and group.hears(topic, source, speaks)
            )
            self._routes[topic, source] = found
        return found

    def _heard_of(self, event: Event) -> None:
        topics = event.data.get("topics")
        if isinstance(topics, list):
            self._speaks[event.source] = tuple(map(str, cast("list[object]", topics)))
            self._routes = {key: groups for key, groups in self._routes.items() if key[1] != event.source}

    def groups_hearing(self, source: str) -> tuple[Group, ...]:
        """The groups that wait for a source."""
        speaks = self._speaks.get(source)
        return tuple(group for group in self.groups if group.concerned(speaks))

    def advance(self, watermark_ns: int) -> None:
        """Nothing older than this will come: settle what is due before it."""
        for group in self.groups:
            group.advance(watermark_ns)

    def open_obligations(self, rule: str | None = None) -> int:
        """How many obligations, of one rule or of all, the mere passing of time will settle."""
        return sum(group.open_obligations(rule) for group in self.groups)

    def finish(self, end_ns: int, truncated: bool = False) -> Report:
        """Settle everything and report. `truncated`: the record ends before the run did."""
        for group in self.groups:
            group.finish(end_ns, truncated)
        of_rule = {named.id: group for group in self.groups for named in group.rules}
        verdicts = [self._verdict(named, of_rule[named.id]) for named in self.pack.rules]
        late = sorted({event.id for group in self.groups for event in group.world.late})
        return Report(verdicts, digest_of(verdicts), truncated, tuple(late))

    # ---- inside

    def _verdict(self, named: NamedRule, group: Group) -> Verdict:
        ledger = group.ledgers[named.id]
        return verdict_of(named, ledger, lambda item: self._told(item, named, group), group.broken.get(named.id))

    def _decided(self, named: NamedRule, instance: Instance, group: Group) -> None:
        if self._on_verdict is None:
            return
        now = qualify(instance, group.world)
        if now.outcome.rank > Outcome.PASS.rank:
            now = self._told(now, named, group)
        self._on_verdict(now)

    def _told(self, instance: Instance, named: NamedRule, group: Group) -> Instance:
        """The instance with its text; as it was made when it was decided, if nothing changed since."""
        texts = self._texts[named.id]
        made = texts.get(instance.n)
        if made is not None and made.outcome is instance.outcome and made.reason == instance.reason:
            return msgspec.structs.replace(instance, text=made.text, line=made.line)
        line = one_line(instance, named)
        if len(texts) >= TEXTS and instance.outcome is not Outcome.ERROR:
            return msgspec.structs.replace(instance, line=line)
        text = excerpt(instance, named, self._near(instance, group), _tx_of(instance, group))
        texts[instance.n] = told = msgspec.structs.replace(instance, text=text, line=line)
        return told

    def _near(self, instance: Instance, group: Group) -> Sequence[Event]:
        events = {event.id: event for event in group.world.ring}
        if self._around is not None:
            for ref in instance.evidence[:8]:
                at_ns = ref.stamp.order_ns
                events.update((event.id, event) for event in self._around(at_ns - 200_000_000, at_ns + 200_000_000))
        return sorted(events.values(), key=lambda event: event.order)


def _tx_of(instance: Instance, group: Group) -> str | None:
    for event in reversed(group.world.tx_events):
        if event.evse == instance.evse and event.data.get("tx") is not None:
            return str(event.data["tx"])
    return None


def canonical(events: Iterable[Event]) -> list[Event]:
    """The sequence that decides: what rules read, in canonical order, up to the end of the run.

    Whatever comes after the bench said that it is closed (its own verdicts, the recorder's last words) is no
    part of the run.
    """
    ordered = sorted((event for event in events if event.topic not in UNREAD), key=lambda event: event.order)
    for i, event in enumerate(ordered):
        if event.topic == "bench.state" and event.data.get("state") == "closed":
            return ordered[: i + 1]
    return ordered


def evaluate(
    events: Iterable[Event], pack: Pack, facts: Facts, *, truncated: bool = False, known_ns: int = 0
) -> Report:
    """Judge recorded events: the same verdicts and digest as while they happened.

    `known_ns`: up to here nothing is missing (watermark), where that is later than the last event.
    """
    ordered = canonical(events)
    engine = Engine(pack, facts, around=Window(ordered))
    for event in ordered:
        engine.feed(event)
    last_ns = ordered[-1].stamp.order_ns if ordered else 0
    return engine.finish(max(last_ns, known_ns), truncated)


class Window:
    """The events of a sorted list between two instants."""

    def __init__(self, ordered: Sequence[Event]) -> None:
        self._ordered = ordered
        self._at = [event.stamp.order_ns for event in ordered]

    def __call__(self, from_ns: int, to_ns: int) -> Iterable[Event]:
        return self._ordered[bisect_left(self._at, from_ns) : bisect_right(self._at, to_ns)]
