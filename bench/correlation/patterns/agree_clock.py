"""agree: the clock that a station's messages show against the wall clock of the bench."""

from __future__ import annotations

from collections.abc import Sequence

from ...timeline import DRIFT_PPM, Event, Interval, parse_claim
from ...timeline.stamp import drift_ns
from ..decide import decide, range_of
from ..language.rule import Agree, Condition
from ..verdict import Outcome, Reason
from ..world.mark import NEVER
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor, Seen
from .stays import Stay, Stays

__all__ = ["AgreeClockMonitor"]


class _Online:
    """One time that the station was online: what it claimed in it."""

    def __init__(self, stay: Stay, steps: int) -> None:
        self.stay = stay
        self.steps = steps
        self.first: Event | None = None
        self.last: Event | None = None


class AgreeClockMonitor(Monitor):
    """Each time online with a claim in it is judged when it is over, by all that bounds the station's clock then."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Agree)
        self.tolerance_ns = self.reader.quantity(rule.tolerance, "time")
        self._stays = Stays(context, Condition("online", among=(True,)), self._opened, self._closed)
        self._now: _Online | None = None

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        if self.arming is not None:
            self.arming.take(event)
        self._stays.take(event, edges)
        now = self._now
        if now is not None and event.topic.startswith("ocpp.") and parse_claim(event.data.get("claim")) is not None:
            now.first = now.first or event
            now.last = event

    def _opened(self, stay: Stay) -> None:
        self._now = _Online(stay, len(self.world.claims.steps))

    def _closed(self, stay: Stay) -> None:
        assert stay.leave is not None
        self._judge(stay.leave.mark.stamp.hi_ns)

    def finish(self, end_ns: int, truncated: bool) -> None:
        self._judge(end_ns)

    def _judge(self, at_ns: int) -> None:
        now, self._now = self._now, None
        if now is None or now.first is None or now.last is None:
            return
        given, why = self.given(now.stay.evse, now.stay.entry.mark)
        if given is Tri.FALSE:
            return
        ahead = self._ahead(at_ns)
        if ahead is None:
            text = "the wall clock of the bench was not recorded"
            self._say(now, Outcome.INCONCLUSIVE, text, Reason.PRECONDITION, None, at_ns)
            return
        lo, hi = ahead.lo / 1e9, ahead.hi / 1e9
        text = (
            f"the station's clock is {lo:+.3f} s ahead at least"
            if hi == NEVER
            else (f"the station's clock is between {lo:+.3f} s and {hi:+.3f} s ahead")
        )
        steps = len(self.world.claims.steps) - now.steps
        text += f"; it was set {steps} times meanwhile" if steps > 0 else ""
        measured = _magnitude(ahead)
        decision = decide(measured, Interval.exact(self.tolerance_ns / 1e9), "s")
        undecided = decision.outcome is Outcome.INCONCLUSIVE
        if undecided and hi == NEVER:
            text += "; nothing that the bench did bounds it from above"
        reason = Reason.CLOCK if undecided else None
        self._say(now, decision.outcome, text, reason, measured, at_ns, why)

    def _ahead(self, at_ns: int) -> Interval | None:
        """The station's clock minus the bench's wall clock in nanoseconds; None when one of them is not known."""
        offset, wall = self.world.claims.offset(at_ns), self.world.wall
        if offset is None or wall is None:
            return None
        mono_ns, wall_ns = wall
        drift = drift_ns(at_ns - mono_ns, DRIFT_PPM)
        bench = wall_ns - mono_ns
        return Interval(offset.lo - bench - drift, offset.hi - bench + drift)

    def _say(
        self,
        now: _Online,
        outcome: Outcome,
        because: str,
        reason: Reason | None,
        measured: Interval | None,
        at_ns: int,
        unsure: str = "",
    ) -> None:
        assert now.first is not None
        assert now.last is not None
        limit = self.tolerance_ns / 1e9
        decision = None if measured is None else decide(measured, Interval.exact(limit), "s")
        undecided = outcome is Outcome.INCONCLUSIVE
        seen: list[Seen] = [(now.first, "first claim"), (now.last, "last claim")]
        self.context.say(
            now.stay.n,
            None,
            outcome,
            because,
            opened_ns=now.stay.opened_ns,
            reason=reason,
            measured=None if measured is None else range_of(measured, "s"),
            limit=limit,
            margin=None if decision is None else decision.margin,
            lean=decision.lean if decision is not None and undecided else None,
            decides=decision.decides if decision is not None and undecided else None,
            seen=seen,
            windows=[(now.stay.entry.mark.stamp.lo_ns, at_ns)],
            lengthened=False,
            unsure=unsure,
        )


def _magnitude(span: Interval) -> Interval:
    """The absolute value in seconds of a difference in nanoseconds."""
    nearest = 0.0 if span.contains(0) else min(abs(span.lo), abs(span.hi))
    return Interval(nearest / 1e9, max(abs(span.lo), abs(span.hi)) / 1e9)
