"""`absent` and `invariant`, judged by looking at every event for every stay or trigger."""

from __future__ import annotations

from typing import NamedTuple

from pilotbench.bench.correlation import Outcome, Reason
from pilotbench.bench.correlation.language.rule import Absent, Condition, Invariant, Occurrence, Turn
from pilotbench.bench.timeline import Event

from naive_record import SLACK_NS, Judged, Record, first_after, keys_of, nanoseconds
from naive_respond import Opening, happenings, openings
from naive_signals import (
    READ,
    STATION,
    UNKNOWN,
    Change,
    Stay,
    all_hold,
    changes,
    stays,
    truth_of,
    turns,
)
from naive_time import INF, Point, Span, precedes


def outlets(record: Record, scope: Condition) -> list[int | None]:
    """The outlets at which a scope can be true; a condition of the station has none."""
    return [None] if scope.signal in STATION else list(record.facts.evses)


def happened(record: Record, rule: Absent, evse: int | None) -> list[Event]:
    """The happenings that a stay of one outlet looks at."""
    if isinstance(rule.never, Occurrence):
        return [e for e in record.named([rule.never]) if evse is None or e.evse in (None, evse)]
    if evse is None:
        return [event for event, _ in happenings(record, rule.never)]
    return [change.event for change in turns(record, rule.never, evse)]


def judge_absent(record: Record, rule: Absent) -> list[Judged]:
    """Every instance of a rule."""
    if rule.scope is None:
        return [_after(record, rule, opening) for opening in openings(record, rule, rule.trigger)]
    return [
        _while(record, rule, stay, evse)
        for evse in outlets(record, rule.scope)
        for stay in stays(record, rule.scope, evse)
        if all_hold(record, rule.when, evse, stay.entry.event) is not False
    ]


def _settle(rule: Absent, stay: Stay) -> float:
    granted = not rule.settle_from or stay.entry.before in (*rule.settle_from, UNKNOWN)  # perhaps from one of them
    return nanoseconds(rule.settle) if granted else 0


def _while(record: Record, rule: Absent, stay: Stay, evse: int | None) -> Judged:
    settle = _settle(rule, stay)
    inside = early = maybe = False
    for h in happened(record, rule, evse):
        place = where(record, stay, Point.of(h), settle)
        received = stay.end is not None or not record.truncated or h.stamp.order_ns + SLACK_NS <= record.end_ns
        inside |= place.inside and received
        maybe |= place.maybe
        early |= place.maybe and place.early

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(stay.entry.event.stamp.order_ns, evse, outcome, frozenset(reasons))

    if inside:
        known = all_hold(record, rule.when, evse, stay.entry.event)
        return said(Outcome.FAIL) if known else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    if early:
        return said(Outcome.INCONCLUSIVE, Reason.AMBIGUOUS)
    if maybe:
        return said(Outcome.INCONCLUSIVE, Reason.CLOCK)
    end = record.end_ns if stay.end is None else stay.end.point.stamp.hi_ns
    never = rule.never
    topics = never.topics if isinstance(never, Occurrence) else tuple(READ[never.signal])
    missed = any(
        first <= end and last >= stay.entry.point.stamp.lo_ns for first, last in record.gaps(record.sources(topics))
    )
    if missed or not stay.known or _unknown(record, never, stay, evse):
        return said(Outcome.INCONCLUSIVE, Reason.GAP, Reason.PRECONDITION)
    if stay.end is None and record.truncated:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    return said(Outcome.PASS)


class Place(NamedTuple):
    """Where a happening lies: certainly inside a stay (after `settle`), perhaps in it, perhaps within `settle`."""

    inside: bool
    maybe: bool
    early: bool


def where(record: Record, stay: Stay, h: Point, settle: float = 0) -> Place:
    """What happens at the very instant of the entry, or of the end, is outside."""
    entry = stay.entry.point
    since = record.delta(entry, h)
    begun = since.lo > 0 or precedes(entry, h)
    if stay.end is None:
        in_time = perhaps_in_time = True
    else:
        left = record.delta(h, stay.end.point)
        in_time = left.lo > 0 or precedes(h, stay.end.point)
        perhaps_in_time = left.hi > 0 or in_time
    perhaps_begun = since.hi > 0 or begun
    settled = since.lo > settle if settle else begun
    return Place(settled and in_time, perhaps_begun and perhaps_in_time, bool(settle) and begun and since.lo <= settle)


