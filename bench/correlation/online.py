"""The engine on a running bench: verdicts while things happen, and the same ones in the end."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Iterable

from ...errors import RuleError
from ..timeline import Event, Timeline
from .engine import UNREAD, Engine, OnVerdict, Window, canonical, evaluate
from .excuse import MISBEHAVIOUR
from .facts import Facts
from .group import Group
from .language.named import NamedRule
from .language.pack import Pack
from .language.place import nearest
from .reads import DISTURBANCES, reads
from .summary import left_open
from .verdict import Instance, Report, Verdict

__all__ = ["OnlineEngine"]

KEEP = 250_000
TOO_EARLY = (
    "it was judged before an event came that belongs earlier, and the run has more events than are kept to judge it "
    "anew; `pilotbench check` of the recording decides"
)
POLL_S = 0.02
QUIET_NS = 1_000_000_000

Pending = tuple[int, int, int, Event]


class _Inlet:
    """What waits for one group: events above the least watermark of its sources."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.pending: list[Pending] = []
        self.watermarks: dict[str, int] = {}
        self.done_ns = 0
        self.missed = 0

    @property
    def watermark_ns(self) -> int:
        """Up to here everything is known; 0 before the first tick."""
        return min(self.watermarks.values(), default=0)

    def release(self, upto_ns: int, end: tuple[int, int, int] | None) -> None:
        """Feed what lies before `upto_ns`, and let time pass up to there."""
        pending, group = self.pending, self.group
        if pending:
            pending.sort()
            ready = bisect_left(pending, (upto_ns,))
            if ready:
                take = group.take
                for item in pending[:ready]:
                    take(item[3], item[0])
                group.last = pending[ready - 1][:3]
                del pending[:ready]
        self.done_ns = max(self.done_ns, upto_ns)
        group.advance(upto_ns if end is None else min(upto_ns, end[0]))


