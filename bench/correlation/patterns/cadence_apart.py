"""cadence: two of something are at least so far apart."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

import msgspec

from ...timeline import Event, Interval, Stamp
from ..decide import clean, range_of
from ..language.rule import Cadence, Occurrence
from ..verdict import Outcome, Range, Reason
from ..world.mark import NEVER, Mark, between, surely_before
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor
from .cadence import Item, happened
from .keys import Key, keys_by, outlet_of
from .pace import factor_of, pace_of
from .stays import Stay, Stays

__all__ = ["KEYS", "ApartMonitor"]

NEAR = 100
"""With so many events before it, received within the time that an event may be late, another one is compared."""
KEYS = 10_000
"""Entities that a rule remembers at once. One that was silent for longer than the distance is settled when room is
needed; else the oldest is given up."""


class _Row:
    """The events of one key, in one stay if the rule has a scope."""

    def __init__(self, evse: int | None, stay: Stay | None, first: Item) -> None:
        self.evse = evse
        self.stay = stay
        self.first = first
        self.pending: deque[Item] = deque()
        self.last: Item | None = None
        self.recent: deque[tuple[Item, bool]] = deque(maxlen=NEAR)
        self.count = 0
        self.lo = self.hi = NEVER
        self.nearest: tuple[Event, Event] | None = None
        self.unsure = ""
        self.over = False

    def add(self, item: Item, *, sure: bool, slack_ns: int) -> None:
        """The next event that may be inside, and certainly is. The one received before it need not be the nearest."""
        self.count += 1
        for other, other_sure in self.recent:
            span = between(other.mark, item.mark)
            lo = max(span.lo, -span.hi, 0)
            if lo < self.lo:
                self.lo, self.nearest = lo, (other.event, item.event)
            if sure and other_sure:
                self.hi = min(self.hi, max(-span.lo, span.hi))
        self.last = item
        self.recent.append((item, sure))
        since_ns = item.event.stamp.order_ns - slack_ns
        while len(self.recent) > 2 and self.recent[0][0].event.stamp.order_ns < since_ns:
            self.recent.popleft()


class ApartMonitor(Monitor):
    """Measures the distance of neighbours; a FAIL is told at once, the rest when the stay or the record is over."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Cadence)
        self.rule = rule
        self._station = "station" in rule.per
        self._factor = factor_of(self.reader, rule.tolerance, -1)
        self._keys = keys_by(rule.per, self.world.facts.evses)
        self._stays = None if rule.scope is None else Stays(context, rule.scope, self._opened, self._closed)
        self._rows: OrderedDict[Key, _Row] = OrderedDict()
        self._recent: deque[Item] = deque()
        self._now: list[Stay] = []
        self._sources: set[str] = set()
        self._asks = bool(self.when) or self.arming is not None

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        if self._stays is not None:
            self._stays.take(event, edges)
        for item in happened(self, self.rule, event, edges):
            self._sources.add(event.source)
            if self._stays is None:
                told = event if isinstance(self.rule.event, Occurrence) else _on(event, item.outlet)
                for key in self._keys(told):
                    self._add((0, key), item, outlet_of(self.rule.per, key, told), None)
                continue
            self._recent.append(item)
            for stay in self._now:
                self._inside(stay, item)
        since_ns = event.stamp.order_ns - self.context.slack_ns
        while self._recent and self._recent[0].event.stamp.order_ns < since_ns:
            self._recent.popleft()

    def _opened(self, stay: Stay) -> None:
        self._now.append(stay)
        for item in self._recent:
            self._inside(stay, item)

    def _inside(self, stay: Stay, item: Item) -> None:
        if item.belongs(stay, station=self._station):
            for key in item.keys:
                self._add((stay.n, key), item, stay.evse, stay)

    def _closed(self, stay: Stay) -> None:
        assert stay.leave is not None
        self.context.schedule(stay.leave.mark.stamp.order_ns + self.context.slack_ns, lambda: self._settle(stay))

    def _settle(self, stay: Stay) -> None:
        if stay in self._now:
            self._now.remove(stay)
            for key in [key for key, row in self._rows.items() if row.stay is stay]:
                self._end(self._rows.pop(key))

    def finish(self, end_ns: int, truncated: bool) -> None:
        for row in self._rows.values():
            self._end(row, cut=truncated and (row.stay is None or row.stay.leave is None))
        self._rows.clear()

    # ---- one event

    def _add(self, key: tuple[int, Key], item: Item, evse: int | None, stay: Stay | None) -> None:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row(evse, stay, item)
            if len(self._rows) > KEYS:
                self._give_up(self._rows.popitem(last=False)[1])
        self._rows.move_to_end(key)
        row.pending.append(item)
        if stay is None and not self._asks:
            self._next(row)
        else:
            self.context.schedule(item.event.stamp.order_ns + self.context.slack_ns, lambda: self._next(row))

    def _next(self, row: _Row) -> None:
        if row.over or not row.pending:
            return
        item = row.pending.popleft()
        may, sure = _place(row.stay, item.mark)
        if not may:
            return
        given, why = self.given(row.evse if row.evse is not None else item.outlet, item.mark)
        if given is Tri.FALSE:
            return
        row.unsure = row.unsure or why
        row.add(item, sure=sure, slack_ns=self.context.slack_ns)
        limit = self._limit(row)
        if limit is not None and row.hi < limit.lo:
            self._say(row, limit, Outcome.FAIL, "two of them are too near to each other")

    def _limit(self, row: _Row) -> Interval | None:
        now_ns = self.world.now_ns
        last = row.last.mark if row.last is not None else Mark(Stamp(now_ns, now_ns, now_ns))
        return pace_of(self.reader, self.rule.apart, self._factor, row.first.mark, last, nothing=0.0)

    # ---- the end

    def _give_up(self, row: _Row) -> None:
        limit = self._limit(row)
        last = row.last
        quiet_ns = -1 if last is None else self.world.now_ns - last.mark.stamp.hi_ns - self.context.slack_ns
        if row.stay is None and not row.pending and limit is not None and quiet_ns >= limit.hi:
            self._end(row)
        elif not row.over:
            self._say(row, limit, Outcome.INCONCLUSIVE, f"given up: more than {KEYS} at once", Reason.LIMIT)

    def _end(self, row: _Row, *, cut: bool = False) -> None:
        while row.pending and not row.over:
            self._next(row)
        if row.over or row.count < 2:
            return
        limit = self._limit(row)
        if limit is None:
            text = f"{self.rule.apart} was not read back"
            self._say(row, None, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION)
        elif limit.hi == 0 and self.rule.apart.startswith("config."):
            self._say(row, limit, Outcome.NOT_APPLICABLE, f"{self.rule.apart} is 0: nothing is asked")
        elif row.lo < limit.hi:
            reason = Reason.CLOCK if limit.lo == limit.hi else Reason.PRECONDITION
            self._say(row, limit, Outcome.INCONCLUSIVE, "two of them may be too near to each other", reason)
        elif cut:
            self._say(row, limit, Outcome.INCONCLUSIVE, "the record ends before it is over", Reason.TRUNCATED)
        else:
            self._say(row, limit, Outcome.PASS, "all of them are far enough apart")

    def _say(
        self, row: _Row, limit: Interval | None, outcome: Outcome, because: str, reason: Reason | None = None
    ) -> None:
        row.over = True
        last = row.last.event if row.last is not None else row.first.event
        first, second = row.nearest or (row.first.event, last)
        passed = outcome is Outcome.PASS or reason is Reason.TRUNCATED
        lo, hi = max(0.0, row.lo), max(0.0, row.lo, row.hi)
        known = row.nearest is not None
        from_ns = row.first.mark.stamp.lo_ns if row.stay is None else row.stay.entry.mark.stamp.lo_ns
        margin = None
        if limit is not None and known:
            margin = Range(clean((lo - limit.hi) / 1e9), clean((hi - limit.lo) / 1e9 if hi != NEVER else NEVER), "s")
        self.context.say(
            self.context.next_number(),
            row.evse,
            outcome,
            because,
            opened_ns=row.stay.opened_ns if row.stay is not None else row.first.event.stamp.order_ns,
            reason=reason,
            measured=range_of(Interval(lo / 1e9, hi / 1e9), "s") if known else None,
            limit=None if limit is None else limit.hi / 1e9,
            margin=margin,
            seen=[(first, "first"), (second, "violation" if outcome is Outcome.FAIL else "second")],
            windows=[(from_ns, last.stamp.hi_ns)] if passed else [(first.stamp.lo_ns, second.stamp.hi_ns)],
            watched=tuple(sorted(self._sources)) if passed else (),
            topics=self.rule.event.topics if passed and isinstance(self.rule.event, Occurrence) else (),
            lengthened=False,
            unsure=row.unsure,
        )


def _place(stay: Stay | None, mark: Mark) -> tuple[bool, bool]:
    """Whether an event may lie in a stay, and whether it certainly does."""
    if stay is None:
        return True, True
    entry = stay.entry.mark
    since = between(entry, mark)
    may, sure = since.hi >= 0 and not surely_before(mark, entry), since.lo >= 0
    if stay.leave is None:
        return may, sure
    leave = stay.leave.mark
    left = between(mark, leave)
    return may and left.hi >= 0 and not surely_before(leave, mark), sure and left.lo >= 0


def _on(event: Event, outlet: int | None) -> Event:
    """The event of an edge, on the outlet of the signal."""
    return event if outlet is None else msgspec.structs.replace(event, evse=outlet)
