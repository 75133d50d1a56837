"""order: the values of a key obey a law in each entity: contiguous, increasing, unique or constant."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from ...timeline import Event, parse_claim
from ..condition import matches, value_at
from ..language.rule import Law, Order
from ..verdict import Outcome, Reason
from ..world.mark import Mark
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen
from .keys import Key, keys_by, outlet_of

__all__ = ["KEYS", "VALUES", "OrderLawMonitor", "comparable"]

KEYS = 10_000
"""Entities that a rule remembers; of more, the one that was silent the longest is given up."""
VALUES = 50_000
"""Values that a rule remembers in all: seen ones of a `unique` key, and events that wait to be put into order by their
claims. Of more, the oldest is given up."""

Value = Decimal | int | str
_Comparable = tuple[str, Value]


def comparable(value: object) -> _Comparable:
    """A value with its kind: number (also as text), RFC 3339 time (ns since 1970), or text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number", Decimal(str(value))
    text = str(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = None
    if number is not None and number.is_finite():
        return "number", number
    claimed = parse_claim(value)
    return ("time", claimed[0]) if claimed is not None else ("text", text)


def _greater(second: _Comparable, first: _Comparable) -> bool:
    if first[0] == second[0]:
        return bool(second[1] > first[1])  # type: ignore[operator]
    return str(second[1]) > str(first[1])


class _Row:
    """One entity: its last value, and for `unique` those that it had."""

    def __init__(self, n: int, evse: int | None, event: Event) -> None:
        self.n = n
        self.evse = evse
        self.begun = event
        self.last = event
        self.first_value: _Comparable | None = None
        self.value: _Comparable | None = None
        self.count = 0
        self.sources: set[str] = set()
        self.seen: OrderedDict[Hashable, Event] = OrderedDict()
        self.claimed: list[tuple[int, int, Event]] = []
        self.judged = 0
        self.gap: tuple[Event, Event] | None = None
        self.limited = False
        self.closed = False
        self.done = False


class OrderLawMonitor(Monitor):
    """Judges each value when it comes; with `when`, once that is known; with `at = "claim"`, at the end."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Order)
        assert rule.sequence is not None
        self.rule = rule
        self.sequence = rule.sequence
        self.law: Law = rule.law
        self._keys = keys_by(rule.per, self.world.facts.evses)
        self._rows: OrderedDict[Key, _Row] = OrderedDict()
        self._later: deque[tuple[Event, Key]] = deque()
        self._asks = bool(self.when) or self.arming is not None
        self._held = 0

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        if not matches(self.sequence, event) or value_at(event.data, self.rule.key) is None:
            return
        for key in self._keys(event):
            if self._asks:
                self._later.append((event, key))
                self.context.schedule(event.stamp.order_ns + self.context.slack_ns, self._next)
            else:
                self._add(event, key)

    def _next(self) -> None:
        if self._later:
            event, key = self._later.popleft()
            if self.given(outlet_of(self.rule.per, key, event), Mark.of(event))[0] is Tri.TRUE:
                self._add(event, key)

    def _add(self, event: Event, key: Key) -> None:
        row = self._rows.get(key)
        claimed = parse_claim(event.data.get("claim")) if self.rule.at == "claim" else None
        if self.rule.at == "claim" and claimed is None:
            return
        if row is None:
            outlet = outlet_of(self.rule.per, key, event)
            row = self._rows[key] = _Row(self.context.next_number(), outlet, event)
            if len(self._rows) > KEYS:
                self._give_up()
        self._rows.move_to_end(key)
        row.closed = row.closed or ("tx" in self.rule.per and event.topic == "ocpp.tx.ended")
        if row.done:
            return
        if claimed is None:
            self._judge(row, event)
            return
        insort(row.claimed, (claimed[0], row.count, event), key=lambda item: item[:2])
        row.count += 1
        self._held += 1
        if self._held > VALUES:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Of the entity that was silent the longest: its values in order of their claims are not complete any more."""
        row = next(row for row in self._rows.values() if row.claimed)
        self._held -= len(row.claimed)
        row.claimed.clear()
        row.done = True
        self._say(row, Outcome.INCONCLUSIVE, f"more than {VALUES} values to be put into order", Reason.LIMIT)

    # ---- one value after the other

    def _judge(self, row: _Row, event: Event) -> None:
        value = comparable(value_at(event.data, self.rule.key))
        last, last_event = row.value, row.last
        row.count += 1
        row.sources.add(event.source)
        row.value, row.last = value, event
        if last is None:
            row.first_value = value
            self._remember(row, value, event)
            return
        if value == last and self.law not in ("unique", "constant"):
            return  # a repetition
        row.judged += 1
        if self.law == "unique":
            before = row.seen.get(value)
            if before is not None:
                self._breach(row, before, event, f"{self.rule.key} {value[1]} was there before")
            else:
                self._remember(row, value, event)
            return
        broken = self._broken(row, last, value)
        if broken:
            self._breach(row, last_event, event, f"{self.rule.key} {value[1]} {broken}")

    def _broken(self, row: _Row, last: _Comparable, value: _Comparable) -> str:
        """What is wrong with a value after another; nothing for one that obeys."""
        match self.law:
            case "contiguous":
                numbers = isinstance(last[1], Decimal) and isinstance(value[1], Decimal)
                right = numbers and value[1] - last[1] == 1  # type: ignore[operator]
                return "" if right else f"after {last[1]} is not one more"
            case "increasing":
                return "" if _greater(value, last) else f"after {last[1]} is not greater"
            case _:
                assert row.first_value is not None
                return "" if value == row.first_value else f"is not {row.first_value[1]} as at first"

    def _remember(self, row: _Row, value: _Comparable, event: Event) -> None:
        if self.law != "unique":
            return
        row.seen[value] = msgspec.structs.replace(event, data={}, raw=None)
        self._held += 1
        if self._held > VALUES:
            oldest = next(item for item in self._rows.values() if item.seen)
            oldest.seen.popitem(last=False)
            oldest.limited = True
            self._held -= 1

    def _breach(self, row: _Row, before: Event, event: Event, text: str) -> None:
        if self.rule.at == "claim" and self._clock_was_set(row):
            row.done = True
            self._say(row, Outcome.INCONCLUSIVE, f"{text}; the station's clock was set meanwhile", Reason.CLOCK)
            return
        if self.law == "contiguous" and self._missed(before, event):
            row.gap = row.gap or (before, event)
            return
        row.done = True
        self._held -= len(row.seen)
        row.seen.clear()
        self.context.say(
            row.n,
            row.evse,
            Outcome.FAIL,
            text,
            opened_ns=row.begun.stamp.order_ns,
            seen=[(before, "before"), (event, "violation")],
            windows=[(min(before.stamp.lo_ns, event.stamp.lo_ns), max(before.stamp.hi_ns, event.stamp.hi_ns))],
            watched=tuple(sorted(row.sources)) if self.law == "contiguous" else (),
            topics=self.sequence.topics if self.law != "unique" else (),
            lengthened=False,
        )

    def _missed(self, before: Event, event: Event) -> bool:
        """A gap of the source, or of the recorder, between two values."""
        sources = {before.source, event.source, "recorder"}
        for gap, from_ns, to_ns in self.world.spans(self.world.gaps):
            if gap.source in sources and from_ns <= event.stamp.hi_ns and to_ns >= before.stamp.lo_ns:
                return True
        return False

    def _clock_was_set(self, row: _Row) -> bool:
        arrivals = [item[2].stamp for item in row.claimed]
        first, last = min(s.lo_ns for s in arrivals), max(s.hi_ns for s in arrivals)
        return any(step.from_ns <= last and step.to_ns >= first for step in self.world.claims.steps)

    # ---- the end

    def _give_up(self) -> None:
        """Make room: an entity that is over if there is one among the oldest, else the oldest of all."""
        key = next((key for key, row in self._oldest() if row.closed or row.done), next(iter(self._rows)))
        row = self._rows.pop(key)
        self._held -= len(row.seen) + len(row.claimed)
        if row.done:
            return
        if row.closed and not row.claimed:
            self._over(row)
        else:
            self._say(row, Outcome.INCONCLUSIVE, f"given up: more than {KEYS} entities at once", Reason.LIMIT)

    def _oldest(self) -> Iterator[tuple[Key, _Row]]:
        for _, item in zip(range(100), self._rows.items(), strict=False):
            yield item

    def open_deadlines(self) -> int:
        return len(self._later)

    def finish(self, end_ns: int, truncated: bool) -> None:
        while self._later:
            self._next()
        for row in self._rows.values():
            if row.claimed and not row.done:
                row.count = 0
                for _, _, event in row.claimed:
                    if not row.done:
                        self._judge(row, event)
            if not row.done:
                self._over(row)
        self._rows.clear()

    def _over(self, row: _Row) -> None:
        row.done = True
        if row.gap is not None:
            before, event = row.gap
            because = f"{event.id} does not follow on {before.id}, but what lies between was not seen"
            self._say(row, Outcome.INCONCLUSIVE, because, Reason.GAP, [(before, "before"), (event, "after")])
        elif not row.judged:
            self._say(row, Outcome.NOT_APPLICABLE, "there was one value only")
        elif row.limited:
            text = f"no breach among the {VALUES} values that are remembered; older ones were given up"
            self._say(row, Outcome.INCONCLUSIVE, text, Reason.LIMIT)
        else:
            self._say(row, Outcome.PASS, f"{row.count} values of {self.rule.key} are {self.law}")

    def _say(
        self,
        row: _Row,
        outcome: Outcome,
        because: str,
        reason: Reason | None = None,
        seen: Sequence[Seen] | None = None,
    ) -> None:
        passed = outcome is Outcome.PASS
        self.context.say(
            row.n,
            row.evse,
            outcome,
            because,
            opened_ns=row.begun.stamp.order_ns,
            reason=reason,
            seen=seen or [(row.begun, "first"), (row.last, "last")],
            windows=[(row.begun.stamp.lo_ns, row.last.stamp.hi_ns)],
            watched=tuple(sorted(row.sources)) if passed else (),
            topics=self.sequence.topics if passed else (),
            lengthened=False,
        )
