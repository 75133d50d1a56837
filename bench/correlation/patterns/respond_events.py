"""respond with events: after a trigger, an event comes within a limit.

This is where most events of a long run pass, so what can be decided beforehand is: tests are closures, a window that
depends on nothing is two numbers, and an event that is not for the rule costs two look-ups.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import chain

from ....errors import RuleError
from ...timeline import Event
from ..mark import NEVER
from ..rule import Condition, Occurrence
from ..tri import Tri
from ..verdict import Outcome, Reason
from ..world import Edge
from .base import Context, Fired
from .keys import Key, keys_by, outlet_of
from .lookback import LookBack
from .matching import Data, Selector
from .owed import UNORDERED, Owed, later, offer, withdraw
from .placing import EVER_NS, placed
from .routes import Plan, routes
from .settling import Settling, fifo_of

__all__ = ["OPEN", "OPEN_PER_KEY", "RespondEventsMonitor"]

OPEN_PER_KEY = 1000
OPEN = 10_000
"""Triggers that may wait at once, for one key and in all; of more, the oldest is given up: INCONCLUSIVE(LIMIT)."""
BEFORE = 64
"""Answers that are kept for a trigger that is received after them; of claims, which come in any order, more."""
BEFORE_CLAIMED = 1000


class RespondEventsMonitor(Settling):
    """Says PASS at the first answer that is certainly in time, all else when the window and the slack are over."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = self.rule
        self._keys = keys_by(rule.per, self.world.facts.evses)
        self._turns = [item for item in rule.trigger if not isinstance(item.on, Occurrence)]
        self._routes = routes(rule.answers, rule.trigger)
        self._first = bool(rule.until or self.arming is not None)
        self._by_evse = rule.per == ("evse",)
        fixed = self.window.fixed is not None and self.window.extend is None
        self._slow = bool(self.answers.joins or self.claimed or not fixed)
        self._asks = bool(rule.when or self.arming is not None or any(item.given for item in rule.trigger))
        self._open: dict[Key, list[Owed]] = {}
        self._count = 0
        self._due: list[tuple[float, int, Owed]] = []
        self._timer_ns = NEVER
        count, span_ns = (BEFORE_CLAIMED, NEVER) if self.claimed else (BEFORE, context.slack_ns)
        self._before = LookBack(count, span_ns)
        self._ended = LookBack(count, span_ns)

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self._first:
            self._take_first(event)
        route = self._routes.get(event.topic)
        if route is not None:
            key, table, plan = route  # plan: for what no table knows
            if key:
                value = event.data.get(key)
                if type(value) is str:
                    plan = table.get(value)
            if plan is not None:
                self._follow(plan, event)
        if edges and self._turns:
            for trigger in self._turns:
                for fired in self.triggered(trigger.on, event, edges):
                    self._turned(event, fired, trigger.given)

    def _follow(self, plan: Plan, event: Event) -> None:
        for test in plan.answers:
            if test is None or test(event.data):
                self._answer(event)
                break
        for test, given in plan.triggers:
            if test is None or test(event.data):
                self._trigger(event, given)

    def _take_first(self, event: Event) -> None:
        if self.arming is not None:
            self.arming.take(event)
        if self.until.takes(event.topic, event.data):
            self._withdraw(event)

    # ---- answers

    def _answer(self, event: Event) -> None:
        stamp = event.stamp
        source = event.source
        if source not in self.sources:
            self.sources.add(source)
        fifo = source if stamp.delay_lo_ns == stamp.delay_hi_ns and event.topic not in UNORDERED else ""
        keys = self._keys(event)
        waiting = self._open
        for key in keys:
            if key not in waiting:
                continue
            if self._slow or stamp.device_ns is not None:
                self._weigh(waiting[key], event, fifo)
                continue
            # as in `later` and `offer`, without a call for each
            first_ns, last_ns = stamp.lo_ns, stamp.hi_ns
            passed = False
            for owed in waiting[key]:
                lo, hi = first_ns - owed.last_ns, last_ns - owed.first_ns
                if fifo and fifo == owed.fifo:
                    lo, hi = lo if lo > 0 else 0, hi if hi > 0 else 0
                after = owed.after
                if hi < after:
                    continue
                if lo >= after:
                    if hi < owed.hi:
                        owed.hi, owed.hi_event = hi, event
                else:
                    lo = after
                if lo < owed.lo or (lo == owed.lo and owed.hi_event is event):
                    owed.lo, owed.lo_event = lo, event
                if owed.hi <= owed.limit_lo and owed.hi_event is not None and self._passes(owed, owed.limit_lo):
                    passed = True
            if passed:
                self._tidy(key)
        self._before.add(event, keys, self._last_ns(event) if self.claimed else stamp.hi_ns)

    def _weigh(self, waiting: list[Owed], event: Event, fifo: str) -> None:
        passed = False
        joins = self.answers.joins
        for owed in waiting:
            if joins and not self.answers.suits(event.topic, event.data, owed.params):
                continue
            if owed.candidates is not None:
                owed.candidates.append(event)
                if len(owed.candidates) > BEFORE_CLAIMED:
                    del owed.candidates[0]
                    owed.limited = True
                self.weigh_claims(owed)
            else:
                span = later(owed, event, fifo, after=True)
                if span is None or not offer(owed, *span, event):
                    continue
            if owed.hi_event is not None and self._passes(owed, self.limit(owed).lo):
                passed = True
        if passed:
            self._tidy(waiting[0].key)

    def _passes(self, owed: Owed, limit_ns: float) -> bool:
        """Say PASS if the answer is in time, came before it was withdrawn, and the rule is about this trigger."""
        if owed.hi > limit_ns or owed.hi > owed.end_hi or (self.rule.unless and owed.hi > self.withdrawn(owed)[1]):
            return False
        if self._asks and self.given(owed.where, owed.place(), owed.params, owed.given)[0] is Tri.FALSE:
            return False
        owed.open = False
        self.passed(owed, limit_ns)
        return True

    def _tidy(self, key: Key) -> None:
        """Forget what was answered."""
        waiting = self._open[key]
        if len(waiting) == 1 and not waiting[0].open:
            del self._open[key]
            self._count -= 1
            return
        left = [owed for owed in waiting if owed.open]
        self._count -= len(waiting) - len(left)
        if left:
            self._open[key] = left
        else:
            del self._open[key]

    # ---- triggers

    def _trigger(self, event: Event, given: tuple[Condition, ...]) -> None:
        keys: Sequence[Key] = self._keys(event)
        topic = event.topic
        if topic == "csms.remote_stop" and self._by_evse:
            keys = tuple(self.world.outlets_stopped(event))
        for key in keys:
            params: Data = event.data
            if topic == "csms.charging_profile":
                evse = outlet_of(self.rule.per, key, event)
                params = {**params, **self._numbers(event, self.world.facts.evses[0] if evse is None else evse)}
            self._owe(event, key, params, given)

    def _turned(self, event: Event, fired: Fired, given: tuple[Condition, ...]) -> None:
        params = {**event.data, **fired.params}
        outlet = fired.evse if fired.evse in self.world.facts.evses else None
        for key in self._keys(event):
            evse = outlet_of(self.rule.per, key, event)
            if evse is None or outlet is None or evse == outlet:
                self._owe(event, key, params, given, fired, outlet)

    def _owe(
        self,
        event: Event,
        key: Key,
        params: Data,
        given: tuple[Condition, ...],
        fired: Fired | None = None,
        outlet: int | None = None,
    ) -> None:
        n = self.context.next_number()
        evse = outlet_of(self.rule.per, key, event)
        where = evse if evse is not None else outlet
        span = self.window.fixed
        if span is None:
            try:
                span = self.window.of(params)
            except RuleError as error:
                self.lacks(n, evse, event, error)
                return
        after, limit_lo, limit_hi = span
        stamp = event.stamp if fired is None else fired.mark.stamp
        fifo = ""
        if fired is None and stamp.delay_lo_ns == stamp.delay_hi_ns and event.topic not in UNORDERED:
            fifo = event.source
        due_ns = stamp.order_ns + (limit_hi if limit_hi != NEVER else limit_lo)
        owed = Owed(
            n, event, key, evse, where, due_ns, after, limit_lo, limit_hi, stamp.lo_ns, stamp.hi_ns,
            stamp.device_ns is not None, fifo, given, params,
        )  # fmt: skip
        if fired is not None:
            owed.mark, owed.unseen, owed.fifo = fired.mark, fired.unseen, event.source if fired.mark.fifo else ""
        if self.claimed:
            owed.candidates, owed.ends = [], []
        waiting = self._open.get(key)
        if waiting is None:
            self._open[key] = [owed]
        else:
            waiting.append(owed)
        self._count += 1
        heapq.heappush(self._due, (due_ns, n, owed))
        if due_ns + self.context.slack_ns < self._timer_ns:
            self._set_timer()
        if self._count > OPEN or (waiting is not None and len(waiting) > OPEN_PER_KEY):
            self._give_up(waiting)
        if len(self._due) > 64 + 4 * self._count:
            self._due = [item for item in self._due if item[2].open]
            heapq.heapify(self._due)
        if self.claimed or self._before.reach >= stamp.lo_ns + after or self._ended.reach >= stamp.lo_ns:
            self._look_back(owed)

    def _look_back(self, owed: Owed) -> None:
        """Answers and ends that stand before the trigger in the sequence, and may have happened after it."""
        from_ns = -NEVER if self.claimed else owed.first_ns
        answers, missed = self._before.since(from_ns + owed.after)
        ends, missed_end = self._ended.since(from_ns)
        owed.limited = owed.limited or missed or missed_end
        for event, keys in answers:
            if owed.key in keys and event is not owed.event and self._suits(self.answers, event, owed):
                if owed.candidates is not None:
                    owed.candidates.append(event)
                elif (span := later(owed, event, fifo_of(event), after=False)) is not None:
                    offer(owed, *span, event)
        for event, keys in ends:
            if self._ends(event, keys, owed) and event is not owed.event and self._suits(self.until, event, owed):
                if owed.ends is not None:
                    owed.ends.append(event)
                elif (span := later(owed, event, fifo_of(event), after=False)) is not None:
                    withdraw(owed, *span, event)
        if owed.candidates:
            self.weigh_claims(owed)
        if owed.hi_event is not None and self._passes(owed, self.limit(owed).lo):
            self._tidy(owed.key)

    def _suits(self, selector: Selector, event: Event, owed: Owed) -> bool:
        return not selector.joins or selector.suits(event.topic, event.data, owed.params)

    def _give_up(self, waiting: list[Owed] | None) -> None:
        """Make room: the oldest of a key with too many, or the one that is due first."""
        if waiting is not None and len(waiting) > OPEN_PER_KEY:
            owed = waiting[0]
            text = f"given up: more than {OPEN_PER_KEY} triggers of one key wait for their answer"
        else:
            owed = self._in_order()[0][2]
            text = f"given up: more than {OPEN} triggers wait for their answer"
        self._close(owed)
        self.tell(owed, Outcome.INCONCLUSIVE, text, Reason.LIMIT)

    def _in_order(self) -> list[tuple[float, int, Owed]]:
        while self._due and not self._due[0][2].open:
            heapq.heappop(self._due)
        return self._due

    # ---- withdrawal

    def _withdraw(self, event: Event) -> None:
        """`until` happened; an event without the key of the rule ends what is owed for every key."""
        keys = self._keys(event)
        fifo = fifo_of(event)
        lines = [self._open[key] for key in keys if key in self._open] if keys else list(self._open.values())
        for owed in chain.from_iterable(lines):
            if not self._ends(event, keys, owed) or not self._suits(self.until, event, owed):
                continue
            if owed.ends is not None:
                owed.ends.append(event)
                self.weigh_claims(owed)
            elif (span := later(owed, event, fifo, after=True)) is not None:
                withdraw(owed, *span, event)
            if self.rule.within is None and owed.end_hi != NEVER and owed.due_ns == NEVER:
                owed.due_ns = event.stamp.order_ns  # nothing else will come of it
                heapq.heappush(self._due, (owed.due_ns, owed.n, owed))
        self._set_timer()
        self._ended.add(event, keys, self._last_ns(event))

    def _ends(self, event: Event, keys: Sequence[Key], owed: Owed) -> bool:
        """Whether an event with these keys (or without a key of the rule) is about this trigger."""
        if keys:
            return owed.key in keys
        return "evse" not in self.rule.per or event.evse is None or event.evse == owed.evse

    # ---- time

    def _last_ns(self, event: Event) -> float:
        mark = placed(self.rule, self.world, event)
        return EVER_NS if mark is None else mark.stamp.hi_ns

    def _set_timer(self) -> None:
        """One timer, for what is due first."""
        due = self._in_order()
        if not due:
            return
        when_ns = due[0][0] + self.context.slack_ns
        if when_ns < self._timer_ns and when_ns != NEVER:
            self._timer_ns = when_ns
            self.context.schedule(int(when_ns), lambda: self._expire(when_ns))

    def _expire(self, when_ns: float) -> None:
        if when_ns != self._timer_ns:
            return  # an earlier one was set since
        self._timer_ns = NEVER
        now_ns, slack_ns = self.world.now_ns, self.context.slack_ns
        while (due := self._in_order()) and due[0][0] + slack_ns <= now_ns:
            owed = heapq.heappop(due)[2]
            if self.postponed(owed):
                heapq.heappush(due, (owed.due_ns, owed.n, owed))
            else:
                self._close(owed)
                self.settle(owed, cut=False)
        self._set_timer()

    def _close(self, owed: Owed) -> None:
        owed.open = False
        waiting = self._open[owed.key]
        if waiting[0] is owed and len(waiting) > 1:
            del waiting[0]
            self._count -= 1
        else:
            self._tidy(owed.key)

    def open_deadlines(self) -> int:
        return self._count if self.rule.within is not None else 0

    def finish(self, end_ns: int, truncated: bool) -> None:
        left = sorted((owed for line in self._open.values() for owed in line), key=lambda owed: owed.n)
        self._open.clear()
        self._due.clear()
        self._count = 0
        for owed in left:
            over = self.rule.within is None or owed.last_ns + self.limit(owed).hi <= end_ns
            self.settle(owed, cut=truncated or not over)
