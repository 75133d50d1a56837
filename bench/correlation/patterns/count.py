"""count: how often something happens to each key, over the whole record."""

from __future__ import annotations

from collections import OrderedDict

from ...timeline import Event
from ..verdict import Outcome, Reason
from .base import Context, Seen
from .counting import Counted, CountingMonitor, Tally
from .keys import Key

__all__ = ["KEYS", "CountMonitor"]

KEYS = 10_000
"""Keys that a rule remembers; of more, the one that was silent the longest is given up: INCONCLUSIVE(LIMIT)."""


class _Row:
    """One key: how many so far, the first and the last of them."""

    def __init__(self, n: int, item: Counted) -> None:
        self.n = n
        self.evse = item.outlet
        self.tally = Tally()
        self.first: Event = item.event
        self.last: Event = item.event
        self.done = False


class CountMonitor(CountingMonitor):
    """Says at once what more events cannot change; the rest when the record is over."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
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
        row.last = item.event
        row.tally.add(item, sure=True)
        many, few = self.rule.at_most, self.rule.at_least
        settled = row.tally.lo > many if many is not None else few is not None and row.tally.lo >= few
        if settled:
            self._say(row, over=False)

    def _give_up(self, row: _Row) -> None:
        if not row.done:
            verdict = Outcome.INCONCLUSIVE, f"given up: more than {KEYS} keys", Reason.LIMIT
            self._tell(row, verdict)

    def _say(self, row: _Row, *, over: bool) -> None:
        self._tell(row, self.weigh(row.tally, over=over))

    def _tell(self, row: _Row, verdict: tuple[Outcome, str, Reason | None]) -> None:
        row.done = True
        seen: list[Seen] = [(row.first, "first"), (row.last, "last")]
        window = row.first.stamp.lo_ns, max(row.last.stamp.hi_ns, self.world.now_ns)
        self.say(row.n, row.evse, row.tally, verdict, seen, window, row.first.stamp.order_ns)

    def close(self, end_ns: int, truncated: bool) -> None:
        for row in self._rows.values():
            if not row.done:
                self._say(row, over=not truncated)
        self._rows.clear()