class OnlineEngine:
    """Buffers what is published, and feeds each group in canonical order up to the least watermark of its sources.

    Sources that have never ticked hold nothing up. Should one of them bring an event that belongs before what
    was already fed, the live verdicts were early, and the report is made anew from all events.
    Decided instances go to `on_verdict`, and onto the timeline as a `verdict` of the source `engine`; without
    `on_verdict` only one pass of a rule in a second.
    """

    def __init__(self, timeline: Timeline, pack: Pack, facts: Facts, on_verdict: OnVerdict | None = None) -> None:
        self.pack = pack
        self.facts = facts
        self.stragglers = 0
        self.dropped = 0
        self._timeline = timeline
        self._on_verdict = on_verdict
        self._engine = Engine(pack, facts, self._decided, timeline.around, 0 if on_verdict else QUIET_NS)
        self._inlets = [_Inlet(group) for group in self._engine.groups]
        self._of_group = dict(zip(self._engine.groups, self._inlets, strict=True))
        self._hearing: dict[str, tuple[_Inlet, ...]] = {}
        self._routes: dict[tuple[str, str], tuple[_Inlet, ...]] = {}
        self._log: list[Event] = []
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
        topic = event.topic
        if topic in UNREAD:
            if topic == "tick" and not self._finished:
                self._tick(event.source, int(event.data["upto_ns"]))
            return
        order_ns = event.stamp.order_ns
        if self._finished or (self._end is not None and event.order > self._end):
            return
        if order_ns > self._last_ns:
            self._last_ns = order_ns
        inlets = self._routes.get((topic, event.source))
        if inlets is None:
            inlets = self._route(event)
        if not inlets:
            return
        self._keep(event)
        for inlet in inlets:
            if order_ns < inlet.done_ns:
                self.stragglers += 1
                inlet.missed += 1
            else:
                inlet.pending.append((order_ns, event.rank, event.seq, event))
        if topic == "bench.state" and event.data.get("state") == "closed":
            self._end = event.order

    @property
    def watermark_ns(self) -> int:
        """Up to here every rule knows everything; 0 before the first tick."""
        return min((inlet.watermark_ns for inlet in self._inlets), default=0)

    @property
    def waiting_for(self) -> str | None:
        """The source whose watermark holds the engine up most."""
        return _slowest(self._inlets)

    def open_obligations(self, rule: str | None = None, upto_ns: int | None = None) -> int:
        """Obligations (of one rule, or all) that the mere passing of time will settle (before `upto_ns`)."""
        return self._engine.open_obligations(rule, upto_ns)

    async def decided(self, rule: str, timeout_s: float) -> Verdict:
        """The verdict of a rule on what happened up to now, once its open deadlines are past.

        Raises:
            RuleError: there is no such rule, or a deadline is still open (or a source silent) after `timeout_s`, or
                the run has more events than are kept here.
        """
        known = [named.id for named in self.pack.rules]
        if rule not in known:
            raise RuleError(f"no rule {rule!r}{nearest(rule, known)}")
        inlet = next(inlet for inlet in self._inlets if rule in inlet.group.ledgers)
        called_ns = time.monotonic_ns()
        while self._report is None and (inlet.watermark_ns <= called_ns or self.open_obligations(rule)):
            if time.monotonic_ns() - called_ns > timeout_s * 1e9:
                raise RuleError(
                    f"{rule} is not decided after {timeout_s:g} s: {self.open_obligations(rule)} deadlines are open, "
                    f"the slowest source is {_slowest([inlet]) or 'none (no source ticks)'}."
                )
            await asyncio.sleep(POLL_S)
        if self._report is not None:
            return self._report.of(rule)
        if self.dropped:
            raise RuleError(
                f"{rule} cannot be judged in between: the run has {self.dropped} events more than the {KEEP} that are "
                "kept in memory. Its verdict at the end of the run, and `pilotbench check` of the recording, have all."
            )
        upto = inlet.watermark_ns
        before = [event for event in self._log if event.stamp.order_ns < upto]
        # hours of events take seconds: the bench's loop, which keeps its devices alive, goes on meanwhile
        report = await asyncio.to_thread(evaluate, before, self.pack.only(rule), self.facts, known_ns=upto - 1)
        return report.of(rule)

    async def judged(self, rule: NamedRule, timeout_s: float) -> Verdict:
        """The verdict of a rule that is in no pack, on what is in the timeline's memory (ten minutes).

        An obligation whose deadline is not past yet is waited for.

        Raises:
            RuleError: a deadline is still open after `timeout_s`, or a source is silent.
        """
        called_ns = time.monotonic_ns()
        topics = reads(rule.rule, rule.signals) | DISTURBANCES | {MISBEHAVIOUR}
        pack = self.pack.only().with_rules([rule])
        still = 0
        while True:
            over = self._report is not None
            upto = self._last_ns + 1 if over else self.watermark_ns
            if over or upto > called_ns:
                events = [
                    event for event in self._timeline.events() if event.topic in topics and event.stamp.order_ns < upto
                ]
                # beside the bench's loop, as above
                still, report = await asyncio.to_thread(_judge, events, pack, self.facts, upto)
                if over or not still:
                    return report.of(rule.id)
            if time.monotonic_ns() - called_ns > timeout_s * 1e9:
                raise RuleError(
                    f"{rule.id} is not decided after {timeout_s:g} s: {still} deadlines are open, "
                    f"the slowest source is {self.waiting_for or 'none (no source ticks)'}."
                )
            await asyncio.sleep(5 * POLL_S)

    def finish(self, end_ns: int | None = None, *, truncated: bool = False) -> Report:
        """Feed the rest, settle everything and report; the same report on every later call."""
        if self._report is not None:
            return self._report
        self._unsubscribe()
        self._finished = True
        last_ns = self._last_ns if self._end is None else self._end[0]
        if end_ns is not None:
            last_ns = max(end_ns, last_ns)
        if self.stragglers and not self.dropped:
            self._report = evaluate(self._log, self.pack, self.facts, truncated=truncated, known_ns=last_ns)
            return self._report
        for inlet in self._inlets:
            if self._end is not None:
                inlet.pending = [item for item in inlet.pending if item[:3] <= self._end]
            inlet.release(last_ns + 1, self._end)
        report = self._engine.finish(max(last_ns, 0), truncated)
        early = {named.id for inlet in self._inlets if inlet.missed for named in inlet.group.rules}
        self._report = left_open(report, early, TOO_EARLY) if early else report
        return self._report

    # ---- inside

    def _tick(self, source: str, upto_ns: int) -> None:
        inlets = self._hearing.get(source)
        if inlets is None:
            inlets = tuple(self._of_group[group] for group in self._engine.groups_hearing(source))
            self._hearing[source] = inlets
            for inlet in set(self._inlets).difference(inlets):
                inlet.watermarks.pop(source, None)
        for inlet in inlets:
            inlet.watermarks[source] = upto_ns
            least_ns = min(inlet.watermarks.values())
            if least_ns > inlet.done_ns:
                inlet.release(least_ns, self._end)

    def _route(self, event: Event) -> tuple[_Inlet, ...]:
        found = tuple(self._of_group[group] for group in self._engine.route(event))
        if event.topic in ("source", "stimulus"):  # what it declares, or does, may change who waits for it
            self._hearing.pop(event.source, None)
        if event.topic == "source":
            self._routes = {key: inlets for key, inlets in self._routes.items() if key[1] != event.source}
        else:
            self._routes[event.topic, event.source] = found
        return found

    def _keep(self, event: Event) -> None:
        if len(self._log) < KEEP:
            self._log.append(event)
        else:
            self.dropped += 1

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


def _judge(events: Iterable[Event], pack: Pack, facts: Facts, upto_ns: int) -> tuple[int, Report]:
    """How many deadlines are open before `upto_ns`, and the report as it would be then."""
    ordered = canonical(events)
    engine = Engine(pack, facts, around=Window(ordered))
    for event in ordered:
        engine.feed(event)
    engine.advance(upto_ns)
    return engine.open_obligations(), engine.finish(upto_ns - 1)


def _slowest(inlets: Iterable[_Inlet]) -> str | None:
    """The source with the least watermark."""
    known = {name: ns for inlet in inlets for name, ns in inlet.watermarks.items()}
    return min(known, key=lambda name: known[name], default=None)
