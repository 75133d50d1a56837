"""cadence: while a scope lasts, something comes at least every so often."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from ...timeline import Event, Interval, Stamp
from ..condition import matches
from ..decide import clean, decide, range_of
from ..language.rule import Cadence, Occurrence
from ..verdict import Outcome, Range, Reason
from ..world.mark import NEVER, Mark, between, surely_before
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen
from .keys import Key, keys_by
from .pace import HEARTBEAT, Heartbeat, factor_of, pace_of
from .stays import Stay, Stays, tellers

__all__ = ["LINES", "CadenceMonitor", "happened"]

LINES = 1000
"""Keys of the data that are told apart in one stay; of more, the oldest is given up."""


class Item(NamedTuple):
    """It happened, on an outlet (None: on all of them), for some keys of the data."""

    event: Event
    mark: Mark
    outlet: int | None
    keys: Sequence[Key]

    def belongs(self, stay: Stay, *, station: bool) -> bool:
        return station or stay.evse is None or self.outlet in (None, stay.evse)


def happened(monitor: Monitor, rule: Cadence, event: Event, edges: Sequence[Edge]) -> list[Item]:
    """What a cadence counts in an event."""
    rest = [part for part in rule.per if part not in ("evse", "station")]
    keys = keys_by(rest, monitor.world.facts.evses) if rest else None
    if isinstance(rule.event, Occurrence):
        if not matches(rule.event, event):
            return []
        return [Item(event, Mark.of(event), event.evse, keys(event) if keys else ((),))]
    return [
        Item(event, fired.mark, fired.evse, keys(event) if keys else ((),))
        for fired in monitor.triggered(rule.event, event, edges)
    ]


NEAR = 50
"""So many events before and after a pause are looked at, whether they may lie within."""


class _Line:
    """The pauses between the events of one key in a stay: the longest by its lower and by its upper end."""

    def __init__(self) -> None:
        self.last: Item | None = None
        self.pending: deque[Item] = deque()
        self.folded: deque[Item] = deque(maxlen=NEAR)
        self.lo = self.hi = -1.0
        self.longest: tuple[Item | None, Item | None] = (None, None)
        self.surely: tuple[Item | None, Item | None] = (None, None)


class _Watch:
    """One stay, from `mark` on (the entry, or when the time that is asked became known)."""

    def __init__(self, stay: Stay, mark: Mark, event: Event | None, asked_ns: float) -> None:
        self.stay = stay
        self.mark = mark
        self.event = event
        self.asked_ns = asked_ns
        self.lines: OrderedDict[Key, _Line] = OrderedDict()
        self.over = False

    def fold(self, line: _Line, item: Item | None, end: Mark | None, later: Sequence[Item] = ()) -> None:
        """The pause up to an event (None: up to the end), cut to the stay. `later`: what was received after it.

        It certainly lasted no longer than from any event before it to any after it: received in another order, one of
        them may lie within.
        """
        starts = [self.mark] if line.last is None else [self.mark, line.last.mark]
        ends = [mark for mark in (item.mark if item is not None else None, end) if mark is not None]
        spans = [between(start, stop) for start in starts for stop in ends]
        lo, hi = max(0, min(span.lo for span in spans)), max(0, min(span.hi for span in spans))
        if lo > line.lo:
            starts += [other.mark for other in line.folded]
            ends += [other.mark for other in islice(later, NEAR)]
            lo = max(0, min(between(start, stop).lo for start in starts for stop in ends))
        if lo > line.lo:
            line.lo, line.surely = lo, (line.last, item)
        if hi > line.hi:
            line.hi, line.longest = hi, (line.last, item)
        line.last = item
        if item is not None:
            line.folded.append(item)


class CadenceMonitor(Monitor):
    """The longest pause of each stay in the scope, against the time that is asked plus tolerance.

    An event counts when nothing that came with delay can put it outside any more, so that a stay is judged that long
    after its end.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Cadence)
        assert rule.scope is not None
        self.rule = rule
        self._station = "station" in rule.per
        self._factor = factor_of(self.reader, rule.tolerance, 1)
        self._heartbeat = Heartbeat() if rule.every == HEARTBEAT else None
        self._stays = Stays(context, rule.scope, self._opened, self._closed)
        self._open: dict[int, _Watch] = {}
        self._ended: list[_Watch] = []
        self._recent: deque[Item] = deque()
        self._sources: set[str] = set()

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        known = self._heartbeat is not None and self._heartbeat.take(event)
        self._stays.take(event, edges)
        if known:
            self._paced(event)
        for item in happened(self, self.rule, event, edges):
            self._sources.add(event.source)
            self._recent.append(item)
            for watch in (*self._open.values(), *self._ended):
                if event is not watch.event:
                    self._add(watch, item)
        since_ns = event.stamp.order_ns - self.context.slack_ns
        while self._recent and self._recent[0].event.stamp.order_ns < since_ns:
            self._recent.popleft()

    def _opened(self, stay: Stay) -> None:
        if self._heartbeat is None or self._heartbeat.every_ns:
            self._begin(stay, stay.entry.mark, stay.entry.event)

    def _begin(self, stay: Stay, mark: Mark, event: Event | None) -> None:
        asked_ns = self._heartbeat.every_ns if self._heartbeat is not None else 0.0
        watch = self._open[stay.n] = _Watch(stay, mark, event, asked_ns)
        for item in self._recent:
            if item.event is not event and between(mark, item.mark).hi >= 0 and not surely_before(item.mark, mark):
                self._add(watch, item)

    def _paced(self, event: Event) -> None:
        """The heartbeat interval was set: a stay that lasts owes the longer one, one without any begins now."""
        assert self._heartbeat is not None
        for stay in self._stays.open.values():
            watch = self._open.get(stay.n)
            if watch is None:
                self._begin(stay, Mark.of(event), event)
            else:
                watch.asked_ns = max(watch.asked_ns, self._heartbeat.every_ns)

    def _add(self, watch: _Watch, item: Item) -> None:
        if not item.belongs(watch.stay, station=self._station):
            return
        leave = watch.stay.leave
        if leave is not None and (between(item.mark, leave.mark).hi < 0 or surely_before(leave.mark, item.mark)):
            return
        settled_ns = item.event.stamp.order_ns - self.context.slack_ns
        for key in item.keys:
            line = watch.lines.get(key)
            if line is None:
                line = watch.lines[key] = _Line()
                if len(watch.lines) > LINES:
                    self._say(watch, watch.lines.popitem(last=False)[1], self._now(), limited=True)
            watch.lines.move_to_end(key)
            line.pending.append(item)
            while leave is None and line.pending[0].event.stamp.order_ns < settled_ns:
                watch.fold(line, line.pending.popleft(), None, line.pending)

    def _closed(self, stay: Stay) -> None:
        watch = self._open.pop(stay.n, None)
        if watch is None or stay.leave is None:
            return
        self._ended.append(watch)
        when_ns = stay.leave.mark.stamp.order_ns + self.context.slack_ns
        self.context.schedule(when_ns, lambda: self._judge(watch))

    def open_deadlines(self) -> int:
        return len(self._ended)

    def finish(self, end_ns: int, truncated: bool) -> None:
        for watch in list(self._ended):
            self._judge(watch)
        end = Mark(Stamp(end_ns, end_ns, end_ns))
        for watch in self._open.values():
            self._judge(watch, end, cut=truncated)
        self._open.clear()

    # ---- the verdict

    def _now(self) -> Mark:
        now_ns = self.world.now_ns
        return Mark(Stamp(now_ns, now_ns, now_ns))

    def _judge(self, watch: _Watch, end: Mark | None = None, *, cut: bool = False) -> None:
        if watch.over:
            return
        watch.over = True
        if watch in self._ended:
            self._ended.remove(watch)
        leave = watch.stay.leave
        stop = end if leave is None else leave.mark
        assert stop is not None
        lines = list(watch.lines.values()) or [_Line()]
        for i, line in enumerate(lines):
            inside = [
                item
                for item in line.pending
                if leave is None or not (between(item.mark, leave.mark).hi < 0 or surely_before(leave.mark, item.mark))
            ]
            for at, item in enumerate(inside, 1):
                watch.fold(line, item, stop, inside[at:])
            watch.fold(line, None, stop)
            self._say(watch, line, stop, first=i == 0, cut=cut)

    def _say(
        self, watch: _Watch, line: _Line, stop: Mark, *, first: bool = False, cut: bool = False, limited: bool = False
    ) -> None:
        stay = watch.stay
        given, why = self.given(stay.evse, watch.mark)
        if given is Tri.FALSE:
            return
        limit = self._limit(watch, stop)
        outcome, because, reason = Outcome.INCONCLUSIVE, f"{self.rule.every} was not read back", Reason.PRECONDITION
        before, after = line.longest
        measured, margin, lean, decides = None, None, None, None
        if limit is not None and limit.lo == NEVER:
            outcome, because, reason = Outcome.NOT_APPLICABLE, f"{self.rule.every} is 0: nothing is asked", None
        elif limit is not None:
            pause = Interval(max(0, line.lo), max(0, line.lo, line.hi))
            measured = range_of(_seconds(pause), "s")
            outcome, margin, lean, decides = _decided(pause, limit)
            if outcome is Outcome.FAIL:
                before, after = line.surely
            begun = before.event if before is not None else watch.event
            because = f"the longest pause begins at {begun.id}" if begun is not None else "the longest pause"
            fixed = limit.lo == limit.hi
            reason = None if outcome is not Outcome.INCONCLUSIVE else Reason.CLOCK if fixed else Reason.PRECONDITION
            if outcome is Outcome.PASS and not limited and between(watch.mark, stop).lo <= limit.lo:
                outcome, reason = Outcome.NOT_APPLICABLE, None
                because = "the stay was perhaps no longer than one interval"
            elif limited:
                outcome, because, reason = Outcome.INCONCLUSIVE, f"given up: more than {LINES} keys", Reason.LIMIT
            elif cut and outcome is Outcome.PASS:
                outcome, because, reason = (
                    Outcome.INCONCLUSIVE,
                    "the record ends while the scope lasts",
                    Reason.TRUNCATED,
                )
        seen: list[Seen] = []
        start = before.event if before is not None else watch.event
        if start is not None:
            seen.append((start, "before the pause"))
        last = after.event if after is not None else stay.leave.event if stay.leave is not None else None
        if last is not None:
            seen.append((last, "after the pause"))
        begin_ns = start.stamp.lo_ns if start is not None else watch.mark.stamp.lo_ns
        upto_ns = after.mark.stamp.hi_ns if after is not None else stop.stamp.hi_ns
        failed = outcome is Outcome.FAIL
        undecided = outcome is Outcome.INCONCLUSIVE
        self.context.say(
            stay.n if first else self.context.next_number(),
            stay.evse,
            outcome,
            because,
            opened_ns=stay.opened_ns,
            reason=reason,
            measured=measured,
            limit=None if limit is None or limit.lo == NEVER else _largest(limit) / 1e9,
            margin=margin,
            lean=lean if undecided else None,
            decides=decides if undecided else None,
            seen=seen,
            windows=[(begin_ns, upto_ns)],
            watched=tuple(sorted(tellers(self, self.rule.event, stay.evse, self._sources, watch.event)))
            if failed
            else (),
            topics=self.rule.event.topics if failed and isinstance(self.rule.event, Occurrence) else (),
            unsure=why,
        )

    def _limit(self, watch: _Watch, stop: Mark) -> Interval | None:
        if self._heartbeat is not None:
            exact = float(Fraction(watch.asked_ns) * self._factor)
            return Interval(exact, exact)
        return pace_of(self.reader, self.rule.every, self._factor, watch.mark, stop)


def _seconds(span: Interval) -> Interval:
    return Interval(span.lo / 1e9, span.hi / 1e9)


def _largest(limit: Interval) -> float:
    return limit.hi if limit.hi != NEVER else limit.lo


def _decided(pause: Interval, limit: Interval) -> tuple[Outcome, Range, Outcome | None, str | None]:
    if limit.hi == NEVER:  # at times nothing was asked
        outcome = Outcome.PASS if pause.hi <= limit.lo else Outcome.INCONCLUSIVE
        return outcome, Range(clean((limit.lo - pause.hi) / 1e9), None, "s"), None, None
    decision = decide(_seconds(pause), _seconds(limit), "s")
    return decision.outcome, decision.margin, decision.lean, decision.decides