def _unknown(record: Record, never: Occurrence | Turn, stay: Stay, evse: int | None) -> bool:
    """Whether the signal of an edge was unknown at some instant of a stay."""
    if isinstance(never, Occurrence):
        return False
    entry = stay.entry.point
    told_ns = INF if stay.end is None else stay.end.event.stamp.order_ns + 1_500_000_000  # decided a little after it
    history = [change for change in changes(record, never.signal, evse) if change.event.stamp.order_ns <= told_ns]
    if not history or (record.delta(entry, history[0].point).lo > 0 and where(record, stay, history[0].point).inside):
        return True
    for change, following in zip(history, [*history[1:], None], strict=True):
        if change.value is not UNKNOWN or (stay.end and record.delta(change.point, stay.end.point).hi <= 0):
            continue
        if following is None or record.delta(entry, following.point).hi > 0:
            return True
    return False


def _after(record: Record, rule: Absent, t: Opening) -> Judged:
    limit = nanoseconds(rule.within.of) if rule.within else INF
    ends = [
        e
        for e in record.named(rule.until, t.event)
        if e is not t.event
        and t.key in keys_of(e, rule.per, record.facts.evses)
        and not precedes(Point.of(e), Point.of(t.event))
    ]
    until = first_after(record, t.event, ends)
    w = Span(min(limit, until.lo), min(limit, until.hi))
    inside = maybe = False
    for h in _forbidden(record, rule, t):
        d = record.delta(t.event, h)
        if precedes(Point.of(h), Point.of(t.event)):
            continue
        if d.lo >= 0 and d.hi <= w.lo:
            inside = True
        elif not (d.hi < 0 or d.lo > w.hi):
            maybe = True

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(t.event.stamp.order_ns, t.evse, outcome, frozenset(reasons))

    if inside:
        return said(Outcome.FAIL) if t.when else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    if maybe:
        return said(Outcome.INCONCLUSIVE, Reason.CLOCK, *((Reason.TRUNCATED,) if w.hi == INF else ()))
    begin, end = t.event.stamp.lo_ns, t.event.stamp.hi_ns + w.hi
    over = min(end, record.end_ns)
    never = rule.never
    topics = never.topics if isinstance(never, Occurrence) else tuple(READ[never.signal])
    if any(first <= over and last >= begin for first, last in record.gaps(record.sources(topics))):
        return said(Outcome.INCONCLUSIVE, Reason.GAP, *(() if record.over(t.event, w.hi) else (Reason.TRUNCATED,)))
    told_ns = t.event.stamp.order_ns + w.hi + 1_500_000_000  # a little after its window an instance is decided
    if isinstance(never, Turn) and not any(
        change.event.stamp.order_ns <= told_ns for change in changes(record, never.signal, t.evse)
    ):
        return said(Outcome.INCONCLUSIVE, Reason.PRECONDITION, Reason.TRUNCATED)
    if not record.over(t.event, w.hi):
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    if isinstance(never, Turn) and _unknown_after(record, never, t, w.hi):
        return said(Outcome.INCONCLUSIVE, Reason.GAP)
    return said(Outcome.PASS)


def _unknown_after(record: Record, never: Turn, t: Opening, window_ns: float) -> bool:
    """Whether the signal of an edge was unknown at some instant of a window."""
    history = changes(record, never.signal, t.evse)
    if record.delta(Point.of(t.event), history[0].point).lo > 0:
        return True
    for change, following in zip(history, [*history[1:], None], strict=True):
        if change.value is not UNKNOWN or record.delta(Point.of(t.event), change.point).lo > window_ns:
            continue
        if following is None or record.delta(Point.of(t.event), following.point).hi > 0:
            return True
    return False


def _forbidden(record: Record, rule: Absent, t: Opening) -> list[Event]:
    if isinstance(rule.never, Occurrence):
        found = record.named([rule.never], t.event)
        return [h for h in found if h is not t.event and t.key in keys_of(h, rule.per, record.facts.evses)]
    return [change.event for change in turns(record, rule.never, t.evse) if change.event is not t.event]


