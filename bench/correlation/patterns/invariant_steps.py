"""invariant: while a scope lasts, a signal that holds its value between two changes satisfies a condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ....errors import RuleError
from ...timeline import Event, Interval
from ..decide import clean
from ..language.rule import Condition, Invariant
from ..verdict import Outcome, Range, Reason
from ..world.mark import NEVER, Mark, between, surely_before
from ..world.track import Change
from ..world.tri import Tri
from ..world.world import Edge
from .base import SLACK_NS, Context, Monitor, Seen
from .stays import Stay, Stays

__all__ = ["InvariantStepsMonitor", "margin_of", "unit_of"]

_UNITS = {"current": "A", "share": "%", "voltage": "V", "energy": "Wh", "power": "W", "time": "ns", "frequency": "Hz"}


class _Found(NamedTuple):
    """A value of the signal and what the condition says of it; `sure`: it certainly held at an instant of the stay."""

    change: Change | None
    tri: Tri
    sure: bool


class _Watch:
    def __init__(self, stay: Stay) -> None:
        self.stay = stay
        self.looked_ns = 0
        self.over = False


class InvariantStepsMonitor(Monitor):
    """Judges each stay when it is over, and a breach as soon as nothing that comes with delay can excuse it."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Invariant)
        self.rule = rule
        self.holds = rule.holds
        self.settle_ns = self.reader.ns(rule.settle)
        self._stays = Stays(context, rule.scope, self._opened, self._closed)
        self._open: dict[int, _Watch] = {}
        self._ended: list[_Watch] = []

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        self._stays.take(event, edges)
        if any(edge.signal == self.holds.signal for edge in edges):
            self._look_later(event.stamp.order_ns)

    def _look_later(self, order_ns: int) -> None:
        """Once the scope's edges around a change are known, it may be certain that the condition is broken."""
        when_ns = order_ns + self.context.slack_ns + 1
        for watch in self._open.values():
            settled_ns = watch.stay.opened_ns + self.settle_ns + self.context.slack_ns
            self.context.schedule(max(when_ns, settled_ns), lambda watch=watch: self._judge(watch, early=True))

    def _opened(self, stay: Stay) -> None:
        watch = self._open[stay.n] = _Watch(stay)
        when_ns = stay.opened_ns + self.settle_ns + self.context.slack_ns + 1
        self.context.schedule(when_ns, lambda: self._judge(watch, early=True))

    def _closed(self, stay: Stay) -> None:
        watch = self._open.pop(stay.n, None)
        if watch is None or stay.leave is None or watch.over:
            return
        self._ended.append(watch)
        self.context.schedule(
            stay.leave.mark.stamp.order_ns + self.context.slack_ns, lambda: self._judge(watch, early=False)
        )

    def open_deadlines(self) -> int:
        return len(self._ended)

    def finish(self, end_ns: int, truncated: bool) -> None:
        for watch in list(self._ended):
            self._judge(watch, early=False)
        for watch in self._open.values():
            # the end of the stay may be one of what was not received any more
            known_ns = end_ns - self.context.slack_ns if truncated else end_ns
            self._judge(watch, early=False, end_ns=known_ns, cut=truncated)
        self._open.clear()

    # ---- one stay

    def _judge(self, watch: _Watch, *, early: bool, end_ns: int | None = None, cut: bool = False) -> None:
        if watch.over:
            return
        stay = watch.stay
        now_ns = self.world.now_ns - self.context.slack_ns if end_ns is None else end_ns
        since_ns = watch.looked_ns - 2 * self.context.slack_ns - self.settle_ns if early else 0
        watch.looked_ns = self.world.now_ns
        found = self._values(stay, now_ns, since_ns)
        broken = [item for item in found if item.tri is Tri.FALSE]
        sure = next((item for item in broken if item.sure), None)
        if early and sure is None:
            return
        watch.over = True
        if watch in self._ended:
            self._ended.remove(watch)
        given, why = self.given(stay.evse, stay.entry.mark)
        if given is Tri.FALSE:
            return
        unknown = [item for item in found if item.tri is Tri.UNKNOWN]
        known = [item for item in unknown if item.change is not None and item.change.value is not None]
        lack = self._lack()
        if lack:
            self._say(stay, None, Outcome.INCONCLUSIVE, lack, Reason.PRECONDITION)
        elif sure is not None:
            text = f"{self.holds.signal} was {_shown(sure)} inside the scope"
            self._say(stay, sure, Outcome.FAIL, text, unsure=why)
        elif broken:
            text = f"{self.holds.signal} {_shown(broken[0])} may have lasted into the scope, or begun before its end"
            self._say(stay, broken[0], Outcome.INCONCLUSIVE, text, Reason.CLOCK)
        elif known:
            numeric = self.holds.bound is not None
            text = "the accuracy of the reading leaves both open" if numeric else "this value settles nothing"
            reason = Reason.MEASUREMENT if numeric else Reason.AMBIGUOUS
            self._say(stay, known[0], Outcome.INCONCLUSIVE, text, reason)
        elif unknown:
            change = unknown[0].change
            text = change.why if change is not None and change.why else f"{self.holds.signal} is not known throughout"
            self._say(stay, unknown[0], Outcome.INCONCLUSIVE, text, Reason.GAP)
        elif cut:
            text = "the record ends while the scope lasts"
            self._say(stay, None, Outcome.INCONCLUSIVE, text, Reason.TRUNCATED)
        else:
            self._say(stay, self._worst(found), Outcome.PASS, f"{self.holds.signal} satisfied it all the time")

    def _lack(self) -> str:
        """What the condition compares with and nobody knows; nothing if it can be judged."""
        try:
            self.reader.judge(self.holds, {})
        except RuleError as error:
            return f"it cannot be judged: {error}"
        return ""

    def _values(self, stay: Stay, now_ns: int, since_ns: int) -> list[_Found]:
        """The values that may have held inside, oldest first; of those that were over before `since_ns` none."""
        return [] if self._lack() else list(reversed(list(self._backwards(stay, now_ns, since_ns))))

    def _backwards(self, stay: Stay, now_ns: int, since_ns: int) -> Iterator[_Found]:
        judge = self.reader.judge(self.holds, {})
        outlets = self.world.facts.evses if stay.evse is None else (stay.evse,)
        for evse in outlets:
            following: Mark | None = None
            for change in reversed(self.world.track(self.holds.signal, evse).changes):
                may, sure = self._inside(stay, change.mark, following, now_ns)
                if may:
                    yield _Found(change, Tri.UNKNOWN if change.value is None else judge(change.value), sure)
                following = change.mark
                if self._ended_before(stay, following) or following.stamp.order_ns < since_ns:
                    break
            else:
                may, _ = self._inside(stay, None, following, now_ns)
                if may:
                    yield _Found(None, Tri.UNKNOWN, False)

    def _ended_before(self, stay: Stay, following: Mark) -> bool:
        """What held up to `following` was over when the stay had settled."""
        entry = stay.entry.mark
        ordered = self.settle_ns == 0 and surely_before(entry, following)
        return between(entry, following).hi <= self.settle_ns and not ordered

    def _inside(self, stay: Stay, begin: Mark | None, end: Mark | None, now_ns: int) -> tuple[bool, bool]:
        """Whether a value that holds from `begin` to `end` may have held, and certainly held, inside the stay.

        None: since ever, or still. What lasts still does so up to `now_ns` at least.
        """
        leave = None if stay.leave is None else stay.leave.mark
        may, sure = True, True
        starts: list[tuple[Mark, int]] = [(stay.entry.mark, self.settle_ns)]
        if begin is not None:
            starts.append((begin, 0))
        for start, settle_ns in starts:
            for stop in (end, leave):
                if stop is None and leave is not None:
                    continue  # it still held when the stay was over
                if stop is None:
                    span = Interval(now_ns - start.stamp.hi_ns, NEVER)
                    ordered = False
                else:
                    span = between(start, stop)
                    ordered = settle_ns == 0 and surely_before(start, stop)
                may = may and (span.hi > settle_ns or ordered)
                sure = sure and (span.lo > settle_ns or ordered)
        return may, sure and may

    def _worst(self, found: Sequence[_Found]) -> _Found | None:
        """The value that came nearest to the limit."""
        numbers = [item for item in found if item.change is not None and isinstance(item.change.value, int | float)]
        if self.holds.bound is None or not numbers:
            return found[-1] if found else None
        upper = self.holds.at_most is not None or self.holds.below is not None
        return max(numbers, key=lambda item: _number(item) if upper else -_number(item))

    # ---- the verdict

    def _say(
        self,
        stay: Stay,
        item: _Found | None,
        outcome: Outcome,
        because: str,
        reason: Reason | None = None,
        unsure: str = "",
    ) -> None:
        roles = {Outcome.FAIL: "violation", Outcome.INCONCLUSIVE: "perhaps a violation"}
        seen: list[Seen] = [] if stay.entry.event is None else [(stay.entry.event, "scope begins")]
        change = item.change if item is not None else None
        if change is not None and change.event is not None:
            seen.append((change.event, roles.get(outcome, "held")))
        if stay.leave is not None and stay.leave.event is not None:
            seen.append((stay.leave.event, "scope ends"))
        stamp = stay.entry.mark.stamp
        upto_ns = self.world.now_ns if stay.leave is None else stay.leave.mark.stamp.hi_ns
        if outcome is Outcome.FAIL and change is not None:
            upto_ns = max(stamp.hi_ns + self.settle_ns, change.mark.stamp.hi_ns)
        from_ns = stamp.lo_ns
        if outcome is Outcome.FAIL and change is not None:  # a standstill long before it could not bring it about
            from_ns = max(from_ns, change.mark.stamp.lo_ns - SLACK_NS)
        passed = outcome is Outcome.PASS
        measured, limit, margin = self._measured(change)
        sources = {name for one in self._outlets(stay) for name in self.reader.sources(self.holds, one)}
        self.context.say(
            stay.n,
            stay.evse,
            outcome,
            because,
            opened_ns=stay.opened_ns,
            reason=reason,
            measured=measured,
            limit=limit,
            margin=margin,
            seen=seen,
            windows=[(from_ns, upto_ns)],
            watched=tuple(sorted(sources)) if passed else (),
            topics=self.reader.signal(self.holds.signal).topics if passed else (),
            unsure=unsure,
        )

    def _outlets(self, stay: Stay) -> Sequence[int]:
        return self.world.facts.evses if stay.evse is None else (stay.evse,)

    def _measured(self, change: Change | None) -> tuple[Range | None, float | None, Range | None]:
        holds = self.holds
        if holds.bound is None or change is None or not isinstance(change.value, int | float):
            return None, None, None
        dimension = self.reader.dimension(holds)
        try:
            limit = self.reader.bound(holds.bound, dimension, {})
        except RuleError:
            return None, None, None
        u = self.reader.accuracy(holds.signal, change.value)
        span = Interval(change.value - u, change.value + u)
        unit = unit_of(dimension)
        return Range(clean(span.lo), clean(span.hi), unit), limit, margin_of(holds, span, limit, unit)


def unit_of(dimension: str) -> str:
    """The base unit of a dimension, as it is shown."""
    return _UNITS.get(dimension, "")


def margin_of(holds: Condition, span: Interval, limit: float, unit: str) -> Range:
    """How far a number keeps away from a limit, on the side where it is wanted."""
    if holds.at_most is not None or holds.below is not None:
        return Range(clean(limit - span.hi), clean(limit - span.lo), unit)
    return Range(clean(span.lo - limit), clean(span.hi - limit), unit)


def _number(item: _Found) -> float:
    assert item.change is not None
    assert isinstance(item.change.value, int | float)
    return float(item.change.value)


def _shown(item: _Found) -> str:
    value = None if item.change is None else item.change.value
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
