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
from .excerpt import AFTER_NS, BEFORE_NS, excerpt, one_line, worth_showing
from .facts import Facts
from .group import Group, groups_of
from .language.pack import NamedRule, Pack
from .summary import verdict_of
from .verdict import Instance, Outcome, Report, Verdict
from .watch import Watch, distrust, uncalibrated

__all__ = ["Engine", "Window", "canonical", "evaluate"]

OnVerdict = Callable[[Instance], None]
Around = Callable[[int, int], Iterable[Event]]
UNREAD = frozenset({"verdict", "tick"})
TEXTS = 25
ALL_TEXTS = 1000
"""So many texts with an excerpt are made per rule, and in all, beside that of each rule's worst instance; more would
cost more than they explain."""
SHOWN = 8


class Engine:
    """Evaluates a pack over a sequence of events.

    `on_verdict` is called with each instance as it is decided, and again if what came later qualifies it.
    `around(from_ns, to_ns)` gives the events near a verdict, for its text. `quiet_ns`: of the passes of a rule, no
    more than one in so much of the bench's time is told.
    """

    def __init__(
        self,
        pack: Pack,
        facts: Facts,
        on_verdict: OnVerdict | None = None,
        around: Around | None = None,
        quiet_ns: int = 0,
    ) -> None:
        self.pack = pack
        self.facts = facts
        self._on_verdict = on_verdict
        self._around = around
        self._quiet_ns = quiet_ns
        self._passed_ns: dict[str, int] = {}
        self._made = 0
        self._texts: dict[str, dict[int, Instance]] = {named.id: {} for named in pack.rules}
        self._watch = Watch(pack, facts)
        self.groups = [*groups_of(pack, facts, self._decided), self._watch]
        self._speaks: dict[str, tuple[str, ...]] = {}
        self._stimulating: set[str] = set()
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
        elif topic == "stimulus":
            self._stimulating.add(source)
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
        """The groups that wait for a source: by what it declares, and for its stimuli, of which nobody declares any."""
        speaks, acts = self._speaks.get(source), source in self._stimulating
        return tuple(group for group in self.groups if group.concerned(speaks) or (acts and "stimulus" in group.topics))

    def advance(self, watermark_ns: int) -> None:
        """Nothing older than this will come: settle what is due before it."""
        for group in self.groups:
            group.advance(watermark_ns)

    def open_obligations(self, rule: str | None = None, upto_ns: int | None = None) -> int:
        """How many obligations, of one rule or of all, the mere passing of time will settle (before `upto_ns`)."""
        return sum(group.open_obligations(rule, upto_ns) for group in self.groups)

    def finish(self, end_ns: int, truncated: bool = False) -> Report:
        """Settle everything and report. `truncated`: the record ends before the run did."""
        for group in self.groups:
            group.finish(end_ns, truncated)
        of_rule = {named.id: group for group in self.groups for named in group.rules}
        verdicts = [self._verdict(named, of_rule[named.id]) for named in self.pack.rules]
        late = sorted({event.id for group in self.groups for event in group.world.late})
        found = [violation.text for violation in self._watch.violations]
        faults = sorted({text for group in self.groups for text in group.world.faults})
        return Report(verdicts, digest_of(verdicts), truncated, tuple(late), (*found, *faults))

    # ---- inside

    def _verdict(self, named: NamedRule, group: Group) -> Verdict:
        def told(item: Instance, worst: bool) -> Instance:
            return self._told(item, named, group, worst=worst)

        verdict = verdict_of(named, group.ledgers[named.id], told, group.broken.get(named.id))
        wall = self._watch.world.wall
        calibrated = uncalibrated(verdict, named, self.facts, None if wall is None else wall[1])
        return distrust(calibrated, named, self._watch.violations)

    def _decided(self, named: NamedRule, instance: Instance, group: Group) -> None:
        if self._on_verdict is None:
            return
        if self._quiet_ns and instance.outcome is Outcome.PASS:
            last_ns = self._passed_ns.get(named.id)
            if last_ns is not None and instance.decided_ns - last_ns < self._quiet_ns:
                return
            self._passed_ns[named.id] = instance.decided_ns
        now = group.qualified(instance)
        if now.outcome is Outcome.PASS:
            now = msgspec.structs.replace(now, line=one_line(now, named))
        else:
            now = self._told(now, named, group)
        self._on_verdict(now)

    def _told(self, instance: Instance, named: NamedRule, group: Group, *, worst: bool = False) -> Instance:
        """The instance with its text; as it was made when it was decided, if nothing changed since."""
        texts = self._texts[named.id]
        made = texts.get(instance.n)
        if made is not None and made.outcome is instance.outcome and made.reason == instance.reason:
            return made
        if instance.outcome is Outcome.PASS and not worst:
            return instance
        line = one_line(instance, named)
        if not worst and (instance.outcome is Outcome.PASS or len(texts) >= TEXTS or self._made >= ALL_TEXTS):
            return msgspec.structs.replace(instance, line=line)
        self._made += 1
        text = excerpt(instance, named, self._near(instance, group), _tx_of(instance, group))
        texts[instance.n] = told = msgspec.structs.replace(instance, text=text, line=line)
        return told

    def _near(self, instance: Instance, group: Group) -> Sequence[Event]:
        """The events around the evidence, in canonical order: what may stand in the text, and the evidence itself."""
        at_ns = {ref.stamp.order_ns for ref in instance.evidence}
        if self._around is None:
            return [event for event in group.world.ring if worth_showing(event, at_ns)]
        events: dict[tuple[int, int, int], Event] = {}
        for each_ns in sorted(at_ns)[:SHOWN]:
            for event in self._around(each_ns - BEFORE_NS, each_ns + AFTER_NS):
                if worth_showing(event, at_ns):
                    events[event.order] = event
        return [events[order] for order in sorted(events)]


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