def judge_invariant(record: Record, rule: Invariant) -> list[Judged]:
    """Every instance of a rule."""
    judge = _sampled if rule.holds.signal == "current" else _stepped
    return [
        judge(record, rule, stay, evse)
        for evse in outlets(record, rule.scope)
        for stay in stays(record, rule.scope, evse)
        if all_hold(record, rule.when, evse, stay.entry.event) is not False
    ]


def _stepped(record: Record, rule: Invariant, stay: Stay, evse: int | None) -> Judged:
    settle = nanoseconds(rule.settle)
    entry = stay.entry.point
    known_ns = record.end_ns - (SLACK_NS if record.truncated else 0)  # so far its end would have been received
    end = Point.at(known_ns) if stay.end is None else stay.end.point
    forever = Span(INF, INF)
    breaks = may_break = False
    open_reasons: set[Reason] = set()
    history: list[Change | None] = [None, *changes(record, rule.holds.signal, evse)]
    for change, following in zip(history, [*history[1:], None], strict=True):
        value = UNKNOWN if change is None else change.value
        truth = truth_of(record, rule.holds, value)
        if truth:
            continue
        since = None if settle else entry
        pieces = [  # nothing lasts unless each of these is positive
            (change and change.point, end, forever if change is None else record.delta(change.point, end)),
            (since, end, record.after(entry, end, settle)),
        ]
        if following is not None:
            pieces.append((since, following.point, record.after(entry, following.point, settle)))
        if change is not None and following is not None:
            pieces.append((change.point, following.point, record.delta(change.point, following.point)))
        if any(span.hi <= 0 for _, _, span in pieces):
            continue
        if truth is None:
            if value is UNKNOWN:
                open_reasons.add(Reason.GAP)
            else:
                open_reasons.add(Reason.AMBIGUOUS if value in rule.holds.unsure else Reason.MEASUREMENT)
            continue
        may_break = True
        breaks |= all(span.lo > 0 or (one and precedes(one, two)) for one, two, span in pieces)

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(stay.entry.event.stamp.order_ns, evse, outcome, frozenset(reasons))

    if breaks:
        known = all_hold(record, rule.when, evse, stay.entry.event)
        return said(Outcome.FAIL) if known else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    if may_break:
        return said(Outcome.INCONCLUSIVE, Reason.CLOCK)
    for reason in (Reason.MEASUREMENT, Reason.AMBIGUOUS, Reason.GAP):
        if reason in open_reasons:
            return said(Outcome.INCONCLUSIVE, reason)
    if not stay.known:
        return said(Outcome.INCONCLUSIVE, Reason.GAP)
    if stay.end is None and record.truncated:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    return said(Outcome.PASS)


def _sampled(record: Record, rule: Invariant, stay: Stay, evse: int | None) -> Judged:
    settle = nanoseconds(rule.settle)
    samples = [e for e in record.events if e.topic == "meter.sample" and e.evse in (None, evse)]
    breaks = may_break = undecided = False
    seen: list[Event] = []
    for e in samples:
        since = record.delta(stay.entry.point, e)
        left = Span(INF, INF) if stay.end is None else record.delta(e, stay.end.point)
        if since.hi < settle or left.hi < 0:
            continue
        counts = since.lo >= settle and left.lo >= 0
        seen.append(e)
        truth = truth_of(record, rule.holds, max(e.data["current_a"]))
        breaks |= counts and truth is False
        may_break |= not counts and truth is False
        undecided |= truth is None
    longest = record.facts.meter_max_gap_s * 1e9
    begin = stay.entry.point.stamp.hi_ns + settle
    end = record.end_ns if stay.end is None else stay.end.point.stamp.lo_ns
    told = [begin, *(ns for e in seen for ns in (e.stamp.lo_ns, e.stamp.hi_ns)), end]
    hole = any(two - one > longest for one, two in zip(told[::2], told[1::2], strict=True))

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(stay.entry.event.stamp.order_ns, evse, outcome, frozenset(reasons))

    if breaks:
        known = all_hold(record, rule.when, evse, stay.entry.event)
        return said(Outcome.FAIL) if known else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    why = [Reason.CLOCK] * may_break + [Reason.MEASUREMENT] * undecided
    if why:
        return said(Outcome.INCONCLUSIVE, *why)
    if hole or not stay.known:
        return said(Outcome.INCONCLUSIVE, Reason.GAP, Reason.PRECONDITION)
    if stay.end is None and record.truncated:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    return said(Outcome.PASS if seen else Outcome.NOT_APPLICABLE)
