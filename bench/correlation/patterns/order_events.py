"""order: in each entity, an event was preceded by another."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from ...timeline import Event, Interval
from ..condition import matches
from ..language.rule import Order
from ..verdict import Outcome, Reason
from ..world.mark import Mark, between, surely_before
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen
from .keys import Key, keys_by, outlet_of
from .placing import placed

__all__ = ["FIRSTS", "KEYS", "OPEN", "OrderEventsMonitor"]

KEYS = 10_000
"""Entities of which a rule remembers the first events; when older ones were given up, "there was none" is undecided."""
FIRSTS = 32
"""First events that are kept per entity: the oldest and the newest half; a middle one can only be missed by a FAIL."""
OPEN = 1000
"""Events that wait for what they need, per rule; of more, the oldest is given up."""


class _Firsts:
    """The first events of one entity."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.dropped = False

    def add(self, event: Event) -> None:
        self.events.append(event)
        if len(self.events) > FIRSTS:
            del self.events[FIRSTS // 2]
            self.dropped = True


class _Then:
    """One event that needs another before it."""

    def __init__(self, n: int, event: Event, key: Key, evse: int | None, booted: bool) -> None:
        self.n = n
        self.event = event
        self.key = key
        self.evse = evse
        self.booted = booted


class OrderEventsMonitor(Monitor):
    """A PASS as soon as it is certain; else once all that may lie before it has been received.

    By claimed times that may be at the very end: what waited in a queue arrives late.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Order)
        self.rule = rule
        self._keys = keys_by(rule.per, self.world.facts.evses)
        self._firsts: OrderedDict[Key, _Firsts] = OrderedDict()
        self._open: OrderedDict[int, _Then] = OrderedDict()
        self._sources: set[str] = set()
        self._topics = tuple(dict.fromkeys(topic for item in rule.first for topic in item.topics))
        self._booted = False
        self._gave_up = False
        self._asks = bool(self.when) or self.arming is not None

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        if event.topic == "ocpp.boot":
            self._booted = True
        if any(matches(item, event) for item in self.rule.first):
            self._sources.add(event.source)
            for key in self._keys(event):
                self._first(key, event)
        if any(matches(item, event) for item in self.rule.then):
            for key in self._keys(event):
                self._then(key, event)

    def _first(self, key: Key, event: Event) -> None:
        known = self._firsts.get(key)
        if known is None:
            known = self._firsts[key] = _Firsts()
            if len(self._firsts) > KEYS:
                self._firsts.popitem(last=False)
                self._gave_up = True
        self._firsts.move_to_end(key)
        known.add(event)

    def _then(self, key: Key, event: Event) -> None:
        outlet = outlet_of(self.rule.per, key, event)
        then = _Then(self.context.next_number(), event, key, outlet, self._booted)
        if not self._asks and self._passed(then):
            return
        self._open[then.n] = then
        if len(self._open) > OPEN:
            _, oldest = self._open.popitem(last=False)
            self._say(oldest, Outcome.INCONCLUSIVE, f"given up: more than {OPEN} wait at once", Reason.LIMIT)
        if self.rule.at == "rx":
            when_ns = event.stamp.order_ns + self.context.slack_ns
            self.context.schedule(when_ns, lambda: self._judge(self._open.pop(then.n, None)))

    def open_deadlines(self) -> int:
        return len(self._open)

    def finish(self, end_ns: int, truncated: bool) -> None:
        while self._open:
            self._judge(self._open.popitem(last=False)[1])

    # ---- one event

    def _candidates(self, then: _Then) -> list[Event]:
        known = self._firsts.get(then.key)
        return [] if known is None else known.events

    def _passed(self, then: _Then) -> bool:
        """Whether a first event certainly came before it; then that is said."""
        mark = placed(self.rule, self.world, then.event)
        if mark is None:
            return False
        for event in self._candidates(then):
            before = placed(self.rule, self.world, event)
            if before is not None and between(before, mark).lo >= 0 and not surely_before(mark, before):
                self._say(then, Outcome.PASS, f"{event.id} came before it", None, [(event, "before")])
                return True
        return False

    def _judge(self, then: _Then | None) -> None:
        if then is None:
            return
        given, why = self.given(then.evse, Mark.of(then.event))
        if given is Tri.FALSE or self._passed(then):
            return
        mark = placed(self.rule, self.world, then.event)
        if mark is None:
            text = f"when {then.event.id} happened is not known: it claims no time that can be mapped"
            self._say(then, Outcome.INCONCLUSIVE, text, Reason.CLOCK)
            return
        maybe = [event for event in self._candidates(then) if _may_precede(placed(self.rule, self.world, event), mark)]
        known = self._firsts.get(then.key)
        if maybe:
            text = f"{maybe[0].id} may have come before it, or after it"
            self._say(then, Outcome.INCONCLUSIVE, text, Reason.CLOCK, [(maybe[0], "perhaps before")])
        elif not then.booted:
            text = "what it needs may lie before the record: the station did not boot in it before"
            self._say(then, Outcome.INCONCLUSIVE, text, Reason.TRUNCATED)
        elif (known is None and self._gave_up) or (known is not None and known.dropped):
            text = f"what it needs may be among the events that were given up (more than {KEYS} entities)"
            self._say(then, Outcome.INCONCLUSIVE, text, Reason.LIMIT)
        else:
            self._say(then, Outcome.FAIL, f"nothing of what it needs came before {then.event.id}", unsure=why)

    def _say(
        self,
        then: _Then,
        outcome: Outcome,
        because: str,
        reason: Reason | None = None,
        more: Sequence[Seen] = (),
        unsure: str = "",
    ) -> None:
        failed = outcome is Outcome.FAIL
        self.context.say(
            then.n,
            then.evse,
            outcome,
            because,
            opened_ns=then.event.stamp.order_ns,
            reason=reason,
            seen=[*more, (then.event, "violation" if failed else "anchor")],
            windows=[(0, then.event.stamp.hi_ns)],
            watched=self._watched() if failed else (),
            topics=self._topics if failed else (),
            lengthened=False,
            unsure=unsure,
        )

    def _watched(self) -> tuple[str, ...]:
        """Who would have told of what is missing: those that did before, else anybody."""
        return tuple(sorted(self._sources or {event.source for event in self.world.gaps}))


def _may_precede(first: Mark | None, mark: Mark) -> bool:
    """Whether it may have come before, or cannot be placed; not what certainly follows in one ordered source."""
    if first is None:
        return True
    span: Interval = between(first, mark)
    return span.hi >= 0 and not surely_before(mark, first)
