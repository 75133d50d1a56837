"""count: what its three forms have in common: which events count, and what a number that is known as [lo, hi] means."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence

import msgspec

from ...timeline import Event, kind_of
from ..language.rule import Count, Occurrence
from ..language.signals import feeds
from ..verdict import Outcome, Range, Reason
from ..world.mark import Mark
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen
from .keys import Key, keys_by, outlet_of
from .matching import Selector
from .placing import placed

__all__ = ["Counted", "CountingMonitor", "Tally"]


class Counted(msgspec.Struct, frozen=True, gc=False):
    """An event that counts: when it was (None: it cannot be placed), and why it may be none, if it may."""

    event: Event
    key: Key
    outlet: int | None
    mark: Mark | None
    unsure: str = ""


class Tally(msgspec.Struct, gc=False):
    """How many: `lo` certainly, `hi` possibly; `unsure` of these only because `when` is not known."""

    lo: int = 0
    hi: int = 0
    unsure: int = 0

    def add(self, item: Counted, *, sure: bool) -> None:
        """One more that may count, and (`sure`) lies where it has to."""
        self.hi += 1
        if item.unsure:
            self.unsure += 1
        elif sure:
            self.lo += 1


class CountingMonitor(Monitor):
    """Tells its form of each event that counts; with `when` or `arm` once that is known, the slack after the event."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Count)
        self.rule = rule
        occurrences = (rule.event,) if isinstance(rule.event, Occurrence) else ()
        self._selector = Selector(occurrences)
        self._keys = keys_by(rule.per, self.world.facts.evses)
        self._asks = bool(rule.when) or self.arming is not None
        self._later: deque[Counted] = deque()
        self.sources: set[str] = set()
        self.topics = tuple(sorted(self._selector.topics)) or tuple(
            sorted(feeds(getattr(rule.event, "signal", ""), self.reader.signals))
        )

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        self.follow(event, edges)
        if isinstance(self.rule.event, Occurrence):
            if self._selector.takes(event.topic, event.data):
                mark = placed(self.rule, self.world, event)
                for key in self._keys(event):
                    self._ask(Counted(event, key, outlet_of(self.rule.per, key, event), mark))
            return
        for fired in self.triggered(self.rule.event, event, edges):
            known = fired.evse in self.world.facts.evses
            told = msgspec.structs.replace(event, evse=fired.evse) if known else event
            unsure = "nobody saw it: it lies in a gap" if fired.unseen else ""
            for key in self._keys(told):
                self._ask(Counted(event, key, outlet_of(self.rule.per, key, told), fired.mark, unsure))

    def _ask(self, item: Counted) -> None:
        self.sources.add(item.event.source)
        if not self._asks:
            self.count(item)
            return
        self._later.append(item)
        self.context.schedule(item.event.stamp.order_ns + self.context.slack_ns, self._next)

    def _next(self) -> None:
        if not self._later:
            return
        item = self._later.popleft()
        mark = item.mark or Mark.of(item.event)
        given, why = self.given(item.outlet, mark, item.event.data)
        if given is not Tri.FALSE:
            self.count(msgspec.structs.replace(item, unsure=item.unsure or why) if why else item)

    def finish(self, end_ns: int, truncated: bool) -> None:
        while self._later:
            self._next()
        self.close(end_ns, truncated)

    def open_deadlines(self) -> int:
        return len(self._later)

    def watched(self) -> tuple[str, ...]:
        """Whose silence a low number rests on: who told of one, else anybody."""
        anybody = {event.source for event in self.world.gaps} | {kind_of(topic) for topic in self.topics}
        return tuple(sorted(self.sources or anybody))

    # ---- what a number means

    def weigh(self, tally: Tally, *, over: bool) -> tuple[Outcome, str, Reason | None]:
        """The verdict on a number. `over`: nothing more will be counted; what it cannot lose is proven before."""
        shown = str(tally.hi) if tally.lo == tally.hi else f"{tally.lo} to {tally.hi}"
        few, many = self.rule.at_least, self.rule.at_most
        found: list[tuple[Outcome, str, Reason | None]] = [(Outcome.PASS, f"{shown} of them", None)]
        cut = Outcome.INCONCLUSIVE, f"the record ends at {shown}, before it is over", Reason.TRUNCATED
        if many is not None:
            if tally.lo > many:
                found.append((Outcome.FAIL, f"{shown} are more than {many}", None))
            elif tally.hi > many:
                found.append(self._open(shown, by_when=tally.hi - tally.unsure <= many))
            elif not over:
                found.append(cut)
        if few is not None and tally.lo < few:
            if not over:
                found.append(cut)
            elif tally.hi < few:
                found.append((Outcome.FAIL, f"{shown} are fewer than {few}", None))
            else:
                found.append(self._open(shown, by_when=tally.lo + tally.unsure >= few))
        return max(found, key=lambda verdict: verdict[0].rank)

    def _open(self, shown: str, *, by_when: bool) -> tuple[Outcome, str, Reason | None]:
        reason = Reason.PRECONDITION if by_when else Reason.CLOCK
        return Outcome.INCONCLUSIVE, f"{shown} of them: which of them count is open", reason

    def say(
        self,
        n: int,
        evse: int | None,
        tally: Tally,
        verdict: tuple[Outcome, str, Reason | None],
        seen: Sequence[Seen],
        window: tuple[float, float],
        opened_ns: int,
    ) -> None:
        """Write an instance down, with the number that was measured."""
        outcome, because, reason = verdict
        many = self.rule.at_most
        limit = many if many is not None else self.rule.at_least
        margin = None
        if many is not None:
            margin = Range(many - tally.hi, many - tally.lo, "events")
        elif limit is not None:
            margin = Range(tally.lo - limit, tally.hi - limit, "events")
        too_many = many is not None and tally.lo > many
        fewer = (outcome is Outcome.PASS and many is not None) or (outcome is Outcome.FAIL and not too_many)
        self.context.say(
            n,
            evse,
            outcome,
            because,
            opened_ns=opened_ns,
            reason=reason,
            measured=Range(tally.lo, tally.hi, "events"),
            limit=limit,
            margin=margin,
            seen=seen,
            windows=[window],
            watched=self.watched() if fewer else (),
            topics=self.topics if fewer else (),
            lengthened=False,
        )

    # ---- what the forms do

    def follow(self, event: Event, edges: Sequence[Edge]) -> None:
        """An event was applied to the world."""

    @abstractmethod
    def count(self, item: Counted) -> None:
        """An event counts."""

    @abstractmethod
    def close(self, end_ns: int, truncated: bool) -> None:
        """The record is over."""
