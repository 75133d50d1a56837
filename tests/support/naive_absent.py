"""`absent` and `invariant`, judged by looking at every event for every stay or trigger."""

from __future__ import annotations

import itertools

from pilotbench.bench.correlation import Outcome, Reason
from pilotbench.bench.correlation.rule import Absent, Condition, Invariant, Occurrence
from pilotbench.bench.timeline import Event

from naive_record import Judged, Record, first_after, keys_of, nanoseconds
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
from naive_time import INF, Point, Span


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
    return nanoseconds(rule.settle) if not rule.settle_from or stay.entry.before in rule.settle_from else 0


def _while(record: Record, rule: Absent, stay: Stay, evse: int | None) -> Judged:
    settle = _settle(rule, stay)
    inside = early = maybe = False
    for h in happened(record, rule, evse):
        since = record.delta(stay.entry.point, h)
        left = Span(INF, INF) if stay.end is None else record.delta(h, stay.end.point)
        if since.hi < 0 or left.hi < 0:
            continue
        inside |= since.lo >= settle and left.lo >= 0
        early |= settle > 0 and since.lo < settle
        maybe = True

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
    if missed or not stay.known:
        return said(Outcome.INCONCLUSIVE, Reason.GAP)
    if stay.end is None and record.truncated:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    return said(Outcome.PASS)


def _after(record: Record, rule: Absent, t: Opening) -> Judged:
    limit = nanoseconds(rule.within.of) if rule.within else INF
    ends = [
        e
        for e in record.named(rule.until, t.event)
        if e is not t.event and t.key in keys_of(e, rule.per, record.facts.evses)
    ]
    until = first_after(record, t.event, ends)
    w = Span(min(limit, until.lo), min(limit, until.hi))
    inside = maybe = False
    for h in _forbidden(record, rule, t):
        d = record.delta(t.event, h)
        if d.lo >= 0 and d.hi <= w.lo:
            inside = True
        elif not (d.hi < 0 or d.lo > w.hi):
            maybe = True

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(t.event.stamp.order_ns, t.evse, outcome, frozenset(reasons))

    if inside:
        return said(Outcome.FAIL) if t.when else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    if maybe:
        return said(Outcome.INCONCLUSIVE, Reason.CLOCK)
    begin, end = t.event.stamp.lo_ns, t.event.stamp.hi_ns + w.hi
    over = min(end, record.end_ns)
    never = rule.never
    topics = never.topics if isinstance(never, Occurrence) else tuple(READ[never.signal])
    if any(first <= over and last >= begin for first, last in record.gaps(record.sources(topics))):
        return said(Outcome.INCONCLUSIVE, Reason.GAP, *(() if end <= record.end_ns else (Reason.TRUNCATED,)))
    if end > record.end_ns:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    return said(Outcome.PASS)


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
    end = Point.at(record.end_ns) if stay.end is None else stay.end.point
    breaks = may_break = may_be_unknown = False
    history: list[Change | None] = [None, *changes(record, rule.holds.signal, evse)]
    for change, following in zip(history, [*history[1:], None], strict=True):
        value = UNKNOWN if change is None else change.value
        truth = truth_of(record, rule.holds, value)
        if truth:
            continue
        left = Span(INF, INF) if change is None else record.delta(change.point, end)
        lasts = Span(INF, INF) if following is None else record.delta(stay.entry.point, following.point)
        stay_lasts = record.delta(stay.entry.point, end)
        if left.hi < 0 or lasts.hi < settle or stay_lasts.hi < settle:
            continue
        if truth is None:
            may_be_unknown = True
            continue
        may_break = True
        breaks |= left.lo > 0 and lasts.lo > settle and stay_lasts.lo > settle

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(stay.entry.event.stamp.order_ns, evse, outcome, frozenset(reasons))

    if breaks:
        known = all_hold(record, rule.when, evse, stay.entry.event)
        return said(Outcome.FAIL) if known else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    why = [Reason.CLOCK] * may_break + [Reason.GAP] * (may_be_unknown or not stay.known)
    if why:
        return said(Outcome.INCONCLUSIVE, *why)
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
    stamps = [e.stamp for e in seen]
    longest = record.facts.meter_max_gap_s * 1e9
    hole = any(two.lo_ns - one.hi_ns > longest for one, two in itertools.pairwise(stamps))

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(stay.entry.event.stamp.order_ns, evse, outcome, frozenset(reasons))

    if breaks:
        known = all_hold(record, rule.when, evse, stay.entry.event)
        return said(Outcome.FAIL) if known else said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    why = [Reason.CLOCK] * may_break + [Reason.MEASUREMENT] * undecided
    if why:
        return said(Outcome.INCONCLUSIVE, *why)
    if hole or not stay.known:
        return said(Outcome.INCONCLUSIVE, Reason.GAP)
    if stay.end is None and record.truncated:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    return said(Outcome.PASS)
