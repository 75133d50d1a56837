"""The engine: events in canonical order in, verdicts out.

What it decides depends on the canonical sequence only: timers are set on event times and run between two
events, never by anybody's clock. `advance` lets time pass without an event and can only make a decision come
sooner, not different.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import count

import msgspec

from ...errors import RuleError
from ..timeline import Event
from .condition import Reader
from .digest import digest_of
from .excerpt import excerpt, one_line
from .facts import Facts
from .pack import NamedRule, Pack
from .patterns import Context, Monitor, monitor_for
from .verdict import Instance, Outcome, Reason, Report, Verdict
from .world import World

__all__ = ["Engine", "canonical", "evaluate"]

OnVerdict = Callable[[Instance], None]
_IGNORED = frozenset({"verdict", "source", "ocpp.frame"})


class Engine:
    """Evaluates a pack over a sequence of events.

    `on_verdict` is called with each instance as it is decided, and again if what came later qualifies it.
    """

    def __init__(self, pack: Pack, facts: Facts, on_verdict: OnVerdict | None = None) -> None:
        self.world = World(facts)
        self._on_verdict = on_verdict
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = count()
        self._rules = pack.rules
        self._raw: dict[str, list[Instance]] = {named.id: [] for named in pack.rules}
        self._texts: dict[tuple[str, int], tuple[str, str]] = {}
        self._monitors: list[tuple[NamedRule, Monitor]] = []
        self._last: tuple[int, int, int] = (-1, -1, -1)
        for named in pack.rules:
            reader = Reader(self.world, pack, named)
            context = Context(reader, self._schedule, lambda instance, named=named: self._take(instance, named))
            self._monitors.append((named, monitor_for(context)))

    def feed(self, event: Event) -> None:
        """Take the next event in canonical order.

        Raises:
            RuleError: it lies before the last one.
        """
        if event.topic in _IGNORED:
            return
        if event.order < self._last:
            raise RuleError(f"{event.id} was fed out of canonical order; sort the events by their order first")
        self._last = event.order
        self.advance(event.stamp.order_ns)
        edges = self.world.apply(event)
        for _, monitor in self._monitors:
            monitor.take(event, edges)

    def advance(self, watermark_ns: int) -> None:
        """Nothing older than this will come: settle what is due before it."""
        timers = self._timers
        while timers and timers[0][0] < watermark_ns:
            when_ns, _, action = heapq.heappop(timers)
            self.world.now_ns = max(self.world.now_ns, when_ns)
            action()

    def open_obligations(self, rule: str | None = None) -> int:
        """How many obligations, of one rule or of all, the mere passing of time will settle."""
        return sum(monitor.open_deadlines() for named, monitor in self._monitors if rule in (None, named.id))

    def finish(self, end_ns: int, truncated: bool = False) -> Report:
        """Settle everything and report. `truncated`: the record ends before the run did."""
        self.advance(end_ns + 1)
        self.world.now_ns = max(self.world.now_ns, end_ns)
        for _, monitor in self._monitors:
            monitor.finish(end_ns, truncated)
        verdicts = [self._verdict(named) for named in self._rules]
        late = tuple(event.id for event in self.world.late)
        return Report(verdicts, digest_of(verdicts), truncated, late)

    # ---- inside

    def _schedule(self, when_ns: int, action: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (when_ns, next(self._count), action))

    def _take(self, instance: Instance, named: NamedRule) -> None:
        qualified = self._qualify(instance)
        self._raw[named.id].append(self._with_text(instance, named))
        if self._on_verdict is not None:
            self._on_verdict(self._with_text(qualified, named))

    def _with_text(self, instance: Instance, named: NamedRule) -> Instance:
        tx = self._tx_of(instance)
        text = excerpt(instance, named, self.world.ring, tx)
        return msgspec.structs.replace(instance, text=text, line=one_line(instance, named))

    def _tx_of(self, instance: Instance) -> str | None:
        for event in reversed(self.world.tx_events):
            if event.evse == instance.evse and event.data.get("tx") is not None:
                return str(event.data["tx"])
        return None

    def _qualify(self, instance: Instance) -> Instance:
        """What is known of disturbances may take a verdict back to INCONCLUSIVE, never the other way."""
        world = self.world
        bad = instance.outcome in (Outcome.FAIL, Outcome.ERROR)
        if bad and instance.lengthened:
            spans = [(lo, hi) for _, lo, hi in world.spans(world.overruns)]
            touched = bool(instance.windows) and all(_touches(window, spans) for window in instance.windows)
            if touched and not _beyond_stalls(instance, spans):
                return _doubt(instance, Reason.PRECONDITION, "the twin stood still meanwhile (twin.overrun)")
        if instance.watched:
            sources = (*instance.watched, "recorder")
            spans = [(lo, hi) for event, lo, hi in world.spans(world.gaps) if event.source in sources]
            if any(_touches(window, spans) for window in instance.windows):
                return _doubt(instance, Reason.GAP, "a source that it rests on has a gap meanwhile")
        if instance.topics:
            spans = [(e.stamp.lo_ns, e.stamp.hi_ns) for e in world.late if e.topic in instance.topics]
            if any(_touches(window, spans) for window in instance.windows):
                return _doubt(
                    instance, Reason.LATE, "an event that may change it came after its source had promised none"
                )
        return instance

    def _verdict(self, named: NamedRule) -> Verdict:
        instances: list[Instance] = []
        for raw in sorted(self._raw[named.id], key=lambda item: (item.opened_ns, item.n)):
            qualified = self._qualify(raw)
            if qualified is not raw:
                qualified = self._with_text(qualified, named)
                if self._on_verdict is not None:
                    self._on_verdict(qualified)
            instances.append(qualified)
        worst = _worst(instances)
        rule = named.rule
        outcome = worst.outcome if worst is not None else Outcome.NOT_APPLICABLE
        return Verdict(
            rule=named.id,
            title=rule.text,
            verdict=outcome,
            reason=worst.reason if worst else None,
            subject=rule.subject,
            severity=rule.severity,
            force=rule.force,
            ref=rule.ref,
            counts=rule.counts or outcome is Outcome.ERROR,
            verified=named.verified,
            measured=worst.measured if worst else None,
            limit=worst.limit if worst else None,
            limit_names=tuple(item.name for item in named.limits),
            margin=worst.margin if worst else None,
            lean=worst.lean if worst else None,
            decides=worst.decides if worst else None,
            interval="bound",
            evidence=tuple(ref.id for ref in worst.evidence) if worst else (),
            because=worst.because if worst else "never triggered",
            text=worst.text if worst else f"NOT_APPLICABLE {named.id}  {rule.text}\n  because: never triggered",
            line=worst.line if worst else f"NOT_APPLICABLE {named.id}: never triggered",
            rule_digest=named.digest,
            instances=tuple(instances),
        )


STALL_FACTOR = 10
_TIME_NS = {"ms": 1e6, "s": 1e9}


def _touches(window: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    return any(lo <= window[1] and window[0] <= hi for lo, hi in spans)


def _beyond_stalls(instance: Instance, spans: Sequence[tuple[float, float]]) -> bool:
    """True when a measured time is over its limit by far more than the twin's stalls could have added.

    A stall lengthens what the station did by its own length; ten times that is taken, for what follows from it.
    """
    measured, limit = instance.measured, instance.limit
    unit_ns = _TIME_NS.get(measured.unit) if measured is not None else None
    if measured is None or measured.lo is None or limit is None or unit_ns is None:
        return False
    stalled_ns = sum(
        hi - lo for lo, hi in spans if any(lo <= window[1] and window[0] <= hi for window in instance.windows)
    )
    return (measured.lo - limit) * unit_ns > STALL_FACTOR * stalled_ns


def _doubt(instance: Instance, reason: Reason, why: str) -> Instance:
    return msgspec.structs.replace(
        instance,
        outcome=Outcome.INCONCLUSIVE,
        reason=reason,
        lean=instance.outcome if instance.outcome is not Outcome.ERROR else None,
        because=f"{instance.because}; but {why}",
    )


def _worst(instances: Sequence[Instance]) -> Instance | None:
    """The worst instance; among equals the one with the smallest margin, then the first."""
    if not instances:
        return None

    def badness(item: Instance) -> tuple[int, float]:
        margin = item.margin.lo if item.margin is not None and item.margin.lo is not None else float("-inf")
        return item.outcome.rank, -margin if item.margin is not None else float("-inf")

    return max(instances, key=badness)


def canonical(events: Iterable[Event]) -> list[Event]:
    """The sequence that decides: what rules read, in canonical order, up to the end of the run.

    Whatever comes after the bench said that it is closed (its own verdicts, the recorder's last words) is no
    part of the run.
    """
    ordered = sorted((event for event in events if event.topic not in _IGNORED), key=lambda event: event.order)
    for i, event in enumerate(ordered):
        if event.topic == "bench.state" and event.data.get("state") == "closed":
            return ordered[: i + 1]
    return ordered


def evaluate(
    events: Iterable[Event], pack: Pack, facts: Facts, *, truncated: bool = False, known_ns: int = 0
) -> Report:
    """Judge recorded events: the same verdicts and digest as while they happened.

    `known_ns`: up to here nothing is missing (watermark), where that is later than the last event.
    """
    engine = Engine(pack, facts)
    ordered = canonical(events)
    for event in ordered:
        engine.feed(event)
    last_ns = ordered[-1].stamp.order_ns if ordered else 0
    return engine.finish(max(last_ns, known_ns), truncated)
