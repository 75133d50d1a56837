"""invariant: every sample inside a scope satisfies a condition."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ....errors import RuleError
from ...timeline import Event, Interval, Stamp
from ..decide import clean
from ..mark import Mark, between
from ..rule import Invariant
from ..track import Change, Sample
from ..tri import Tri
from ..verdict import Outcome, Range, Reason
from ..world import Edge
from .base import Context, Monitor, Seen
from .invariant_steps import margin_of

__all__ = ["InvariantMonitor"]

SHOWN = 5
KEPT = 1000
"""Samples of a stay that break the condition (and as many that may) are kept; of more, only their number."""


class _Stay:
    """One stay in the scope: what was sampled in it."""

    def __init__(self, n: int, change: Change) -> None:
        self.n = n
        self.change = change
        self.last: Sample | None = None
        self.nearest: Sample | None = None
        self.hole = 0
        self.broken = 0
        self.breaches: list[Sample] = []


class _Where(NamedTuple):
    """Whether a sample lies in the scope, in which stay, and why that is not known."""

    tri: Tri
    change: Change | None
    why: str
    reason: Reason


class InvariantMonitor(Monitor):
    """Judges each sample a while after it was taken, when the edges of the scope around it are known.

    A sample counts as a breach only if all of its interval lies in the scope, after `settle`. One that may
    lie outside (the inrush around the edge of authorisation) settles nothing.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Invariant)
        self.rule = rule
        self.settle_ns = self.reader.ns(rule.settle)
        self._upper = rule.holds.at_most is not None or rule.holds.below is not None
        self._stays: dict[int, _Stay | None] = dict.fromkeys(self.world.facts.evses)
        self._doubt: dict[int, list[tuple[Sample, _Where]]] = {evse: [] for evse in self.world.facts.evses}
        self._previous: dict[int, Sample] = {}
        self._sampled: set[tuple[int, Mark]] = set()
        self._waiting: deque[tuple[int, Sample]] = deque()
        self._lack = ""

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        if event.topic != "meter.sample":
            return
        for evse in self.world.evses(event):
            kept = self.world.samples[evse]
            if kept and kept[-1].event is event:
                item = (evse, kept[-1])
                self._waiting.append(item)
                self.context.schedule(event.stamp.order_ns + self.context.slack_ns, self._next)

    def _next(self) -> None:
        if self._waiting:
            evse, sample = self._waiting.popleft()
            self._judge(evse, sample)

    def finish(self, end_ns: int, truncated: bool) -> None:
        while self._waiting:
            self._next()
        for evse in self.world.facts.evses:
            stay = self._stays[evse]
            if stay is not None:
                self._close(evse, stay, cut=truncated and self._inside_now(evse))
            self._flush_doubt(evse)
            self._unsampled(evse)

    def _inside_now(self, evse: int) -> bool:
        value = self.world.track(self.rule.scope.signal, evse).value
        return value is None or self.reader.judge(self.rule.scope, {})(value) is not Tri.FALSE

    def _where(self, evse: int, sample: Sample) -> _Where:
        """Does all of the sample's interval lie in the scope (TRUE), none of it (FALSE), or is it open?"""
        stamp = sample.event.stamp
        start, stop = (
            Mark(Stamp(stamp.order_ns, stamp.lo_ns, stamp.lo_ns)),
            Mark(Stamp(stamp.order_ns, stamp.hi_ns, stamp.hi_ns)),
        )
        judge = self.reader.judge(self.rule.scope, {})
        found: set[Tri] = set()
        inside: Change | None = None
        why, reason = "", Reason.CLOCK
        changes = self.world.track(self.rule.scope.signal, evse).changes
        for i in range(len(changes) - 1, -1, -1):
            change = changes[i]
            began = between(change.mark, stop)
            if began.hi < 0:
                continue  # begins after the sample
            tri = Tri.UNKNOWN if change.value is None else judge(change.value)
            if tri is Tri.UNKNOWN:
                why, reason = change.why or f"{self.rule.scope.signal} is not known", Reason.PRECONDITION
            elif tri is Tri.TRUE:
                entry = self._entry(changes, i)
                inside = inside or entry
                if self.settle_ns and between(entry.mark, start).lo < self.settle_ns:
                    tri = Tri.FALSE  # within the time that the rule grants
            found.add(tri)
            if between(change.mark, start).lo >= 0:
                break
        else:
            found.add(Tri.UNKNOWN)
            why, reason = f"{self.rule.scope.signal} is not known yet", Reason.PRECONDITION
        if len(found) == 1:
            return _Where(found.pop(), inside, why, reason)
        if Tri.UNKNOWN not in found:
            why, reason = "the sample may lie outside the scope", Reason.CLOCK
        return _Where(Tri.UNKNOWN, inside, why, reason)

    def _entry(self, changes: Sequence[Change], i: int) -> Change:
        """Where the stay began that is still there after the `i`-th change."""
        judge = self.reader.judge(self.rule.scope, {})
        while i > 0 and changes[i - 1].value is not None and judge(changes[i - 1].value) is Tri.TRUE:
            i -= 1
        return changes[i]

    def _judge_value(self, sample: Sample) -> Tri:
        try:
            return self.reader.judge(self.rule.holds, {})(sample.value)
        except RuleError as error:
            self._lack = f"it cannot be judged: {error}"
            return Tri.UNKNOWN

    def _nearer(self, one: Sample, other: Sample | None) -> bool:
        """Whether a sample comes nearer to the limit (or is further beyond it) than another."""
        return other is None or (one.value > other.value if self._upper else one.value < other.value)

    def _judge(self, evse: int, sample: Sample) -> None:
        where = self._where(evse, sample)
        if where.tri is not Tri.FALSE:
            given, why = self.given(evse, Mark.of(sample.event))
            if given is Tri.FALSE and where.change is not None:
                self._sampled.add((evse, where.change.mark))  # it was sampled, and nothing was asked of it
            if given < where.tri:
                where = _Where(given, where.change, why, Reason.PRECONDITION)
        value = self._judge_value(sample)
        stay = self._stays[evse]
        previous = self._previous.get(evse)
        self._previous[evse] = sample
        if where.tri is Tri.TRUE and where.change is not None:
            if stay is not None and stay.change is not where.change and stay.change.mark != where.change.mark:
                self._close(evse, stay)
                stay = None
            if stay is None:
                stay = self._stays[evse] = _Stay(self.context.next_number(), where.change)
                self._sampled.add((evse, where.change.mark))
                stay.hole = sample.event.stamp.lo_ns - self._from_ns(where.change)
                previous = None
            self._add(evse, stay, sample, value, previous)
            return
        if stay is not None and where.tri is Tri.FALSE:
            self._close(evse, stay, upto_ns=sample.event.stamp.lo_ns)
            self._stays[evse] = None
        if where.tri is Tri.UNKNOWN and value is not Tri.TRUE:
            self._doubts(evse, sample, where)
        elif where.tri is Tri.FALSE:
            self._flush_doubt(evse)

    def _from_ns(self, change: Change) -> int:
        """From when on samples are owed for a stay: its begin and what is granted, on a bench that was ready."""
        return max(change.mark.stamp.hi_ns + self.settle_ns, self.world.ready_ns)

    def _upto_ns(self, evse: int, begun: Change) -> int:
        """Until when they are: the next change out of the scope, or the end of the run."""
        judge = self.reader.judge(self.rule.scope, {})
        end_ns = self.world.now_ns if self.world.shut_ns is None else self.world.shut_ns
        for change in self.world.track(self.rule.scope.signal, evse).changes:
            out = change.value is None or judge(change.value) is not Tri.TRUE
            if out and change.mark.stamp.lo_ns > begun.mark.stamp.lo_ns:
                return min(end_ns, change.mark.stamp.lo_ns)
        return end_ns

    def _unsampled(self, evse: int) -> None:
        """Stays in the scope that were long enough to be sampled, and were not: nothing is known of them."""
        judge = self.reader.judge(self.rule.scope, {})
        max_gap_ns = round(self.world.facts.meter_max_gap_s * 1e9)
        inside = False
        for change in self.world.track(self.rule.scope.signal, evse).changes:
            entered = not inside
            inside = change.value is not None and judge(change.value) is Tri.TRUE
            if not inside or not entered or (evse, change.mark) in self._sampled:
                continue
            from_ns, upto_ns = self._from_ns(change), self._upto_ns(evse, change)
            if upto_ns - from_ns <= max_gap_ns:
                continue
            blind = not self.world.samples[evse]
            self.context.say(
                self.context.next_number(),
                evse,
                Outcome.INCONCLUSIVE,
                f"no sample for {(upto_ns - from_ns) / 1e6:.0f} ms, all of the scope"
                + (": this bench does not measure current" if blind else ""),
                opened_ns=change.mark.stamp.order_ns,
                reason=Reason.PRECONDITION if blind else Reason.GAP,
                seen=[(change.event, "scope begins")] if change.event is not None else [],
                windows=[(from_ns, upto_ns)],
            )

    def _add(self, evse: int, stay: _Stay, sample: Sample, value: Tri, previous: Sample | None) -> None:
        stay.last = sample
        if self._nearer(sample, stay.nearest):
            stay.nearest = sample
        if previous is not None:
            stay.hole = max(stay.hole, sample.event.stamp.lo_ns - previous.event.stamp.hi_ns)
        if value is Tri.FALSE:
            stay.broken += 1
            if len(stay.breaches) < KEPT:
                stay.breaches.append(sample)
        elif value is Tri.UNKNOWN:
            why = self._lack or "the accuracy of the reading leaves both open"
            reason = Reason.PRECONDITION if self._lack else Reason.MEASUREMENT
            where = _Where(Tri.TRUE, stay.change, why, reason)
            self._doubts(evse, sample, where)

    def _close(self, evse: int, stay: _Stay, *, cut: bool = False, upto_ns: int | None = None) -> None:
        """Say what the stay was like. `upto_ns`: when it was over at the latest."""
        self._stays[evse] = None
        nearest = stay.nearest
        assert nearest is not None
        assert stay.last is not None
        end_ns = self._upto_ns(evse, stay.change)
        end_ns = end_ns if upto_ns is None else min(end_ns, upto_ns)
        stay.hole = max(stay.hole, end_ns - stay.last.event.stamp.hi_ns)
        max_gap_ns = round(self.world.facts.meter_max_gap_s * 1e9)
        seen: list[Seen] = []
        if stay.change.event is not None:
            seen.append((stay.change.event, "scope begins"))
        opened_ns = stay.change.mark.stamp.order_ns
        lo_ns, hi_ns = stay.change.mark.stamp.lo_ns, nearest.event.stamp.hi_ns
        if stay.breaches:
            seen.extend((sample.event, "violation") for sample in stay.breaches[:SHOWN])
            windows = [(s.event.stamp.lo_ns - self.settle_ns, s.event.stamp.hi_ns) for s in stay.breaches]
            text = f"{stay.broken} samples inside the scope break it, the first is {stay.breaches[0].event.id}"
            self._say(evse, stay.n, Outcome.FAIL, text, None, nearest, seen, windows, opened_ns)
        elif stay.hole > max_gap_ns:
            text = f"no sample for {stay.hole / 1e6:.0f} ms"
            self._say(evse, stay.n, Outcome.INCONCLUSIVE, text, Reason.GAP, nearest, seen, [(lo_ns, hi_ns)], opened_ns)
        elif cut:
            text = "the record ends while the scope lasts"
            self._say(
                evse, stay.n, Outcome.INCONCLUSIVE, text, Reason.TRUNCATED, nearest, seen, [(lo_ns, hi_ns)], opened_ns
            )
        elif not self._doubt[evse]:
            seen.append((nearest.event, "highest" if self._upper else "lowest"))
            self._say(
                evse,
                stay.n,
                Outcome.PASS,
                "every sample in the scope satisfies it",
                None,
                nearest,
                seen,
                [(lo_ns, hi_ns)],
                opened_ns,
            )
        self._flush_doubt(evse)

    def _doubts(self, evse: int, sample: Sample, where: _Where) -> None:
        kept = self._doubt[evse]
        kept.append((sample, where))
        if len(kept) > KEPT:
            kept.remove(min(kept, key=self._badness))

    def _badness(self, item: tuple[Sample, _Where]) -> float:
        return item[0].value if self._upper else -item[0].value

    def _flush_doubt(self, evse: int) -> None:
        """Samples that break the rule, if they lie inside the scope: undecided, once for a run of them."""
        doubt, self._doubt[evse] = self._doubt[evse], []
        if not doubt:
            return
        worst, where = max(doubt, key=self._badness)
        seen: list[Seen] = [(worst.event, "perhaps a violation")]
        windows = [(s.event.stamp.lo_ns, s.event.stamp.hi_ns) for s, _ in doubt]
        n = self.context.next_number()
        opened_ns = doubt[0][0].event.stamp.order_ns
        self._say(evse, n, Outcome.INCONCLUSIVE, where.why, where.reason, worst, seen, windows, opened_ns)

    def _say(
        self,
        evse: int,
        n: int,
        outcome: Outcome,
        because: str,
        reason: Reason | None,
        sample: Sample,
        seen: list[Seen],
        windows: list[tuple[int, int]],
        opened_ns: int,
    ) -> None:
        holds = self.rule.holds
        u = self.reader.accuracy(holds.signal, sample.value)
        span = Interval(max(0.0, sample.value - u), sample.value + u)
        limit: float | None = None
        if holds.bound is not None and not self._lack:
            limit = self.reader.bound(holds.bound, "current", {})
        self.context.say(
            n,
            evse,
            outcome,
            because,
            opened_ns=opened_ns,
            reason=reason,
            measured=Range(clean(span.lo), clean(span.hi), "A"),
            limit=limit,
            margin=None if limit is None else margin_of(holds, span, limit, "A"),
            seen=seen,
            windows=windows,
        )
