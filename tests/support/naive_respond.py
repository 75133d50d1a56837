"""`respond`, judged by looking at every event for every trigger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pilotbench.bench.correlation import Outcome, Reason
from pilotbench.bench.correlation.language.rule import Condition, Occurrence, Respond, Trigger, Turn
from pilotbench.bench.timeline import Event

from naive_record import Judged, Key, Record, keys_of, nanoseconds
from naive_signals import READ, STATION, UNKNOWN, Change, all_hold, candidates, changes, truth_of, turns
from naive_time import INF, Point, Span, precedes


class Opening(NamedTuple):
    """A trigger for one key: the event behind it, the outlet whose signals it means, and what `when` says."""

    event: Event
    evse: int | None
    key: Key
    when: bool | None


class Candidate(NamedTuple):
    """An instant at which the response may come; `sure`: it certainly comes then."""

    span: Span
    what: Event
    sure: bool
    why: frozenset[Reason] = frozenset()


def openings(record: Record, rule: Respond, triggers: Sequence[Trigger]) -> Iterator[Opening]:
    """Every trigger for which `when` is not false, once for each of its keys."""
    for trigger in triggers:
        for event, outlets in happenings(record, trigger.on):
            for outlet in outlets:
                for key in keys_of(_at_outlet(event, outlet), rule.per, record.facts.evses):
                    evse = key[rule.per.index("evse")] if "evse" in rule.per else outlet
                    when = all_hold(record, [*rule.when, *trigger.given], evse, event)
                    if when is not False:
                        yield Opening(event, evse, key, when)


def happenings(record: Record, what: Occurrence | Turn) -> Iterator[tuple[Event, list[int | None]]]:
    """Every event that a sentence means, or that makes an edge, with the outlets that it is about."""
    if isinstance(what, Occurrence):
        for event in record.named([what]):
            yield event, [event.evse]
        return
    found: dict[str, tuple[Event, list[int | None]]] = {}
    for evse in [None] if what.signal in STATION else record.facts.evses:
        for change in turns(record, what, evse):
            found.setdefault(change.event.id, (change.event, []))[1].append(evse)
    yield from sorted(found.values(), key=lambda pair: pair[0].order)


def _at_outlet(event: Event, evse: int | None) -> Event:
    return Event(event.topic, event.source, event.seq, event.stamp, event.data, evse, None, event.rank)


def judge_respond(record: Record, rule: Respond) -> list[Judged]:
    """Every instance of a rule."""
    return [_judge(record, rule, opening) for opening in openings(record, rule, rule.trigger)]


def _judge(record: Record, rule: Respond, t: Opening) -> Judged:
    a = nanoseconds(rule.after.of) if rule.after else 0
    b = nanoseconds(rule.within.of) if rule.within else INF
    e, withdrawals = _withdrawn(record, rule, t)
    if rule.response is None:
        found = _answers(record, rule, t)
        proven = _proven(record, rule, t, found, a, b)
        if proven is not None:
            return Judged(t.event.stamp.order_ns, t.evse, Outcome.PASS, frozenset(), proven.lo, proven.hi, True)
    else:
        found = _becomings(record, rule, rule.response, t, withdrawals)
        proven = _shown(record, rule, rule.response, t, found, b)
        if proven is not None:
            return Judged(t.event.stamp.order_ns, t.evse, Outcome.PASS, frozenset(), proven.lo, proven.hi, True)
    over_ns = t.event.stamp.order_ns + b + 1_500_000_000  # a little after its window an instance is decided
    found = [c for c in found if c.span.hi >= a and c.what.stamp.order_ns <= over_ns]
    lo = min((max(c.span.lo, a) for c in found), default=INF)
    hi = min((c.span.hi for c in found if c.sure and c.span.lo >= a), default=INF)

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(t.event.stamp.order_ns, t.evse, outcome, frozenset(reasons), lo, hi, True)

    if rule.within is None:
        return said(Outcome.PASS if hi < INF else Outcome.NOT_APPLICABLE)
    if hi <= b and hi <= e.hi:
        return said(Outcome.PASS)
    watched = INF if rule.answers or not record.truncated else record.end_ns - t.event.stamp.hi_ns
    if e.hi <= b and e.hi <= watched:
        return said(Outcome.NOT_APPLICABLE)
    over = record.over(t.event, b)
    late = () if over else (Reason.TRUNCATED,)
    if lo <= b:
        return said(Outcome.INCONCLUSIVE, *_why(t, found, a, lo, hi), *late)
    if e.lo <= b:
        return said(Outcome.INCONCLUSIVE, Reason.PRECONDITION, *late)
    if not over:
        return said(Outcome.INCONCLUSIVE, Reason.TRUNCATED)
    begin, end = t.event.stamp.lo_ns + a, t.event.stamp.hi_ns + b
    if any(first <= end and last >= begin for first, last in record.gaps(_heard(record, rule))):
        return said(Outcome.INCONCLUSIVE, Reason.GAP, *(() if t.when else (Reason.PRECONDITION,)))
    if t.when is None:
        return said(Outcome.INCONCLUSIVE, Reason.PRECONDITION)
    return said(Outcome.FAIL)


def _proven(record: Record, rule: Respond, t: Opening, found: Sequence[Candidate], a: float, b: float) -> Span | None:
    """What was measured when the first answer proved a PASS: what is received later changes nothing any more."""
    answers = [c for c in found if c.span.hi >= a]
    ends = [c for c in _ends(record, rule, t) if c.span.hi >= 0]
    for now in [t.event, *(c.what for c in answers if c.what.order > t.event.order)]:
        seen = [c for c in answers if c.what.order <= now.order]
        over = min((c.span.hi for c in ends if c.span.lo >= 0 and c.what.order <= now.order), default=INF)
        hi = min((c.span.hi for c in seen if c.span.lo >= a), default=INF)
        if hi < INF and hi <= b and hi <= over and not rule.unless:
            return Span(min(max(c.span.lo, a) for c in seen), hi)
    return None


def _shown(
    record: Record, rule: Respond, response: Condition, t: Opening, found: Sequence[Candidate], b: float
) -> Span | None:
    """The same for a condition: a change that certainly comes after the trigger, as far as was received with it."""
    if rule.hold or rule.within is None or rule.after is not None:
        return None
    after = [c for c in found if c.sure and c.span.hi <= b and record.delta(t.event, c.what).lo >= 0]
    for change in sorted(after, key=lambda c: c.what.order):
        if change.what.order <= t.event.order:
            continue
        then = record.upto(change.what)
        e, withdrawals = _withdrawn(then, rule, t)
        known = [c for c in _becomings(then, rule, response, t, withdrawals) if c.span.hi >= 0]
        hi = min((c.span.hi for c in known if c.sure and c.span.lo >= 0), default=INF)
        if hi <= b and hi <= e.hi:
            return Span(min(max(c.span.lo, 0) for c in known), hi)
    return None


def _heard(record: Record, rule: Respond) -> set[str]:
    """The sources on whose silence a FAIL rests: those of the response and of what withdraws it."""
    topics = [topic for one in (*rule.answers, *rule.until) for topic in one.topics]
    signals = [condition.signal for condition in rule.unless]
    if rule.response is not None:
        signals.append(rule.response.signal)
    for signal in signals:
        topics += READ[signal]
    return record.sources(topics)


def _before(event: Event, t: Opening) -> bool:
    """By the sequence of a source that reports in order, it certainly came before the trigger, though Δ may be 0."""
    return precedes(Point.of(event), Point.of(t.event))


def _answers(record: Record, rule: Respond, t: Opening) -> list[Candidate]:
    return [
        Candidate(record.delta(t.event, r), r, True)
        for r in record.named(rule.answers, t.event)
        if r is not t.event and t.key in keys_of(r, rule.per, record.facts.evses) and not _before(r, t)
    ]


def _ends(record: Record, rule: Respond, t: Opening) -> list[Candidate]:
    return [
        Candidate(record.delta(t.event, u), u, True)
        for u in record.named(rule.until, t.event)
        if u is not t.event and t.key in keys_of(u, rule.per, record.facts.evses) and not _before(u, t)
    ]


def _withdrawn(record: Record, rule: Respond, t: Opening) -> tuple[Span, list[Point]]:
    ends = _ends(record, rule, t)
    for condition in rule.unless:
        ends += _instants(record, condition, t, hold=0, accept=True, until=[])
    ends = [end for end in ends if end.span.hi >= 0]
    lo = min((max(end.span.lo, 0) for end in ends), default=INF)
    hi = min((end.span.hi for end in ends if end.sure and end.span.lo >= 0), default=INF)
    return Span(lo, hi), [Point.of(end.what) for end in ends if end.sure and end.span.lo >= 0]


def _becomings(
    record: Record, rule: Respond, response: Condition, t: Opening, withdrawals: list[Point]
) -> list[Candidate]:
    hold = nanoseconds(rule.hold)
    return _instants(record, response, t, hold, rule.already == "accept", [] if rule.proven else withdrawals)


def _instants(
    record: Record, condition: Condition, t: Opening, hold: float, accept: bool, until: list[Point]
) -> list[Candidate]:
    """When a condition becomes true and stays so for `hold` (or until one of the points)."""
    evse = None if condition.signal in STATION else t.evse
    history = changes(record, condition.signal, evse)
    truths = [truth_of(record, condition, change.value) for change in history]
    found: list[Candidate] = []
    for i in range(-1, len(history)):  # -1: what was before the first change, unknown
        truth = truths[i] if i >= 0 else None
        begin = record.delta(t.event, history[i].point) if i >= 0 else Span(-INF, -INF)
        after = record.delta(t.event, history[i + 1].point) if i + 1 < len(history) else Span(INF, INF)
        what = history[i].event if i >= 0 else t.event
        surely, possibly = _lasts(record, history, truths, i, history[i].point if i >= 0 else None, hold, until)
        over = next((j for j in range(i + 1, len(history)) if not truths[j]), None)
        if accept and surely and begin.lo < 0 <= begin.hi:  # perhaps before the trigger: then true at the trigger too
            left = Span(INF, INF) if over is None else record.delta(t.event, history[over].point)
            begin, surely = Span(0, begin.hi), left.lo > 0 and left.lo >= hold
            possibly = possibly and left.hi > 0
        untrue = next((j for j in range(i + 1, len(history)) if truths[j] is False), None)
        if untrue is not None and begin.lo <= 0 and not until:  # held from the trigger on, at best
            possibly = possibly and record.delta(t.event, history[untrue].point).hi >= hold
        if truth is None and possibly and after.hi > 0:
            unknown = i < 0 or history[i].value is UNKNOWN
            why = frozenset({Reason.GAP if unknown else Reason.MEASUREMENT})
            found.append(Candidate(Span(begin.lo, after.hi), what, False, why))
        elif truth and possibly and not (i and truths[i - 1]) and after.hi > 0:
            fresh = accept or (i > 0 and truths[i - 1] is False)  # else perhaps it was true before
            found.append(Candidate(begin, what, surely and fresh, frozenset() if fresh else frozenset({Reason.GAP})))
    if accept:
        certainly_later = [c for c in history if record.delta(c.point, t.event).hi < 0]
        before = [c for c in history if not any(precedes(later.point, c.point) for later in certainly_later)]
        values = candidates(record, before, t.event)
        now = {truth_of(record, condition, value) for value in values}
        latest = [i for i, c in enumerate(history) if record.delta(c.point, t.event).lo >= 0]
        surely, possibly = _lasts(record, history, truths, latest[-1] if latest else -1, Point.of(t.event), hold, until)
        if now == {True} and possibly:
            found.append(Candidate(Span(0, 0), t.event, surely, frozenset({Reason.MEASUREMENT, Reason.CLOCK})))
        elif now != {False} and possibly:
            why = {Reason.MEASUREMENT, Reason.CLOCK, Reason.AMBIGUOUS} | ({Reason.GAP} if UNKNOWN in values else set())
            found.append(Candidate(Span(0, 0), t.event, False, frozenset(why)))
    return found


def _lasts(
    record: Record,
    history: Sequence[Change],
    truths: Sequence[bool | None],
    i: int,
    start: Point | None,
    hold: float,
    until: Sequence[Point],
) -> tuple[bool, bool]:
    """Whether what is true from `start` on, at change `i`, certainly and possibly lasts for `hold`."""
    if hold == 0 or start is None:
        return True, True
    end = Point.at(record.end_ns)
    doubtful = next((c.point for c, truth in zip(history[i + 1 :], truths[i + 1 :], strict=True) if not truth), None)
    over = next((c.point for c, truth in zip(history[i + 1 :], truths[i + 1 :], strict=True) if truth is False), None)

    def long_enough(to: Point | None) -> Span:
        span = record.delta(start, to or end)
        if to is not None and any(record.delta(point, to).lo >= 0 for point in until):
            return Span(hold, hold)
        if to is None:
            return Span(hold if span.lo >= hold else span.lo, INF)
        return span

    return long_enough(doubtful).lo >= hold, long_enough(over).hi >= hold


def _why(t: Opening, found: Sequence[Candidate], a: float, lo: float, hi: float) -> set[Reason]:
    first = [c for c in found if max(c.span.lo, a) == lo]
    last = [c for c in found if c.sure and c.span.lo >= a and c.span.hi == hi]
    reasons: set[Reason] = set()
    for c in first:
        if c.why:
            reasons |= c.why
        if last and any(c.what is not other.what for other in last):
            reasons.add(Reason.AMBIGUOUS)
        if not last or any(c.what is other.what for other in last):
            one, two = t.event.stamp, c.what.stamp
            same = None not in (one.device_ns, two.device_ns) and (one.domain, one.epoch) == (two.domain, two.epoch)
            reasons.add(Reason.MEASUREMENT if same else Reason.CLOCK)
    return reasons
