"""order: at an anchor, what has to come first is already there."""

from __future__ import annotations

from collections.abc import Sequence

from ...timeline import Event
from ..decide import clean
from ..language.rule import Condition, Order, Turn
from ..verdict import Outcome, Range, Reason
from ..world.mark import Mark, between, possible_order
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Fired, Monitor, Seen

__all__ = ["OrderMonitor"]


class OrderMonitor(Monitor):
    """Looks back from each anchor, once everything that may lie before it has been received."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Order)
        self.rule = rule
        assert rule.anchor is not None
        self.anchor = rule.anchor
        self.settle_ns = self.reader.ns(rule.settle)
        self._open: list[tuple[int, Event, Fired]] = []

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        for fired in self.triggered(self.anchor, event, edges):
            self._open.append((self.context.next_number(), event, fired))
            self.context.schedule(event.stamp.order_ns + self.context.slack_ns, self._next)

    def _next(self) -> None:
        if self._open:
            self._judge(*self._open.pop(0))

    def finish(self, end_ns: int, truncated: bool) -> None:
        while self._open:
            self._next()

    def open_deadlines(self) -> int:
        return len(self._open)

    def _judge(self, n: int, anchor: Event, fired: Fired) -> None:
        evse, mark = fired.evse, fired.mark
        given, unsure = self.given(evse, mark, fired.params)
        if given is Tri.FALSE:
            return
        outcome, because, reason = Outcome.PASS, "everything it needs came before it", None
        seen: list[Seen] = [(anchor, "anchor")]
        lead: Range | None = None
        for condition in self.rule.before:
            tri, why = self.reader.at(condition, evse, mark, {})
            step, span = self._since(condition, evse, mark)
            if step is not None:
                seen.append((step, "before"))
            if span is not None and (lead is None or (lead.lo or 0) > span[0]):
                lead = Range(clean(span[0]), clean(span[1]), "ms")
            if tri is Tri.FALSE:
                outcome, because, reason = Outcome.FAIL, f"{_name(condition)} did not hold at {anchor.id}", None
                lead = None
                break
            if tri is Tri.UNKNOWN and outcome is Outcome.PASS:
                outcome = Outcome.INCONCLUSIVE
                because = why or f"whether {_name(condition)} at {anchor.id} is within the widths of the edges"
                reason = Reason.PRECONDITION if why else Reason.CLOCK
        contradiction = self._contradiction(evse, mark)
        if contradiction is not None:
            outcome, reason = Outcome.ERROR, None
            because = f"the bench contradicts itself: {contradiction.id} shows current while the output sense says dead"
            seen.append((contradiction, "contradiction"))
        self.context.say(
            n,
            evse,
            outcome,
            because,
            opened_ns=anchor.stamp.order_ns,
            reason=reason,
            measured=lead if outcome is Outcome.PASS else None,
            limit=0.0 if outcome is Outcome.PASS and lead is not None else None,
            margin=lead if outcome is Outcome.PASS else None,
            seen=seen,
            windows=[(anchor.stamp.lo_ns, anchor.stamp.hi_ns)],
            lengthened=False,
            unsure=unsure,
        )

    def _since(self, condition: Condition, evse: int, mark: Mark) -> tuple[Event | None, tuple[float, float] | None]:
        """The event that last made the condition so, and how long before the anchor (ms)."""
        for step in reversed(self.reader.steps(condition, evse, {}, mark)):
            if possible_order(step.mark, mark):
                span = between(step.mark, mark)
                return step.event, (span.lo / 1e6, span.hi / 1e6) if step.tri is Tri.TRUE else None
        return None, None

    def _contradiction(self, evse: int, mark: Mark) -> Event | None:
        """A sample that shows what `not_before` excludes, certainly before the anchor and after it last ended."""
        rule = self.rule
        if rule.not_before is None or not isinstance(self.anchor, Turn):
            return None
        judge = self.reader.judge(rule.not_before, {})
        changes = self.world.track(self.anchor.signal, evse).changes
        to = self.anchor.to
        previous = next((c for c in reversed(changes) if c.value not in to and between(c.mark, mark).lo > 0), None)
        if previous is None:
            return None
        since_ns = previous.mark.stamp.hi_ns + self.settle_ns
        for sample in reversed(self.world.samples[evse]):
            stamp = sample.event.stamp
            if stamp.hi_ns < since_ns:
                break
            if stamp.lo_ns > since_ns and stamp.hi_ns < mark.stamp.lo_ns and judge(sample.value) is Tri.TRUE:
                return sample.event
        return None


def _name(condition: Condition) -> str:
    wanted = condition.among or ()
    return f"{condition.signal} = {' or '.join(str(value).lower() for value in wanted)}"
