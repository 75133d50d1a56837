"""absent: while a scope lasts, something does not happen."""

from __future__ import annotations

from collections.abc import Sequence

from ...timeline import Event
from ..condition import matches
from ..language.rule import Absent, Turn
from ..language.signals import STATION_SIGNALS
from ..verdict import Outcome, Reason
from ..world.mark import Mark, between, surely_before
from ..world.track import Change
from ..world.tri import Tri
from ..world.world import Edge
from .base import SLACK_NS, Context, Monitor, Seen
from .stays import tellers

__all__ = ["AbsentMonitor"]

KEPT = 2000
"""Happenings of an outlet that are remembered for the scopes around them."""
FAR_NS = 10_000_000_000
"""What lies so long before a scope on the bench clock lies before it on every clock."""


class _Scope:
    """One stay in the scope, from `enter` to `leave` (None while it lasts)."""

    def __init__(self, n: int, evse: int, enter: Event, settle_ns: int) -> None:
        self.n = n
        self.evse = evse
        self.enter = enter
        self.mark = Mark.of(enter)
        self.settle_ns = settle_ns
        self.leave: Event | None = None
        self.open = True


class AbsentMonitor(Monitor):
    """Judges each stay in the scope when it is over, and a breach as soon as nothing can excuse it any more."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Absent)
        self.rule = rule
        assert rule.scope is not None
        self.scope = rule.scope
        self.never = rule.never if isinstance(rule.never, Turn) else None
        self.settle_ns = self.reader.ns(rule.settle)
        self._scopes: dict[int, _Scope] = {}
        self._ended: list[_Scope] = []
        self._told: set[str] = set()
        self._happened: dict[int, list[Event]] = {evse: [] for evse in self.world.facts.evses}
        self._dropped_ns: dict[int, int] = {}

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        rule = self.rule
        if self.arming is not None:
            self.arming.take(event)
        for edge in edges:
            if edge.signal == self.scope.signal:
                self._scope_edge(edge, event)
        fired: list[int] = []
        if isinstance(rule.never, Turn):
            fired = [item.evse for item in self.triggered(rule.never, event, edges) if not item.unseen]
        elif matches(rule.never, event):
            self._told.add(event.source)
            fired = list(self._outlets(event))
        for evse in fired:
            self._remember(evse, event)
            if evse in self._scopes:
                scope = self._scopes[evse]
                self.context.schedule(
                    event.stamp.order_ns + self.context.slack_ns, lambda scope=scope: self._judge(scope, early=True)
                )

    def _outlets(self, event: Event) -> Sequence[int]:
        if "station" in self.rule.per:
            return self.world.facts.evses[:1]
        return tuple(self.world.evses(event))

    def _remember(self, evse: int, event: Event) -> None:
        kept = self._happened[evse]
        kept.append(event)
        if len(kept) > KEPT:
            self._dropped_ns[evse] = max(item.stamp.hi_ns for item in kept[: KEPT // 2])
            del kept[: KEPT // 2]

    def _scope_edge(self, edge: Edge, event: Event) -> None:
        evses = self.world.facts.evses
        if "station" in self.rule.per:
            evses = evses[:1]
        elif self.scope.signal not in STATION_SIGNALS:  # of the station as a whole: the same for every outlet
            evses = (edge.evse,)
        inside = self._inside(edge.change.value)
        for evse in evses:
            self._turn(evse, inside, edge, event)

    def _turn(self, evse: int, inside: bool, edge: Edge, event: Event) -> None:
        scope = self._scopes.get(evse)
        if inside and scope is None:
            granted = not self.rule.settle_from or edge.before in self.rule.settle_from or edge.before is None
            self._scopes[evse] = _Scope(self.context.next_number(), evse, event, self.settle_ns if granted else 0)
        elif not inside and scope is not None:
            scope.leave = event
            del self._scopes[evse]
            self._ended.append(scope)
            self.context.schedule(event.stamp.order_ns + self.context.slack_ns, lambda: self._judge(scope))

    def _inside(self, value: object) -> bool:
        return value is not None and self.reader.judge(self.scope, {})(value) is Tri.TRUE

    def finish(self, end_ns: int, truncated: bool) -> None:
        for scope in [*self._ended, *self._scopes.values()]:
            self._judge(scope, cut=truncated)
        self._ended.clear()
        self._scopes.clear()

    def open_deadlines(self) -> int:
        return len(self._ended)

    def _judge(self, scope: _Scope, *, early: bool = False, cut: bool = False) -> None:
        if not scope.open:
            return
        worst: tuple[Outcome, Event, str, Reason | None] | None = None
        long_before_ns = scope.mark.stamp.lo_ns - FAR_NS
        for event in self._happened[scope.evse]:
            if event.stamp.hi_ns < long_before_ns:
                continue
            found = self._place(scope, event)
            if found is None:
                continue
            received_ns = event.stamp.order_ns + self.context.slack_ns
            if cut and scope.leave is None and found[0] is Outcome.FAIL and received_ns > self.world.now_ns:
                text = f"{event.id} happened inside the scope, unless that ended before, just when the record does"
                found = Outcome.INCONCLUSIVE, text, Reason.TRUNCATED
            if worst is None or found[0].rank > worst[0].rank or (found[0] is worst[0] and worst[3] is Reason.CLOCK):
                worst = (found[0], event, found[1], found[2])
        if early and (worst is None or worst[0] is not Outcome.FAIL):
            return
        given, why = self.given(scope.evse, scope.mark)
        if given is Tri.FALSE:
            self._over(scope)
            return
        seen: list[Seen] = [(scope.enter, "scope begins")]
        window = [(scope.mark.stamp.lo_ns, scope.mark.stamp.hi_ns + scope.settle_ns)]
        if worst is not None:
            outcome, event, because, reason = worst
            seen.append((event, "violation" if outcome is Outcome.FAIL else "perhaps a violation"))
            # a standstill long before it, in a scope that had lasted, could not bring it about
            near_ns = event.stamp.lo_ns - scope.settle_ns - SLACK_NS
            window = [(max(scope.mark.stamp.lo_ns, near_ns), event.stamp.hi_ns)]
        elif scope.leave is None and cut:
            outcome, because, reason = Outcome.INCONCLUSIVE, "the record ends while the scope lasts", Reason.TRUNCATED
        else:
            outcome, because, reason = self._clear(scope)
        if scope.leave is not None:
            seen.append((scope.leave, "scope ends"))
        self._over(scope)
        self.context.say(
            scope.n,
            None if "station" in self.rule.per else scope.evse,
            outcome,
            because,
            opened_ns=scope.enter.stamp.order_ns,
            reason=reason,
            seen=seen,
            windows=window if outcome is not Outcome.PASS else [(scope.mark.stamp.lo_ns, self._end_ns(scope))],
            watched=self._watched(scope) if outcome is Outcome.PASS else (),
            lengthened=self.never is not None,
            unsure=why,
        )

    def _over(self, scope: _Scope) -> None:
        scope.open = False
        if scope in self._ended:
            self._ended.remove(scope)

    def _end_ns(self, scope: _Scope) -> int:
        return self.world.now_ns if scope.leave is None else scope.leave.stamp.hi_ns

    def _watched(self, scope: _Scope) -> tuple[str, ...]:
        if self.never is not None:
            return tuple(sorted(self.world.track(self.never.signal, scope.evse).sources))
        told = tellers(self, self.rule.never, scope.evse, self._told, scope.enter)
        return tuple(sorted(told | {scope.enter.source}))

    def _clear(self, scope: _Scope) -> tuple[Outcome, str, Reason | None]:
        if self._dropped_ns.get(scope.evse, scope.mark.stamp.lo_ns - 1) >= scope.mark.stamp.lo_ns:
            return Outcome.INCONCLUSIVE, f"more than {KEPT} events at the edges of the scope", Reason.LIMIT
        never = self.never
        if never is not None:
            track = self.world.track(never.signal, scope.evse)
            if not track.changes:
                return Outcome.INCONCLUSIVE, f"this bench does not see {never.signal}", Reason.PRECONDITION
            unknown = self._unknown(track.since(scope.mark), scope)
            if unknown is not None:
                return Outcome.INCONCLUSIVE, unknown, Reason.GAP
        return Outcome.PASS, "it did not happen while the scope lasted", None

    def _unknown(self, changes: Sequence[Change], scope: _Scope) -> str | None:
        """Why the signal was not known all through the scope; None when it was (or only touches its edges)."""
        assert self.never is not None
        leave = None if scope.leave is None else Mark.of(scope.leave)
        begun_later = between(scope.mark, changes[0].mark).lo > 0
        if begun_later and (leave is None or surely_before(changes[0].mark, leave)):
            return f"{self.never.signal} was not known when the scope began"
        for i, change in enumerate(changes):
            if change.value is not None or (leave is not None and between(change.mark, leave).hi <= 0):
                continue
            if i + 1 == len(changes) or between(scope.mark, changes[i + 1].mark).hi > 0:
                return change.why or "not known throughout"
        return None

    def _place(self, scope: _Scope, event: Event) -> tuple[Outcome, str, Reason | None] | None:
        """Where an event lies with respect to the scope: inside, perhaps inside, or outside (None)."""
        mark = Mark.of(event)
        after = between(scope.mark, mark)
        leave = None if scope.leave is None else Mark.of(scope.leave)
        if after.hi <= 0 and not surely_before(scope.mark, mark):
            return None
        if leave is not None and (surely_before(leave, mark) or between(mark, leave).hi <= 0):
            return None
        begun = surely_before(scope.mark, mark) if scope.settle_ns == 0 else after.lo > scope.settle_ns
        if begun and (leave is None or surely_before(mark, leave)):
            return Outcome.FAIL, f"{event.id} happened inside the scope", None
        if scope.settle_ns and surely_before(scope.mark, mark) and after.lo <= scope.settle_ns:
            text = "it happened so soon after the scope began that its cause may lie before it"
            return Outcome.INCONCLUSIVE, text, Reason.AMBIGUOUS
        return Outcome.INCONCLUSIVE, "the edges of the scope leave both open", Reason.CLOCK
