"""count while a condition is true: how often something happens in each stay in the scope."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ...timeline import Event
from ..language.rule import Occurrence
from ..verdict import Outcome, Reason
from ..world.mark import NEVER, Mark, between, surely_before
from ..world.world import Edge
from .base import Context, Seen
from .counting import Counted, CountingMonitor, Tally
from .stays import Stay, Stays

__all__ = ["KEPT", "CountStaysMonitor"]

KEPT = 1000
"""Events of a stay that are kept to be placed when it is over; older ones are counted by its entry alone."""


class _Row:
    """One stay. `folded`: what was counted by the entry alone, and up to when (ns) it may have been."""

    def __init__(self, stay: Stay) -> None:
        self.stay = stay
        self.kept: deque[Counted] = deque()
        self.folded = Tally()
        self.folded_ns = 0
        self.checks = False


class CountStaysMonitor(CountingMonitor):
    """Judges each stay when it is over and the slack too; too many as soon as that is certain."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert self.rule.scope is not None
        self._events = isinstance(self.rule.event, Occurrence)
        self._station = self.rule.per == ("station",)
        self._stays = Stays(context, self.rule.scope, self._opened, self._closed)
        self._rows: dict[int, _Row] = {}
        self._recent: deque[Counted] = deque()

    def follow(self, event: Event, edges: Sequence[Edge]) -> None:
        self._stays.take(event, edges)

    def count(self, item: Counted) -> None:
        for row in self._rows.values():
            self._add(row, item)
        self._recent.append(item)
        since_ns = self.world.now_ns - 2 * self.context.slack_ns
        while len(self._recent) > KEPT or self._recent[0].event.stamp.order_ns < since_ns:
            self._recent.popleft()

    def _opened(self, stay: Stay) -> None:
        row = self._rows[stay.n] = _Row(stay)
        for item in self._recent:
            self._add(row, item)

    def _closed(self, stay: Stay) -> None:
        assert stay.leave is not None
        wait_ns = self.context.slack_ns * (2 if self._asks else 1)
        self.context.schedule(stay.leave.mark.stamp.order_ns + wait_ns, lambda: self._settle(stay.n))

    def _settle(self, n: int) -> None:
        row = self._rows.pop(n, None)
        if row is not None:
            self._judge(row, over=True)

    def _add(self, row: _Row, item: Counted) -> None:
        stay = row.stay
        if not self._station and stay.evse is not None and item.outlet not in (None, stay.evse):
            return
        if self._events and row.kept and row.kept[-1].event is item.event:
            return  # it counts for several keys, and once for the stay
        row.kept.append(item)
        if len(row.kept) > KEPT:
            self._fold(row, row.kept.popleft())
        many = self.rule.at_most
        if many is not None and not row.checks and row.folded.hi + len(row.kept) > many:
            row.checks = True
            self.context.schedule(item.event.stamp.order_ns + self.context.slack_ns, lambda: self._check(stay.n))

    def _fold(self, row: _Row, item: Counted) -> None:
        may, sure = _place(row.stay, item.mark)
        if may:
            row.folded.add(item, sure=sure)
            row.folded_ns = max(row.folded_ns, item.event.stamp.hi_ns)

    def _check(self, n: int) -> None:
        """Too many already?"""
        row = self._rows.get(n)
        if row is None:
            return
        row.checks = False
        many = self.rule.at_most
        if many is not None and self._tally(row).lo > many:
            del self._rows[n]
            self._judge(row, over=False)

    def _tally(self, row: _Row, sure_ns: float = NEVER) -> Tally:
        """How many are inside; certainly none that was received after `sure_ns`."""
        tally = Tally(row.folded.lo, row.folded.hi, row.folded.unsure)
        for item in row.kept:
            may, sure = _place(row.stay, item.mark)
            if may:
                tally.add(item, sure=sure and item.event.stamp.order_ns <= sure_ns)
        return tally

    def _judge(self, row: _Row, *, over: bool, sure_ns: float = NEVER) -> None:
        stay = row.stay
        tally = self._tally(row, sure_ns)
        verdict = self.weigh(tally, over=over)
        leave = stay.leave
        if stay.torn and not self._stands(tally):
            text = f"{tally.lo} of them, but a gap at an end of the stay hides how long it was"
            verdict = Outcome.INCONCLUSIVE, text, Reason.GAP
        if leave is not None and row.folded_ns >= leave.mark.stamp.lo_ns and verdict[0] is not Outcome.INCONCLUSIVE:
            verdict = Outcome.INCONCLUSIVE, "more events around the end of the stay than are kept", Reason.LIMIT
        entry = stay.entry
        seen: list[Seen] = [(entry.event, "scope begins")] if entry.event is not None else []
        inside = [item for item in row.kept if _place(stay, item.mark)[0]]
        if inside:
            seen.append((inside[-1].event, "last"))
        if leave is not None and leave.event is not None:
            seen.append((leave.event, "scope ends"))
        until_ns = self.world.now_ns if leave is None else leave.mark.stamp.hi_ns
        window = entry.mark.stamp.lo_ns, until_ns
        self.say(stay.n, stay.evse, tally, verdict, seen, window, stay.opened_ns)

    def _stands(self, tally: Tally) -> bool:
        """What more events would not change: too many already, or enough."""
        few, many = self.rule.at_least, self.rule.at_most
        return tally.lo > many if many is not None else few is not None and tally.lo >= few

    def close(self, end_ns: int, truncated: bool) -> None:
        for row in self._rows.values():
            open_at_cut = truncated and row.stay.leave is None
            # the end of the stay may be one of what was not received any more
            sure_ns = end_ns - self.context.slack_ns if open_at_cut else NEVER
            self._judge(row, over=not open_at_cut, sure_ns=sure_ns)
        self._rows.clear()

    def open_deadlines(self) -> int:
        return super().open_deadlines() + sum(1 for row in self._rows.values() if row.stay.leave is not None)


def _place(stay: Stay, mark: Mark | None) -> tuple[bool, bool]:
    """Whether an event may lie in a stay, and whether it certainly does. At the instant of an edge it is outside."""
    if mark is None:
        return True, False
    entry = stay.entry.mark
    begun = surely_before(entry, mark)
    may = begun or between(entry, mark).hi > 0
    if stay.leave is None:
        return may, begun
    leave = stay.leave.mark
    in_time = surely_before(mark, leave)
    return may and (in_time or between(mark, leave).hi > 0), begun and in_time
