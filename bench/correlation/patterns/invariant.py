"""invariant: every sample inside a scope satisfies a condition."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ....errors import RuleError
from ...timeline import Event, Interval
from ..decide import clean
from ..language.rule import Invariant
from ..verdict import Outcome, Range, Reason
from ..world.mark import Mark, between
from ..world.track import Sample, possible_values
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen
from .invariant_steps import margin_of, unit_of
from .stays import Stay, Stays

__all__ = ["InvariantMonitor"]

SHOWN = 5
KEPT = 1000
"""Samples of a stay that break the condition are kept; of more, only their number."""


class _Watch:
    """One stay in the scope on one outlet: what was sampled in it."""

    def __init__(self, n: int, stay: Stay, evse: int) -> None:
        self.n = n
        self.stay = stay
        self.evse = evse
        self.pending: deque[Sample] = deque()
        self.last: Sample | None = None
        self.nearest: Sample | None = None
        self.hole_ns = 0
        self.broken = 0
        self.breaches: list[Sample] = []
        self.perhaps: Sample | None = None
        self.open: Sample | None = None


class InvariantMonitor(Monitor):
    """Judges each stay a while after its end, when the edges of the scope around its samples are known.

    A sample counts as a breach only if all of its interval lies in the scope, after `settle`. One that may lie outside
    (the inrush around the edge of authorisation) settles nothing. What breaks the condition while nobody knows whether
    the scope is there is undecided too, once for a run of such samples.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Invariant)
        self.rule = rule
        self.holds = rule.holds
        self.settle_ns = self.reader.ns(rule.settle)
        self._upper = rule.holds.at_most is not None or rule.holds.below is not None
        self._stays = Stays(context, rule.scope, self._opened, self._closed)
        self._open: list[_Watch] = []
        self._ended: list[_Watch] = []
        self._recent: deque[tuple[int, Sample]] = deque()
        self._unweighed: deque[tuple[int, Sample]] = deque()
        self._doubt: dict[int, list[Sample]] = {evse: [] for evse in self.world.facts.evses}
        self._doubt_why: dict[int, str] = {}
        self._lack = ""
        signal = self.reader.signal(rule.holds.signal)
        self._topics = signal.topics
        self._gap_ns = self.world.gap_ns(rule.holds.signal, signal.reading)

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        self._stays.take(event, edges)
        if event.topic not in self._topics:
            return
        for evse in self.world.facts.evses:
            kept = self.world.samples_of(self.holds.signal, evse)
            if kept and kept[-1].event is event:
                self._sampled(evse, kept[-1])
        since_ns = event.stamp.order_ns - self.context.slack_ns
        while self._recent and self._recent[0][1].event.stamp.order_ns < since_ns:
            self._recent.popleft()

    def _sampled(self, evse: int, sample: Sample) -> None:
        self._recent.append((evse, sample))
        self._unweighed.append((evse, sample))
        for watch in (*self._open, *self._ended):
            if watch.evse == evse:
                watch.pending.append(sample)
        when_ns = sample.event.stamp.order_ns + self.context.slack_ns
        self.context.schedule(when_ns, self._settled)

    def _settled(self) -> None:
        """Nothing that came with delay can change any more where the oldest sample lies."""
        if not self._unweighed:
            return
        evse, sample = self._unweighed.popleft()
        for watch in self._open:
            while watch.evse == evse and watch.pending:
                if watch.pending[0].event.stamp.order_ns > sample.event.stamp.order_ns:
                    break
                self._fold(watch, watch.pending.popleft())
        self._unscoped(evse, sample)

    def _opened(self, stay: Stay) -> None:
        outlets = self.world.facts.evses if stay.evse is None else (stay.evse,)
        for i, evse in enumerate(outlets):
            watch = _Watch(stay.n if i == 0 else self.context.next_number(), stay, evse)
            watch.pending.extend(sample for one, sample in self._recent if one == evse)
            self._open.append(watch)

    def _closed(self, stay: Stay) -> None:
        assert stay.leave is not None
        for watch in [watch for watch in self._open if watch.stay is stay]:
            self._open.remove(watch)
            self._ended.append(watch)
            when_ns = stay.leave.mark.stamp.order_ns + self.context.slack_ns
            self.context.schedule(when_ns, lambda watch=watch: self._end(watch))

    def open_deadlines(self) -> int:
        return len(self._ended)

    def finish(self, end_ns: int, truncated: bool) -> None:
        for watch in list(self._ended):
            self._end(watch)
        for watch in self._open:
            self._judge(watch, cut=truncated)
        self._open.clear()
        for evse, sample in self._unweighed:
            self._unscoped(evse, sample)
        for evse in self.world.facts.evses:
            self._flush(evse)

    def _end(self, watch: _Watch) -> None:
        if watch in self._ended:
            self._ended.remove(watch)
            self._judge(watch)

    # ---- one sample

    def _fold(self, watch: _Watch, sample: Sample) -> None:
        """Where a sample lies with respect to a stay, and what it says there."""
        mark = Mark.of(sample.event)
        since = between(watch.stay.entry.mark, mark)
        leave = watch.stay.leave
        left = None if leave is None else between(mark, leave.mark)
        if since.hi < self.settle_ns or (left is not None and left.hi < 0):
            return
        inside = since.lo >= self.settle_ns and (left is None or left.lo >= 0)
        seen_ns = self._from_ns(watch.stay) if watch.last is None else watch.last.event.stamp.hi_ns
        watch.hole_ns = max(watch.hole_ns, sample.event.stamp.lo_ns - seen_ns)
        watch.last = sample
        if inside and self._nearer(sample, watch.nearest):
            watch.nearest = sample
        value = self._value(sample)
        if value is Tri.FALSE and inside:
            watch.broken += 1
            if len(watch.breaches) < KEPT:
                watch.breaches.append(sample)
        elif value is Tri.FALSE and self._nearer(sample, watch.perhaps):
            watch.perhaps = sample
        elif value is Tri.UNKNOWN and self._nearer(sample, watch.open):
            watch.open = sample

    def _value(self, sample: Sample) -> Tri:
        try:
            return self.reader.judge(self.holds, {})(sample.value)
        except RuleError as error:
            self._lack = f"it cannot be judged: {error}"
            return Tri.UNKNOWN

    def _nearer(self, one: Sample, other: Sample | None) -> bool:
        """Whether a sample comes nearer to the limit (or is further beyond it) than another."""
        return other is None or (one.value > other.value if self._upper else one.value < other.value)

    def _from_ns(self, stay: Stay) -> int:
        """From when on samples are owed for a stay: its begin and what is granted, on a bench that was ready."""
        return max(stay.entry.mark.stamp.hi_ns + self.settle_ns, self.world.ready_ns)

    def _upto_ns(self, stay: Stay) -> int:
        """Until when they are: its end, or that of the run."""
        end_ns = self.world.now_ns if self.world.shut_ns is None else self.world.shut_ns
        return end_ns if stay.leave is None else min(end_ns, stay.leave.mark.stamp.lo_ns)

    # ---- while nobody knows whether the scope is there

    def _unscoped(self, evse: int, sample: Sample) -> None:
        value = self._value(sample)
        judge = self.reader.judge(self.rule.scope, {})
        why: str | None = None
        for change in possible_values(self.world.track(self.rule.scope.signal, evse).changes, Mark.of(sample.event)):
            if change is None:
                why = why or f"{self.rule.scope.signal} is not known yet"
            elif change.value is None or judge(change.value) is Tri.UNKNOWN:
                why = why or change.why or f"{self.rule.scope.signal} is not known"
        if why is None:
            self._flush(evse)
        elif value is not Tri.TRUE:
            kept = self._doubt[evse]
            kept.append(sample)
            self._doubt_why.setdefault(evse, why)
            if len(kept) > KEPT:
                kept.pop(1 if self._nearer(kept[0], kept[1]) else 0)

    def _flush(self, evse: int) -> None:
        doubt, self._doubt[evse] = self._doubt[evse], []
        why = self._doubt_why.pop(evse, "")
        if not doubt:
            return
        worst = max(doubt, key=lambda sample: sample.value if self._upper else -sample.value)
        given, _ = self.given(evse, Mark.of(worst.event))
        if given is Tri.FALSE:
            return
        self._say(
            evse,
            self.context.next_number(),
            Outcome.INCONCLUSIVE,
            why,
            Reason.PRECONDITION,
            worst,
            [(worst.event, "perhaps a violation")],
            [(doubt[0].event.stamp.lo_ns, doubt[-1].event.stamp.hi_ns)],
            doubt[0].event.stamp.order_ns,
        )

    # ---- one stay

    def _judge(self, watch: _Watch, *, cut: bool = False) -> None:
        stay = watch.stay
        while watch.pending:
            self._fold(watch, watch.pending.popleft())
        given, unsure = self.given(watch.evse, stay.entry.mark)
        if given is Tri.FALSE:
            return
        from_ns, upto_ns = self._from_ns(stay), self._upto_ns(stay)
        seen_ns = from_ns if watch.last is None else watch.last.event.stamp.hi_ns
        watch.hole_ns = max(watch.hole_ns, upto_ns - seen_ns)
        too_long = watch.hole_ns > self._gap_ns
        seen: list[Seen] = [] if stay.entry.event is None else [(stay.entry.event, "scope begins")]
        windows = [(stay.entry.mark.stamp.lo_ns, upto_ns)]
        outcome, because, reason, shown = Outcome.PASS, "every sample in the scope satisfies it", None, watch.nearest
        hole = f"no sample for {watch.hole_ns / 1e6:.0f} ms"
        if watch.breaches:
            outcome, shown = Outcome.FAIL, watch.nearest
            because = f"{watch.broken} samples inside the scope break it, the first is {watch.breaches[0].event.id}"
            seen.extend((sample.event, "violation") for sample in watch.breaches[:SHOWN])
            windows = [(s.event.stamp.lo_ns - self.settle_ns, s.event.stamp.hi_ns) for s in watch.breaches]
        elif watch.perhaps is not None:
            outcome, because, reason = Outcome.INCONCLUSIVE, "the sample may lie outside the scope", Reason.CLOCK
            shown = watch.perhaps
        elif watch.open is not None:
            outcome, shown = Outcome.INCONCLUSIVE, watch.open
            because = self._lack or "the accuracy of the reading leaves both open"
            reason = Reason.PRECONDITION if self._lack else Reason.MEASUREMENT
        elif too_long and not self.world.samples_of(self.holds.signal, watch.evse):
            outcome, because = Outcome.INCONCLUSIVE, f"{hole}: this bench does not measure {self.holds.signal}"
            reason = Reason.PRECONDITION
        elif too_long:
            outcome, because, reason = Outcome.INCONCLUSIVE, hole, Reason.GAP
        elif cut:
            outcome, because, reason = (
                Outcome.INCONCLUSIVE,
                "the record ends while the scope lasts",
                Reason.TRUNCATED,
            )
        elif watch.last is None:
            outcome, because = Outcome.NOT_APPLICABLE, "the stay was too short to be sampled"
        elif shown is not None:
            seen.append((shown.event, "highest" if self._upper else "lowest"))
        if outcome is Outcome.INCONCLUSIVE and shown is not None:
            seen.append((shown.event, "perhaps a violation"))
        self._say(watch.evse, watch.n, outcome, because, reason, shown, seen, windows, stay.opened_ns, unsure)

    def _say(
        self,
        evse: int,
        n: int,
        outcome: Outcome,
        because: str,
        reason: Reason | None,
        sample: Sample | None,
        seen: list[Seen],
        windows: list[tuple[int, int]],
        opened_ns: int,
        unsure: str = "",
    ) -> None:
        measured = margin = limit = None
        holds = self.holds
        if sample is not None and holds.bound is not None and not self._lack:
            dimension = self.reader.dimension(holds)
            u = self.reader.accuracy(holds.signal, sample.value)
            span = Interval(max(0.0, sample.value - u), sample.value + u)
            limit = self.reader.bound(holds.bound, dimension, {})
            measured = Range(clean(span.lo), clean(span.hi), unit_of(dimension))
            margin = margin_of(holds, span, limit, unit_of(dimension))
        self.context.say(
            n,
            evse,
            outcome,
            because,
            opened_ns=opened_ns,
            reason=reason,
            measured=measured,
            limit=limit,
            margin=margin,
            seen=seen,
            windows=windows,
            unsure=unsure,
        )
