"""count within a time: how often something happens to a key in any window that begins with one of them."""

from __future__ import annotations

from collections import OrderedDict, deque

from ...timeline import Event
from ..verdict import Outcome, Reason
from ..world.mark import Mark, between
from .base import Context, Seen
from .counting import Counted, CountingMonitor, Tally
from .keys import Key

__all__ = ["KEYS", "OPEN", "CountWindowMonitor"]

KEYS = 10_000
"""Keys that a rule remembers; of more, the one that was silent the longest is given up: INCONCLUSIVE(LIMIT)."""
OPEN = 1000
"""Windows of one key that are open at once; of more, the oldest is given up."""

_Verdict = tuple[Outcome, str, Reason | None]


class _Window:
    """The window that begins with one event, with the last event that counted in it."""

    def __init__(self, item: Counted) -> None:
        self.item = item
        self.tally = Tally()
        self.tally.add(item, sure=item.mark is not None)
        self.last: Event = item.event


class _Row:
    """One key: its open windows, oldest first, and the worst of those that are over."""

    def __init__(self, n: int, item: Counted) -> None:
        self.n = n
        self.evse = item.outlet
        self.opened_ns = item.event.stamp.order_ns
        self.open: deque[_Window] = deque()
        self.worst: tuple[_Verdict, _Window] | None = None
        self.limited = False
        self.done = False


class CountWindowMonitor(CountingMonitor):
    """One instance per key, as bad as the worst of its windows; too many in one is said when the slack is over."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._w_ns = self.reader.ns(self.rule.within)
        self._rows: OrderedDict[Key, _Row] = OrderedDict()

    def count(self, item: Counted) -> None:
        row = self._rows.get(item.key)
        if row is None:
            row = self._rows[item.key] = _Row(self.context.next_number(), item)
            if len(self._rows) > KEYS:
                self._give_up(self._rows.popitem(last=False)[1])
        self._rows.move_to_end(item.key)
        if row.done:
            return
        self._settle_over(row)
        mine = _Window(item)
        for window in row.open:
            self._weigh(window, item)
            self._weigh(mine, window.item, before=True)
        row.open.append(mine)
        if len(row.open) > OPEN:
            row.open.popleft()
            row.limited = True
        many = self.rule.at_most
        if many is not None and any(window.tally.lo > many for window in row.open):
            for window in row.open:
                if window.tally.lo > many:
                    self._worse(row, window, over=False)
            self._say(row)

    def _weigh(self, window: _Window, item: Counted, *, before: bool = False) -> None:
        """Whether an event lies in a window. `before`: it stands before the window's own in the sequence."""
        first, second = window.item.mark, item.mark
        if first is None or second is None:
            window.tally.add(item, sure=False)
            return
        if before and _in_order(first, second):
            return
        span = between(first, second)
        if span.hi >= 0 and span.lo <= self._w_ns:
            window.tally.add(item, sure=span.lo >= 0 and span.hi <= self._w_ns)
            window.last = item.event

    def _settle_over(self, row: _Row) -> None:
        """Windows to which nothing can be added any more."""
        wait_ns = self._w_ns + self.context.slack_ns * (2 if self._asks else 1)
        while row.open and row.open[0].item.event.stamp.order_ns + wait_ns < self.world.now_ns:
            self._worse(row, row.open.popleft(), over=True)

    def _worse(self, row: _Row, window: _Window, *, over: bool) -> None:
        verdict = self.weigh(window.tally, over=over)
        if verdict[0] is Outcome.FAIL and window.item.unsure:
            verdict = Outcome.INCONCLUSIVE, window.item.unsure, Reason.PRECONDITION
        if row.worst is None or verdict[0].rank > row.worst[0][0].rank:
            row.worst = verdict, window

    def _give_up(self, row: _Row) -> None:
        if not row.done:
            row.limited = True
            for window in row.open:
                self._worse(row, window, over=False)
            self._say(row)

    def _say(self, row: _Row) -> None:
        row.done = True
        assert row.worst is not None
        verdict, window = row.worst
        if row.limited and verdict[0] is not Outcome.FAIL:
            verdict = Outcome.INCONCLUSIVE, "more events than are kept", Reason.LIMIT
        first = window.item.event
        seen: list[Seen] = [(first, "window begins"), (window.last, "last")]
        span = first.stamp.lo_ns, first.stamp.hi_ns + self._w_ns
        self.say(row.n, row.evse, window.tally, verdict, seen, span, row.opened_ns)
        row.open.clear()

    def close(self, end_ns: int, truncated: bool) -> None:
        for row in self._rows.values():
            if row.done:
                continue
            for window in row.open:
                self._worse(row, window, over=not truncated)
            self._say(row)
        self._rows.clear()


def _in_order(first: Mark, second: Mark) -> bool:
    """Whether the source of both says which came first."""
    return first.fifo and second.fifo and first.source == second.source
