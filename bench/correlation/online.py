"""The engine on a running bench: verdicts while things happen, and the same ones in the end."""

from __future__ import annotations

import asyncio
import heapq
import time

from ...errors import RuleError
from ..timeline import Event, Timeline
from .engine import Engine, OnVerdict, evaluate
from .facts import Facts
from .limits import nearest
from .pack import Pack
from .verdict import Instance, Report, Verdict

__all__ = ["OnlineEngine"]

KEEP = 1_000_000
POLL_S = 0.02
_IGNORED = frozenset({"verdict", "source", "ocpp.frame"})


class OnlineEngine:
    """Buffers what is published, and feeds it in canonical order up to the least watermark.

    Sources that have never ticked hold nothing up. Should one of them bring an event that belongs before what
    was already fed, the live verdicts were early, and the report is made anew from all events.
    Each decided instance goes to `on_verdict` and onto the timeline as a `verdict` of the source `engine`.
    """

    def __init__(self, timeline: Timeline, pack: Pack, facts: Facts, on_verdict: OnVerdict | None = None) -> None:
        self.pack = pack
        self.facts = facts
        self.stragglers = 0
        self.dropped = 0
        self._timeline = timeline
        self._on_verdict = on_verdict
        self._engine = Engine(pack, facts, self._decided)
        self._heap: list[tuple[tuple[int, int, int], Event]] = []
        self._log: list[Event] = []
        self._fed: tuple[int, int, int] = (-1, -1, -1)
        self._watermarks: dict[str, int] = {}
        self._unsubscribe = lambda: None
        self._report: Report | None = None
        self._end: tuple[int, int, int] | None = None
        self._finished = False
        self._last_ns = 0

    def start(self) -> None:
        """Listen from now on; what is already on the timeline is taken first."""
        for event in self._timeline.events():
            self.take(event)
        self._unsubscribe = self._timeline.subscribe(self.take)

    def take(self, event: Event) -> None:
        """Take an event as it is published."""
        if event.topic in _IGNORED or self._finished or (self._end is not None and event.order > self._end):
            return
        if event.topic != "tick":  # what they promise is in the watermarks
            if len(self._log) < KEEP:
                self._log.append(event)
            else:
                self.dropped += 1
        self._last_ns = max(self._last_ns, event.stamp.order_ns)
        if event.order < self._fed:
            self.stragglers += 1
        else:
            heapq.heappush(self._heap, (event.order, event))
        if event.topic == "bench.state" and event.data.get("state") == "closed":
            self._end = event.order
        if event.topic == "tick":
            self._watermarks[event.source] = int(event.data["upto_ns"])
            self._release(min(self._watermarks.values()))

    @property
    def watermark_ns(self) -> int:
        """Up to here everything is known; 0 before the first tick."""
        return min(self._watermarks.values(), default=0)

    @property
    def waiting_for(self) -> str | None:
        """The source whose watermark holds the engine up most."""
        return min(self._watermarks, key=lambda name: self._watermarks[name], default=None)

    def open_obligations(self, rule: str | None = None) -> int:
        """Obligations (of one rule, or all) that the mere passing of time will settle."""
        return self._engine.open_obligations(rule)

    async def decided(self, rule: str, timeout_s: float) -> Verdict:
        """The verdict of a rule on what happened up to now, once its open deadlines are past.

        Raises:
            RuleError: there is no such rule, or a deadline is still open (or a source silent) after `timeout_s`, or
                the run has more events than are kept here.
        """
        if rule not in {named.id for named in self.pack.rules}:
            raise RuleError(f"no rule {rule!r}{nearest(rule, [named.id for named in self.pack.rules])}")
        called_ns = time.monotonic_ns()
        while self._report is None and (self.watermark_ns <= called_ns or self.open_obligations(rule)):
            if time.monotonic_ns() - called_ns > timeout_s * 1e9:
                raise RuleError(
                    f"{rule} is not decided after {timeout_s:g} s: {self.open_obligations(rule)} deadlines are open, "
                    f"the slowest source is {self.waiting_for or 'none (no source ticks)'}."
                )
            await asyncio.sleep(POLL_S)
        if self._report is not None:
            return self._report.of(rule)
        if self.dropped:
            raise RuleError(
                f"{rule} cannot be judged in between: the run has {self.dropped} events more than the {KEEP} that are "
                "kept in memory. Its verdict at the end of the run, and `pilotbench check` of the recording, have all."
            )
        upto = self.watermark_ns
        known = [event for event in self._log if event.stamp.order_ns < upto]
        return evaluate(known, self.pack.only(rule), self.facts, known_ns=upto - 1).of(rule)

    def finish(self, end_ns: int | None = None, *, truncated: bool = False) -> Report:
        """Feed the rest, settle everything and report; the same report on every later call."""
        if self._report is not None:
            return self._report
        self._unsubscribe()
        self._finished = True
        if self.stragglers and not self.dropped:
            known_ns = 0 if self._end is not None else max(self._fed[0], self._last_ns)
            self._report = evaluate(self._log, self.pack, self.facts, truncated=truncated, known_ns=known_ns)
            return self._report
        while self._heap and (self._end is None or self._heap[0][0] <= self._end):
            self._feed(heapq.heappop(self._heap)[1])
        last_ns = self._fed[0] if end_ns is None else max(end_ns, self._fed[0])
        self._report = self._engine.finish(max(last_ns, 0), truncated)
        return self._report

    def _release(self, upto_ns: int) -> None:
        heap = self._heap
        while heap and heap[0][0][0] < upto_ns:
            self._feed(heapq.heappop(heap)[1])
        self._engine.advance(upto_ns if self._end is None else min(upto_ns, self._end[0]))

    def _feed(self, event: Event) -> None:
        self._fed = event.order
        self._engine.feed(event)

    def _decided(self, instance: Instance) -> None:
        if self._on_verdict is not None:
            self._on_verdict(instance)
        data = {
            "rule": instance.rule,
            "verdict": instance.outcome.value,
            "reason": instance.reason.value if instance.reason else None,
            "text": instance.line,
        }
        self._timeline.source("engine").note("verdict", data, evse=instance.evse)
