"""Triggers that wait for an event: what respond and absent with events have in common.

This is where most events of a long run pass, so what can be decided beforehand is: tests are closures, a window that
depends on nothing is two numbers, and an event that is not for the rule costs two look-ups.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import chain

from ....errors import RuleError
from ...timeline import Event, kind_of
from ..language.rule import Condition, Occurrence, Trigger, Turn
from ..language.signals import feeds
from ..verdict import Outcome, Reason
from ..world.mark import NEVER, Mark
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Fired, Monitor
from .deadlines import Deadlines
from .keys import Key, keys_by, outlet_of
from .lookback import LookBack
from .matching import Data, Selector
from .owed import UNORDERED, Owed, later, offer, remember, weigh_claims, withdraw
from .placing import EVER_NS, placed
from .routes import NOTHING, routes
from .window import Window

__all__ = ["OPEN", "OPEN_PER_KEY", "WaitingMonitor"]

OPEN_PER_KEY = 1000
OPEN = 10_000
"""Triggers that may wait at once, for one key and in all; of more, the oldest is given up: INCONCLUSIVE(LIMIT)."""
BEFORE = 32
"""Answers that are kept for a trigger that is received after them; of claims, which come in any order, more."""
BEFORE_CLAIMED = 1000


class WaitingMonitor(Monitor):
    """Keeps triggers with what answers them until their windows and the slack are over; what that means is asked."""

    shortens = False
    """Whether an end of what is owed is waited for no longer than the slack."""

    def __init__(
        self,
        context: Context,
        triggers: Sequence[Trigger],
        answers: Sequence[Occurrence],
        until: Sequence[Occurrence],
        window: Window,
        answering: Turn | None = None,
    ) -> None:
        super().__init__(context)
        rule = context.named.rule
        self.head = rule
        self.claimed = rule.at == "claim"
        self.answers = Selector(answers)
        self.until = Selector(until)
        self.window = window
        self.sources: set[str] = set()
        self._enders: set[str] = set()
        """Who spoke of answers and ends so far."""
        self._spoken_of = self.answers.topics | self.until.topics
        of_signal = feeds(answering.signal, self.reader.signals) if answering is not None else frozenset[str]()
        self.topics = tuple(sorted(self.answers.topics | self.until.topics | of_signal))
        self._keys = keys_by(rule.per, self.world.facts.evses)
        self._answering = answering
        self._turns = [item for item in triggers if not isinstance(item.on, Occurrence)]
        self._routes = routes(answers, triggers)
        self._more = bool(until or self.arming is not None or answering is not None)
        self._by_evse = rule.per == ("evse",)
        fixed = self.window.fixed is not None and self.window.extend is None
        self._slow = bool(self.answers.joins or self.claimed or not fixed)
        self.asks = bool(rule.when or self.arming is not None or any(item.given for item in triggers))
        self._open: dict[Key, list[Owed]] = {}
        self._count = 0
        self._deadlines = Deadlines(context, self._expired)
        count = BEFORE_CLAIMED if self.claimed else BEFORE
        self._before = LookBack(count)
        self._ended = LookBack(count)

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self._more:
            self._take_first(event, edges)
        topic = event.topic
        if topic in self._routes:
            key, table, plan = self._routes[topic]  # plan: for what the table does not know
            if topic in self._spoken_of and event.source not in self.sources:
                self.sources.add(event.source)
            if key:
                value = event.data.get(key)
                if type(value) is str:
                    plan = table.get(value, NOTHING)
            if plan is not NOTHING:
                answer, triggers = plan
                if answer is True or (answer is not False and answer(event.data)):
                    self._answer(event)
                for test, given in triggers:
                    if test is None or test(event.data):
                        self._trigger(event, given)
        if edges and self._turns:
            for trigger in self._turns:
                for fired in self.triggered(trigger.on, event, edges):
                    self._turned(event, fired, trigger.given)

    def _take_first(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        if event.topic in self._spoken_of:
            self.sources.add(event.source)
        if self.until.takes(event.topic, event.data):
            self._withdraw(event)
        if edges and self._answering is not None:
            for fired in self.triggered(self._answering, event, edges):
                if not fired.unseen:
                    self._answer(event, fired.evse)

    # ---- answers

    def _answer(self, event: Event, only: int | None = None) -> None:
        """An event answers; of an edge, for one outlet."""
        stamp = event.stamp
        fifo = event.source if stamp.delay_lo_ns == stamp.delay_hi_ns and event.topic not in UNORDERED else ""
        keys = self._keys(event) if only is None else self._keys_at(event, only)
        waiting = self._open
        for key in keys:
            if key not in waiting:
                continue
            if self._slow or stamp.device_ns is not None:
                self._weigh(waiting[key], event, fifo)
                continue
            # as in `later` and `offer`, without a call for each
            first_ns, last_ns = stamp.lo_ns, stamp.hi_ns
            over = False
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
                if owed.hi <= owed.limit_lo and owed.hi_event is not None and self.decided(owed, owed.limit_lo):
                    over = True
            if over:
                self._tidy(key)
        self._before.add(event, keys, self._last_ns(event) if self.claimed else stamp.hi_ns)

    def _weigh(self, waiting: list[Owed], event: Event, fifo: str) -> None:
        over = False
        joins = self.answers.joins
        for owed in waiting:
            if joins and not self.answers.suits(event.topic, event.data, owed.params):
                continue
            if owed.candidates is not None:
                remember(owed, owed.candidates, event, BEFORE_CLAIMED)
                weigh_claims(owed, self.head, self.world)
            else:
                span = later(owed, event, fifo, after=True)
                if span is None or not offer(owed, *span, event):
                    continue
            if owed.hi_event is not None and self.decided(owed, self.window.limit(owed).lo):
                over = True
        if over:
            self._tidy(waiting[0].key)

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
                evse = outlet_of(self.head.per, key, event)
                params = {**params, **self._numbers(event, self.world.facts.evses[0] if evse is None else evse)}
            self._owe(event, key, params, given)

    def _keys_at(self, event: Event, evse: int) -> Sequence[Key]:
        """The keys of an edge: of its outlet's, if its signal is not one of the whole station."""
        keys = self._keys(event)
        if "evse" not in self.head.per or evse not in self.world.facts.evses:
            return keys
        return [key for key in keys if outlet_of(self.head.per, key, event) == evse]

    def _turned(self, event: Event, fired: Fired, given: tuple[Condition, ...]) -> None:
        params = {**event.data, **fired.params}
        outlet = fired.evse if fired.evse in self.world.facts.evses else None
        for key in self._keys_at(event, fired.evse):
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
        if self._by_evse and event.evse is not None:
            evse = where = event.evse
        else:
            evse = outlet_of(self.head.per, key, event)
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
        self._deadlines.add(owed, self._count)
        if self._count > OPEN or (waiting is not None and len(waiting) > OPEN_PER_KEY):
            self._give_up(waiting)
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
                elif (span := later(owed, event, _fifo_of(event), after=False)) is not None:
                    offer(owed, *span, event)
        for event, keys in ends:
            if self._ends(event, keys, owed) and event is not owed.event and self._suits(self.until, event, owed):
                if owed.ends is not None:
                    owed.ends.append(event)
                elif (span := later(owed, event, _fifo_of(event), after=False)) is not None:
                    withdraw(owed, *span, event)
        if owed.candidates:
            weigh_claims(owed, self.head, self.world)
        if owed.hi_event is not None and self.decided(owed, self.window.limit(owed).lo):
            self._tidy(owed.key)

    def _suits(self, selector: Selector, event: Event, owed: Owed) -> bool:
        return not selector.joins or selector.suits(event.topic, event.data, owed.params)

    def _give_up(self, waiting: list[Owed] | None) -> None:
        """Make room: the oldest of a key with too many, or the one that is due first."""
        if waiting is not None and len(waiting) > OPEN_PER_KEY:
            owed = waiting[0]
            text = f"given up: more than {OPEN_PER_KEY} triggers of one key wait for their answer"
        else:
            owed = self._deadlines.first()
            text = f"given up: more than {OPEN} triggers wait for their answer"
        self._close(owed)
        self.gave_up(owed, text)

    # ---- withdrawal

    def _withdraw(self, event: Event) -> None:
        """`until` happened; an event without the key of the rule ends what is owed for every key."""
        self._enders.add(event.source)
        keys = self._keys(event)
        fifo = _fifo_of(event)
        lines = [self._open[key] for key in keys if key in self._open] if keys else list(self._open.values())
        for owed in chain.from_iterable(lines):
            if not self._ends(event, keys, owed) or not self._suits(self.until, event, owed):
                continue
            if owed.ends is not None:
                remember(owed, owed.ends, event, BEFORE_CLAIMED)
                weigh_claims(owed, self.head, self.world)
            elif (span := later(owed, event, fifo, after=True)) is not None:
                withdraw(owed, *span, event)
            if self.shortens and owed.end_hi != NEVER:
                self.hasten(owed, event.stamp.order_ns)
        self._ended.add(event, keys, self._last_ns(event))

    def hasten(self, owed: Owed, due_ns: float) -> None:
        """Decide at this place of the canonical sequence (and the slack after it), if that is earlier."""
        self._deadlines.hasten(owed, due_ns)

    def _ends(self, event: Event, keys: Sequence[Key], owed: Owed) -> bool:
        """Whether an event with these keys (or without a key of the rule) is about this trigger."""
        if keys:
            return owed.key in keys
        return "evse" not in self.head.per or event.evse is None or event.evse == owed.evse

    # ---- time

    def _last_ns(self, event: Event) -> float:
        mark = placed(self.head, self.world, event)
        return EVER_NS if mark is None else mark.stamp.hi_ns

    def _expired(self, owed: Owed) -> None:
        if self.window.postponed(owed) or self.lingers(owed):
            self._deadlines.add(owed, self._count)
        else:
            self._close(owed)
            self.settle(owed, cut=False, end_ns=NEVER)

    def _close(self, owed: Owed) -> None:
        owed.open = False
        waiting = self._open[owed.key]
        if waiting[0] is owed and len(waiting) > 1:
            del waiting[0]
            self._count -= 1
        else:
            self._tidy(owed.key)

    def open_deadlines(self) -> int:
        if not (self.window.ends or self.shortens):
            return 0
        return sum(self._matters(owed) for line in self._open.values() for owed in line)

    def _matters(self, owed: Owed) -> bool:
        """Waiting may bring a verdict: the rule is about this trigger, and nothing ended what is owed."""
        if owed.end_hi != NEVER:
            return False
        if owed.candidates is not None or not self.asks:
            return True
        return self.given(owed.where, owed.place(), owed.params, owed.given)[0] is not Tri.FALSE

    def finish(self, end_ns: int, truncated: bool) -> None:
        left = sorted((owed for line in self._open.values() for owed in line), key=lambda owed: owed.n)
        self._open.clear()
        self._deadlines.clear()
        self._count = 0
        for owed in left:
            self.settle(owed, cut=truncated, end_ns=end_ns)

    # ---- what is known of one trigger

    def watched(self) -> tuple[str, ...]:
        """Whose silence an absence of answers rests on: who spoke of such events, else anybody."""
        anybody = {event.source for event in self.world.gaps} | {kind_of(topic) for topic in self.answers.topics}
        return tuple(sorted(self.sources or anybody))

    def enders(self) -> tuple[str, ...]:
        """Whose silence it rests on that nothing ended what was owed, or forbidden; nobody's where nothing can."""
        if not self.until.topics:
            return ()
        anybody = {event.source for event in self.world.gaps} | {kind_of(topic) for topic in self.until.topics}
        return tuple(sorted(self._enders or anybody))

    def lacks(self, n: int, evse: int | None, event: Event, error: RuleError) -> None:
        """A trigger without a number that the window needs."""
        self.context.say(
            n, evse, Outcome.INCONCLUSIVE, f"it cannot be judged: {error}", opened_ns=event.stamp.order_ns,
            reason=Reason.PRECONDITION, seen=[(event, "trigger")], lengthened=False,
        )  # fmt: skip

    # ---- what it means

    def lingers(self, owed: Owed) -> bool:
        """Whether it is too early to decide; `due_ns` is a later one then."""
        return False

    @abstractmethod
    def decided(self, owed: Owed, limit_ns: float) -> bool:
        """An answer that certainly lies in the window may have come: whether that is said now, once and for all."""

    @abstractmethod
    def settle(self, owed: Owed, *, cut: bool, end_ns: float) -> None:
        """Decide with what is known up to `end_ns`. `cut`: the record ends before the run did."""

    @abstractmethod
    def gave_up(self, owed: Owed, because: str) -> None:
        """There was no more room for it."""


def _fifo_of(event: Event) -> str:
    return event.source if Mark.of(event).fifo else ""
