"""respond: after a trigger, something becomes true within a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....errors import RuleError
from ...timeline import Event, Interval
from ..condition import Reader, matches
from ..decide import decide, range_of
from ..language.rule import Amount, Condition, Respond
from ..verdict import Outcome, Reason
from ..world.mark import NEVER, Mark, between
from ..world.track import Step, first_true
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Fired, Monitor, Seen
from .silence import heard_until

__all__ = ["OPEN", "RespondMonitor"]

OPEN = 1000
"""Triggers that may wait at once; of more, the oldest is given up: INCONCLUSIVE(LIMIT)."""

UNSEEN = "nobody saw the trigger: it lies in a gap"


class _Owed:
    """One trigger that waits for its response."""

    def __init__(self, n: int, event: Event, fired: Fired, given: tuple[Condition, ...]) -> None:
        self.n = n
        self.evse = fired.evse
        self.event = event
        self.mark = fired.mark
        self.params = fired.params
        self.unseen = fired.unseen
        self.given = given
        self.until: Event | None = None
        self.open = True


class RespondMonitor(Monitor):
    """Finds the first moment from the trigger on at which the response certainly, or possibly, holds.

    A response in time is a PASS as soon as it is seen. Everything else waits until the limit, the hold and
    the slack for events that are received late have passed.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Respond)
        self.rule = rule
        self.hold_ns = self.reader.ns(rule.hold)
        self.unit = "s" if rule.within is not None and _shown_ns(self.reader, rule.within) >= 1_000_000_000 else "ms"
        self.unit_ns = 1e9 if self.unit == "s" else 1e6
        self._open: list[_Owed] = []
        assert rule.response is not None
        self.response = rule.response
        self._signals = {rule.response.signal, *(c.signal for c in rule.unless)}

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        rule = self.rule
        if self.arming is not None:
            self.arming.take(event)
        for owed in self._open:
            if owed.until is None and owed.event is not event and self._ends(owed, event):
                owed.until = event
        for trigger in rule.trigger:
            for fired in self.triggered(trigger.on, event, edges):
                self._trigger(event, fired, trigger.given)
        if any(edge.signal in self._signals for edge in edges):
            self._review()
            if self.hold_ns:
                self.context.schedule(event.stamp.order_ns + self.hold_ns + self.context.slack_ns, self._review)

    def _ends(self, owed: _Owed, event: Event) -> bool:
        """Whether an event withdraws what is owed: one of another outlet does not, one of none does for all."""
        return event.evse in (None, owed.evse) and any(matches(one, event) for one in self.rule.until)

    def _trigger(self, event: Event, fired: Fired, given: tuple[Condition, ...]) -> None:
        lacks = self._lacks(fired.params, given)
        if lacks is not None:
            self.context.say(
                self.context.next_number(),
                fired.evse,
                Outcome.INCONCLUSIVE,
                lacks,
                opened_ns=event.stamp.order_ns,
                reason=Reason.PRECONDITION,
                seen=[(event, "trigger")],
                lengthened=False,
            )
            return
        owed = _Owed(self.context.next_number(), event, fired, given)
        self._open.append(owed)
        if len(self._open) > OPEN:
            oldest = self._open[0]
            because = f"given up: more than {OPEN} triggers wait for their response"
            limit = self._limit(oldest) if self.rule.within else Interval(NEVER, NEVER)
            self._say(oldest, None, limit, Outcome.INCONCLUSIVE, None, because, Reason.LIMIT)
        self.context.schedule(event.stamp.order_ns + self.context.slack_ns, lambda: self._settle(owed, final=False))
        if self.rule.within:
            limit = self._limit(owed)
            wait = limit.hi if limit.hi != NEVER else limit.lo
            close_ns = event.stamp.order_ns + int(wait) + self.hold_ns + self.context.slack_ns + 1
            self.context.schedule(close_ns, lambda: self._settle(owed, final=True))

    def _lacks(self, params: dict[str, Any], given: tuple[Condition, ...]) -> str | None:
        """What the trigger does not say and the rule compares with, e.g. a limit in ampere when it gives watts."""
        for condition in (self.response, *self.when, *given, *self.rule.unless):
            if condition.bound is None:
                continue
            try:
                self.reader.bound(condition.bound, self.reader.dimension(condition), params)
            except RuleError as error:
                return f"it cannot be judged: {error}"
        return None

    def _review(self) -> None:
        for owed in list(self._open):
            self._settle(owed, final=False)

    def finish(self, end_ns: int, truncated: bool) -> None:
        for owed in list(self._open):
            over = owed.event.stamp.hi_ns + self._limit(owed).hi + self.hold_ns <= end_ns if self.rule.within else True
            self._settle(owed, final=True, cut=truncated or not over, known_ns=end_ns)
        self._open.clear()

    def open_deadlines(self) -> int:
        if not self.rule.within:
            return 0
        return sum(self._given(owed)[0] is not Tri.FALSE for owed in self._open)

    def _limit(self, owed: _Owed) -> Interval:
        """The limit in nanoseconds; an interval where the bench does not know which one applies."""
        assert self.rule.within is not None
        try:
            base = round(self.reader.bound(self.rule.within, "time", owed.params))
        except RuleError:  # it is longer by something that was not read back
            least = Amount(self.rule.within.of) if not self.rule.within.of.startswith("config.") else Amount("0 s")
            return Interval(self.reader.bound(least, "time", owed.params), NEVER)
        if self.rule.extend is None:
            return Interval(base, base)
        return self._longer(owed, base)

    def _longer(self, owed: _Owed, base: int) -> Interval:
        """Longer when the signal changed shortly before the trigger; perhaps longer when that is not certain."""
        extend = self.rule.extend
        assert extend is not None
        within_ns, by_ns = self.reader.ns(extend.within), self.reader.ns(extend.by)
        certain = possible = False
        for change in self.world.track(extend.signal, owed.evse).since(owed.mark, within_ns):
            ago = between(change.mark, owed.mark)
            if ago.hi >= 0 and ago.lo < within_ns:
                possible = True
                certain = certain or (ago.lo >= 0 and ago.hi < within_ns)
        return Interval(base + (by_ns if certain else 0), base + (by_ns if possible else 0))

    def _given(self, owed: _Owed) -> tuple[Tri, str]:
        together, why = self.given(owed.evse, owed.mark, owed.params, owed.given)
        if owed.unseen and together is Tri.TRUE:
            return Tri.UNKNOWN, UNSEEN
        return together, why

    def _settle(
        self,
        owed: _Owed,
        *,
        final: bool,
        cut: bool = False,
        known_ns: int | None = None,
    ) -> None:
        """Decide if it can be. Up to `known_ns` everything was received; that a response held rests on it."""
        if not owed.open:
            return
        steps = self.reader.steps(self.response, owed.evse, owed.params, owed.mark)
        now_ns = self.world.now_ns
        held_ns = now_ns - self.context.slack_ns if known_ns is None else known_ns
        ended = self._ended(owed)
        new = self.rule.already == "new"
        span, certain, possible = first_true(
            steps, owed.mark, hold_ns=self.hold_ns, now_ns=held_ns, ended=ended, new=new
        )
        step = certain or possible
        given, why = self._given(owed)
        if given is Tri.FALSE:
            if final:
                self._close(owed)
            return
        if not self.rule.within:
            if span.hi != NEVER:
                self._say(owed, span, Interval(NEVER, NEVER), Outcome.PASS, step, "measured, without limit")
            elif ended.hi != NEVER and (final or ended.hi + self.context.slack_ns < now_ns - owed.mark.stamp.lo_ns):
                self._close(owed)
            return
        limit = self._limit(owed)
        shown = span.hi + self.hold_ns <= ended.lo if self.rule.proven else span.hi <= ended.hi
        if span.hi <= limit.lo and shown and (final or self._proven(owed, step)):
            self._say(owed, span, limit, Outcome.PASS, step, "the response came in time")
            return
        if not final:
            return
        if known_ns is None and span.hi == NEVER and self._holds_on(owed, limit, steps):
            return
        last = known_ns is not None
        self._fail_or_not(owed, span, limit, ended, certain, possible, given, why, cut=cut, last=last)

    def _holds_on(self, owed: _Owed, limit: Interval, steps: Sequence[Step]) -> bool:
        """A response that may be in time is not held long enough yet, by the width of its stamp: wait for that."""
        last = steps[-1] if steps else None
        if not self.hold_ns or last is None or last.tri is not Tri.TRUE:
            return False
        held_ns = max(last.mark.stamp.hi_ns, owed.mark.stamp.hi_ns) + self.hold_ns + self.context.slack_ns + 1
        if held_ns <= self.world.now_ns or between(owed.mark, last.mark).lo > limit.hi:
            return False
        self.context.schedule(held_ns, lambda: self._settle(owed, final=True))
        return True

    def _proven(self, owed: _Owed, step: Step | None) -> bool:
        """What was true already may have ended before the trigger too, as long as such an end can still be received."""
        if self.hold_ns or self.world.now_ns >= owed.event.stamp.order_ns + self.context.slack_ns:
            return True
        return step is not None and between(owed.mark, step.mark).lo >= 0

    def _fail_or_not(
        self,
        owed: _Owed,
        span: Interval,
        limit: Interval,
        ended: Interval,
        certain: Step | None,
        possible: Step | None,
        given: Tri,
        why: str,
        *,
        cut: bool,
        last: bool,
    ) -> None:
        """Anything but a PASS. `last`: nothing more will come, so that waiting is of no use."""
        step = certain or possible
        if cut and (span.hi == NEVER or span.lo > limit.hi):
            watched = max(0, self.world.now_ns - owed.mark.stamp.hi_ns)
            text = f"the record ends {watched / 1e6:.0f} ms after the trigger, before the limit"
            if ended.hi <= min(watched, limit.lo):
                self._say(owed, None, limit, Outcome.NOT_APPLICABLE, step, _withdrawn(owed))
            else:
                self._say(owed, None, limit, Outcome.INCONCLUSIVE, step, text, Reason.TRUNCATED)
        elif self._cut_off(span, limit, ended):
            self._say(owed, None, limit, Outcome.NOT_APPLICABLE, step, _withdrawn(owed))
        elif span.lo <= limit.hi:
            reason, text = self._undecided(owed, certain, possible)
            unsure = why if given is Tri.UNKNOWN else ""
            self._say(owed, span, limit, Outcome.INCONCLUSIVE, step, text, reason, unsure)
        elif ended.lo <= limit.hi:
            text = "what the rule needs may have ended before the limit"
            self._say(owed, span, limit, Outcome.INCONCLUSIVE, step, text, Reason.PRECONDITION)
        elif given is Tri.UNKNOWN:
            self._say(owed, span, limit, Outcome.INCONCLUSIVE, step, why, Reason.PRECONDITION)
        elif span.lo == NEVER and not last and self._stall_waited_out(owed, limit):
            return
        elif span.lo == NEVER:
            self._say(owed, span, limit, Outcome.FAIL, step, f"no response within the limit after {owed.event.id}")
        else:
            self._say(owed, span, limit, Outcome.FAIL, step, f"first response after {owed.event.id} came too late")

    def _stall_waited_out(self, owed: _Owed, limit: Interval) -> bool:
        """The twin stood still, and a response may come that much later: wait for that."""
        stamp = owed.mark.stamp
        until_ns = heard_until(self.world, stamp.lo_ns, stamp.hi_ns, limit.hi)
        if until_ns == stamp.hi_ns + limit.hi:
            return False
        due_ns = int(until_ns) + self.context.slack_ns
        if due_ns <= self.world.now_ns:
            return False
        self.context.schedule(due_ns, lambda: self._settle(owed, final=True))
        return True

    def _cut_off(self, span: Interval, limit: Interval, ended: Interval) -> bool:
        """Withdrawn before the limit, or (where that is asked for) before the response was proven by its hold."""
        if self.rule.proven and span.lo <= limit.hi and ended.lo < span.hi + self.hold_ns and ended.hi != NEVER:
            return True
        return ended.hi <= limit.lo

    def _undecided(self, owed: _Owed, certain: Step | None, possible: Step | None) -> tuple[Reason, str]:
        if possible is None:
            return Reason.GAP, f"{self.response.signal} is not known around the trigger"
        if possible.tri is Tri.UNKNOWN:
            if possible.why or possible.event is None or possible.event.topic == "gap":
                return Reason.GAP, possible.why or f"{self.response.signal} is not known around the trigger"
            return Reason.MEASUREMENT, "the accuracy of the reading leaves both open"
        if owed.unseen:
            return Reason.GAP, UNSEEN
        if certain is not None and certain is not possible:
            return Reason.AMBIGUOUS, "an earlier response may count, a later one certainly does"
        step = possible
        one, other = owed.mark.stamp, step.mark.stamp
        read = one.device_ns is not None and other.device_ns is not None
        same = read and (one.domain, one.epoch) == (other.domain, other.epoch)
        if same or self.reader.signal(self.response.signal).sampled:
            return Reason.MEASUREMENT, "the width of the sensed edge leaves both open"
        return Reason.CLOCK, "the clocks of the two sources leave both open"

    def _ended(self, owed: _Owed) -> Interval:
        """When, after the trigger, the obligation was withdrawn; NEVER when it was not."""
        ends: list[Interval] = []
        for condition in self.rule.unless:
            steps = self.reader.steps(condition, owed.evse, owed.params, owed.mark)
            ends.append(first_true(steps, owed.mark)[0])
        if owed.until is not None:
            ends.append(between(owed.mark, Mark.of(owed.until)).clipped(0))
        return Interval(min((e.lo for e in ends), default=NEVER), min((e.hi for e in ends), default=NEVER))

    def _close(self, owed: _Owed) -> None:
        owed.open = False
        if owed in self._open:
            self._open.remove(owed)

    def _say(
        self,
        owed: _Owed,
        span: Interval | None,
        limit: Interval,
        outcome: Outcome,
        step: Step | None,
        because: str,
        reason: Reason | None = None,
        unsure: str = "",
    ) -> None:
        self._close(owed)
        seen: list[Seen] = [(owed.event, "trigger")]
        if span is not None and step is not None and step.event is not None and span.lo != NEVER:
            seen.append((step.event, "response"))
        start, stop = owed.mark.stamp.lo_ns, owed.mark.stamp.hi_ns
        bounded = limit.hi if limit.hi != NEVER else limit.lo if limit.lo != NEVER else 0
        unit, shown, bound = self.unit, None, None
        decision = None
        if span is not None:
            if span.lo == NEVER:  # nothing came: at least as long as was watched
                least = max(limit.hi if limit.hi != NEVER else 0, self.world.now_ns - stop)
                span = Interval(least, NEVER)
            shown = range_of(span.scaled(1 / self.unit_ns), unit)
            if limit.lo != NEVER:
                bound = Interval(limit.lo / self.unit_ns, limit.hi / self.unit_ns)
                decision = decide(span.scaled(1 / self.unit_ns), bound, unit)
        bad = outcome in (Outcome.FAIL, Outcome.ERROR)
        windows = [(start, stop + bounded)]
        held = outcome is Outcome.PASS and self.hold_ns > 0 and step is not None
        if held and step is not None:  # that it stayed so rests on the silence of its source
            kept_ns = min(self.hold_ns, self._ended(owed).hi)
            windows = [(start, max(stop, step.mark.stamp.hi_ns) + kept_ns)]
        self.context.say(
            owed.n,
            owed.evse,
            outcome,
            because,
            opened_ns=owed.event.stamp.order_ns,
            reason=reason,
            measured=shown,
            limit=None if limit.lo == NEVER else (limit.hi if limit.hi != NEVER else limit.lo) / self.unit_ns,
            margin=decision.margin if decision else None,
            lean=decision.lean if decision and outcome is Outcome.INCONCLUSIVE else None,
            decides=decision.decides if decision and outcome is Outcome.INCONCLUSIVE else None,
            seen=seen,
            windows=windows,
            watched=self.reader.sources(self.response, owed.evse) if bad or held else (),
            topics=_TOPICS.get(self.response.signal, ()) if bad or held else (),
            unsure=unsure,
        )


_TOPICS: dict[str, tuple[str, ...]] = {
    "output": ("output",),
    "duty": ("cp.pwm",),
    "current": ("meter.sample",),
    "status": ("ocpp.status",),
    "tx": ("ocpp.tx.started", "ocpp.tx.ended"),
}


def _shown_ns(reader: Reader, within: Amount) -> float:
    """What the limit is at least, to choose the unit of what is shown."""
    return 1e9 if within.of.startswith(("$", "config.")) else reader.quantity(within.of, "time")


def _withdrawn(owed: _Owed) -> str:
    by = f" ({owed.until.id})" if owed.until is not None else ""
    return f"withdrawn before the limit{by}"
