"""cadence: while a scope lasts, something comes at least every so often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ...timeline import Event, Interval
from ..condition import matches
from ..decide import decide, range_of
from ..mark import Mark, between
from ..rule import Cadence, Occurrence
from ..tri import Tri
from ..verdict import Outcome, Reason
from ..world import Edge
from .base import SLACK_NS, Context, Monitor, Seen

__all__ = ["CadenceMonitor"]


class _Online:
    """One stay in the scope: the last occurrence, and the longest time without one."""

    def __init__(self, n: int, event: Event, every_ns: float) -> None:
        self.n = n
        self.begun = event
        self.last = event
        self.every_ns = every_ns
        self.worst: tuple[Interval, Event, Event | None] | None = None


class CadenceMonitor(Monitor):
    """The longest pause of each stay in the scope, against the agreed interval plus tolerance."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        rule = context.named.rule
        assert isinstance(rule, Cadence)
        self.rule = rule
        assert rule.scope is not None
        assert isinstance(rule.event, Occurrence)
        self.scope = rule.scope
        self.event = rule.event
        self.factor = 1 + self.reader.quantity(rule.tolerance, "share") / 100
        self._now: _Online | None = None
        self._every_ns = 0.0

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        interval = event.data.get("interval_s")
        if event.topic == "ocpp.boot.answered" and isinstance(interval, int | float):
            self._every_ns = float(interval) * 1e9
            begun = any(edge.signal == self.scope.signal for edge in edges)
            if self._now is None and self._every_ns > 0 and self.world.track("online", 0).value is True and not begun:
                self._now = _Online(self.context.next_number(), event, self._every_ns)
        if event.topic == "station.config" or (event.topic == "csms.request" and _sets_interval(event)):
            self._configured(event)
        for edge in edges:
            if edge.signal != self.scope.signal:
                continue
            value = edge.change.value
            inside = value is not None and self.reader.judge(self.scope, {})(value) is Tri.TRUE
            if inside and self._now is None and self._every_ns > 0:
                self._now = _Online(self.context.next_number(), event, self._every_ns)
            elif not inside and self._now is not None:
                self._close(self._now, event)
        if self._now is not None and event is not self._now.begun and matches(self.event, event):
            self._pause(self._now, event)
            self._now.last = event

    def _configured(self, event: Event) -> None:
        """The interval, where no boot agreed on one or the back end changed it since."""
        changed = event.topic == "csms.request"
        told: object = event.data["args"].get("value") if changed else event.data["values"].get("HeartbeatInterval")
        try:
            every_ns = float(str(told or 0)) * 1e9
        except ValueError:
            return
        if every_ns <= 0 or (self._every_ns and not changed):
            return
        self._every_ns = every_ns
        if self._now is not None:
            self._now.every_ns = max(self._now.every_ns, every_ns)
        elif self.world.track("online", 0).value is True:
            self._now = _Online(self.context.next_number(), event, every_ns)

    def _pause(self, now: _Online, until: Event) -> None:
        pause = between(Mark.of(now.last), Mark.of(until)).clipped(0)
        if now.worst is None or pause.lo > now.worst[0].lo:
            now.worst = (pause, now.last, until)

    def _close(self, now: _Online, leave: Event | None, end_ns: int = 0) -> None:
        self._now = None
        stop_lo = leave.stamp.lo_ns if leave is not None else end_ns - SLACK_NS
        rest = Interval(max(0, stop_lo - now.last.stamp.hi_ns), max(0, stop_lo - now.last.stamp.hi_ns))
        if now.worst is None or rest.lo > now.worst[0].lo:
            # the pause that the end cut off: at least this long
            now.worst = (rest, now.last, leave)
        limit_ns = now.every_ns * self.factor
        pause, first, second = now.worst
        measured, limit = pause.scaled(1e-9), Interval.exact(limit_ns / 1e9)
        decision = decide(measured, limit, "s")
        seen: list[Seen] = [(first, "before the pause")]
        if second is not None:
            seen.append((second, "after the pause"))
        outcome, because = decision.outcome, f"the longest pause begins at {first.id}"
        if outcome is Outcome.PASS and stop_lo - now.begun.stamp.hi_ns <= limit_ns:
            outcome, because = Outcome.NOT_APPLICABLE, "the connection was shorter than one interval"
        self.context.say(
            now.n,
            None,
            outcome,
            because,
            opened_ns=now.begun.stamp.order_ns,
            reason=Reason.CLOCK if outcome is Outcome.INCONCLUSIVE else None,
            measured=range_of(measured, "s"),
            limit=limit_ns / 1e9,
            margin=decision.margin,
            lean=decision.lean,
            decides=decision.decides,
            seen=seen,
            windows=[(first.stamp.lo_ns, first.stamp.hi_ns + limit_ns)],
            watched=(now.begun.source,) if outcome is Outcome.FAIL else (),
        )

    def finish(self, end_ns: int, truncated: bool) -> None:
        if self._now is not None:
            self._close(self._now, None, end_ns)


def _sets_interval(event: Event) -> bool:
    """The station accepted another heartbeat interval."""
    data = event.data
    named = cast("dict[str, Any]", data.get("args") or {})
    return (
        bool(data.get("accepted"))
        and data.get("verb") == "ChangeConfiguration"
        and named.get("key") == "HeartbeatInterval"
    )
