"""`order`, `cadence` and `count`, judged by looking at every event for every other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise
from typing import Any

from pilotbench.bench.correlation import Outcome, Reason
from pilotbench.bench.correlation.language.rule import Cadence, Count, Occurrence, Order, Turn
from pilotbench.bench.timeline import Event, parse_quantity

from naive_absent import outlets, where
from naive_record import SLACK_NS, Judged, Key, Record, keys_of, look, nanoseconds
from naive_respond import happenings
from naive_signals import Stay, all_hold, stays, turns
from naive_time import INF, Point, Span, precedes

_WORST = (Outcome.NOT_APPLICABLE, Outcome.PASS, Outcome.INCONCLUSIVE, Outcome.FAIL, Outcome.ERROR)


def judge_order(record: Record, rule: Order) -> list[Judged]:
    """Every instance of a rule."""
    if rule.anchor is not None:
        return _conditions(record, rule, rule.anchor)
    if rule.sequence is not None:
        return _laws(record, rule, rule.sequence)
    return [judged for h in record.named(rule.then) for judged in _preceded(record, rule, h)]


def _conditions(record: Record, rule: Order, anchor: Occurrence | Turn) -> list[Judged]:
    found: list[Judged] = []
    for event, places in happenings(record, anchor):
        for outlet in places:
            for evse in record.facts.evses if outlet is None else [outlet]:
                when = all_hold(record, rule.when, evse, event)
                if when is False:
                    continue
                truth = all_hold(record, rule.before, evse, event)
                outcome, reasons = Outcome.PASS, frozenset[Reason]()
                if truth is None:
                    outcome, reasons = Outcome.INCONCLUSIVE, frozenset(Reason)
                elif truth is False:
                    outcome = Outcome.FAIL if when else Outcome.INCONCLUSIVE
                    reasons = reasons if when else frozenset({Reason.PRECONDITION})
                found.append(Judged(event.stamp.order_ns, evse, outcome, reasons))
    return found


def _preceded(record: Record, rule: Order, h: Event) -> list[Judged]:
    found: list[Judged] = []
    for key in keys_of(h, rule.per, record.facts.evses):
        evse = key[rule.per.index("evse")] if "evse" in rule.per else h.evse
        when = all_hold(record, rule.when, evse, h)
        if when is False:
            continue
        firsts = [
            f
            for f in record.named(rule.first, h)
            if f is not h and key in keys_of(f, rule.per, record.facts.evses) and not precedes(Point.of(h), Point.of(f))
        ]
        spans = [record.delta(f, h) for f in firsts]
        booted = any(e.topic == "ocpp.boot" and e.order < h.order for e in record.events)
        missed = [
            gap
            for gap in record.gaps(record.sources(topic for one in rule.first for topic in one.topics))
            if gap[0] <= h.stamp.hi_ns
        ]
        reasons: set[Reason] = set()
        outcome = Outcome.INCONCLUSIVE
        if any(span.lo >= 0 for span in spans):
            outcome = Outcome.PASS
        elif any(span.hi >= 0 for span in spans):
            reasons = {Reason.CLOCK}
        elif not booted:
            reasons = {Reason.TRUNCATED} | ({Reason.GAP} if missed else set())
        elif missed:
            reasons = {Reason.GAP} | (set() if when else {Reason.PRECONDITION})
        elif when is None:
            reasons = {Reason.PRECONDITION}
        else:
            outcome = Outcome.FAIL
        found.append(Judged(h.stamp.order_ns, evse, outcome, frozenset(reasons)))
    return found


def _laws(record: Record, rule: Order, wanted: Occurrence) -> list[Judged]:
    rows: dict[Key, list[Event]] = {}
    for e in record.named([wanted]):
        if look(e.data, rule.key) is None:
            continue
        for key in keys_of(e, rule.per, record.facts.evses):
            evse = key[rule.per.index("evse")] if "evse" in rule.per else e.evse
            if all_hold(record, rule.when, evse, e) is True:
                rows.setdefault(key, []).append(e)
    return [_law(record, rule, key, row) for key, row in rows.items()]


def _law(record: Record, rule: Order, key: Key, row: Sequence[Event]) -> Judged:
    values = [comparable(look(e.data, rule.key)) for e in row]
    evse = key[rule.per.index("evse")] if "evse" in rule.per else row[0].evse

    def said(outcome: Outcome, *reasons: Reason) -> Judged:
        return Judged(row[0].stamp.order_ns, evse, outcome, frozenset(reasons))

    def missed(one: Event, two: Event) -> bool:
        spans = record.gaps({two.source})
        return any(first <= two.stamp.hi_ns and upto >= one.stamp.lo_ns for first, upto in spans)

    doubtful = False
    told = [values[0]]
    for i in range(1, len(values)):
        value, last = values[i], values[i - 1]
        told += [value] if rule.law in ("unique", "constant") or value != last else []
        if rule.law == "unique":
            broken = value in values[:i]
        elif rule.law == "constant":
            broken = value != values[0]
        elif value == last:
            broken = False
        elif rule.law == "contiguous":
            broken = not (isinstance(value, Decimal) and isinstance(last, Decimal) and value == last + 1)
        else:
            broken = not value > last
        if broken and rule.law == "contiguous" and missed(row[i - 1], row[i]):
            doubtful = True
        elif broken:
            return said(Outcome.FAIL)
    if len(told) < 2:
        return said(Outcome.NOT_APPLICABLE)
    if doubtful or missed(row[0], row[-1]):
        return said(Outcome.INCONCLUSIVE, Reason.GAP)
    return said(Outcome.PASS)


def comparable(value: Any) -> Any:
    """A number, a decimal text or a time as such; anything else as text."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Decimal(str(value))
    try:
        return Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        pass
    try:
        return datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return str(value)


def _scoped(record: Record, rule: Cadence | Count) -> list[tuple[Stay | None, int | None, Key, list[Event]]]:
    """The stays, or the keys, with the events that belong to each."""
    if rule.scope is not None:
        return [
            (stay, evse, (), _events(record, rule.event, evse))
            for evse in outlets(record, rule.scope)
            for stay in stays(record, rule.scope, evse)
        ]
    rows: dict[Key, list[Event]] = {}
    for event, places in happenings(record, rule.event):
        for outlet in places:
            moved = Event(event.topic, event.source, event.seq, event.stamp, event.data, outlet, None, event.rank)
            for key in keys_of(moved, rule.per, record.facts.evses):
                rows.setdefault(key, []).append(event)
    return [
        (None, key[rule.per.index("evse")] if "evse" in rule.per else row[0].evse, key, row)
        for key, row in rows.items()
    ]


def _events(record: Record, what: Occurrence | Turn, evse: int | None) -> list[Event]:
    if isinstance(what, Occurrence):
        return [e for e in record.named([what]) if evse is None or e.evse in (None, evse)]
    return [change.event for change in turns(record, what, evse)]


def _place(record: Record, stay: Stay, e: Event) -> tuple[bool, bool]:
    """Whether an event is certainly, and possibly, inside a stay."""
    place = where(record, stay, Point.of(e))
    return place.inside, place.maybe


def judge_count(record: Record, rule: Count) -> list[Judged]:
    """Every instance of a rule."""
    found: list[Judged] = []
    for stay, evse, _, row in _scoped(record, rule):
        row = [e for e in row if all_hold(record, rule.when, evse, e) is not False]
        opened = stay.entry.event if stay else row[0] if row else None
        if opened is None:
            continue
        if rule.within:
            verdicts = [_counted(record, rule, _near(record, rule, t, row), not record.truncated) for t in row]
            outcome, reasons = max(verdicts, key=lambda said: _WORST.index(said[0]))
        elif stay is not None:
            places = [_place(record, stay, e) for e in row]
            cut_ns = record.end_ns - SLACK_NS if record.truncated and stay.end is None else INF
            received = [e.stamp.order_ns <= cut_ns for e in row]
            sure = sum(sure and told for (sure, _), told in zip(places, received, strict=True))
            n = (sure, sum(may for _, may in places))
            outcome, reasons = _counted(record, rule, n, stay.end is not None or not record.truncated)
            stands = n[0] > rule.at_most if rule.at_most is not None else n[0] >= (rule.at_least or 0)
            if (stay.lost or not stay.known) and not stands:  # a part of a longer one, perhaps
                outcome, reasons = Outcome.INCONCLUSIVE, frozenset({Reason.GAP})
        else:
            outcome, reasons = _counted(record, rule, (len(row), len(row)), not record.truncated)
        found.append(Judged(opened.stamp.order_ns, evse, outcome, reasons))
    return found


def _near(record: Record, rule: Count, t: Event, row: Sequence[Event]) -> tuple[int, int]:
    w = nanoseconds(rule.within)
    spans = [record.delta(t, h) for h in row if not precedes(Point.of(h), Point.of(t))]
    return sum(s.lo >= 0 and s.hi <= w for s in spans), sum(s.hi >= 0 and s.lo <= w for s in spans)


def _counted(record: Record, rule: Count, n: tuple[int, int], over: bool) -> tuple[Outcome, frozenset[Reason]]:
    least, most = n
    few = -INF if rule.at_least is None else rule.at_least
    many = INF if rule.at_most is None else rule.at_most
    if least > many or (over and most < few):
        return Outcome.FAIL, frozenset()
    if not over and (most > many or least < few or many < INF):
        return Outcome.INCONCLUSIVE, frozenset({Reason.TRUNCATED, Reason.CLOCK})
    if most <= many and least >= few:
        return Outcome.PASS, frozenset()
    return Outcome.INCONCLUSIVE, frozenset({Reason.CLOCK})


def judge_cadence(record: Record, rule: Cadence) -> list[Judged]:
    """Every instance of a rule."""
    return _every(record, rule) if rule.every else _apart(record, rule)


def _share(rule: Cadence) -> Fraction:
    return Fraction(str(parse_quantity(rule.tolerance, "share"))) / 100 if rule.tolerance else Fraction(0)


def _every(record: Record, rule: Cadence) -> list[Judged]:
    limit = float(Fraction(nanoseconds(rule.every)) * (1 + _share(rule)))
    found: list[Judged] = []
    for stay, evse, _, row in _scoped(record, rule):
        assert stay is not None
        when = all_hold(record, rule.when, evse, stay.entry.event)
        if when is False:
            continue
        entry = stay.entry.point
        end = Point.at(record.end_ns) if stay.end is None else stay.end.point
        inside = [e for e in row if _touches(record, stay, e)[1]]
        points = [entry, *(Point.of(e) for e in inside), end]
        pauses: list[Span] = []
        for i, (a, b) in enumerate(pairwise(points)):
            spans = [record.delta(one, two) for one, two in ((a, b), (entry, b), (a, end), (entry, end))]
            # what was received before or after it may lie within
            least = min(record.delta(p, q).lo for p in points[: i + 1] for q in points[i + 1 :])
            pauses.append(Span(max(least, 0), max(min(s.hi for s in spans), 0)))
        lo, hi = max(pause.lo for pause in pauses), max(pause.hi for pause in pauses)
        outcome = Outcome.PASS if hi <= limit else Outcome.FAIL if lo > limit else Outcome.INCONCLUSIVE
        reasons = {Reason.CLOCK} if outcome is Outcome.INCONCLUSIVE else set[Reason]()
        if outcome is Outcome.FAIL and when is None:
            outcome, reasons = Outcome.INCONCLUSIVE, {Reason.PRECONDITION}
        if outcome is Outcome.PASS and record.delta(entry, end).lo <= limit:
            outcome = Outcome.NOT_APPLICABLE
        if outcome is Outcome.PASS and stay.end is None and record.truncated:
            outcome, reasons = Outcome.INCONCLUSIVE, {Reason.TRUNCATED}
        found.append(Judged(stay.entry.event.stamp.order_ns, evse, outcome, frozenset(reasons), lo, hi, True))
    return found


def _apart(record: Record, rule: Cadence) -> list[Judged]:
    limit = float(Fraction(nanoseconds(rule.apart)) * (1 - _share(rule)))
    found: list[Judged] = []
    for stay, evse, _, row in _scoped(record, rule):
        row = [e for e in row if all_hold(record, rule.when, evse, e) is not False]
        row = [e for e in row if stay is None or _touches(record, stay, e)[1]]
        if len(row) < 2:
            continue
        lo = hi = INF
        outcome, reasons = Outcome.PASS, set[Reason]()
        for i, e in enumerate(row):
            for other in row[:i]:
                span = record.delta(other, e)
                lo = min(lo, max(span.lo, -span.hi, 0))
                if stay is None or (_touches(record, stay, other)[0] and _touches(record, stay, e)[0]):
                    hi = min(hi, max(-span.lo, span.hi))
            if hi < limit:  # said at once
                outcome = Outcome.FAIL
                break
        gaps = record.gaps({e.source for e in row})
        begin, end = row[0].stamp.lo_ns, row[-1].stamp.hi_ns
        if outcome is Outcome.PASS and lo < limit:
            outcome, reasons = Outcome.INCONCLUSIVE, {Reason.CLOCK}
        elif outcome is Outcome.PASS and any(first <= end and upto >= begin for first, upto in gaps):
            outcome, reasons = Outcome.INCONCLUSIVE, {Reason.GAP}
        elif outcome is Outcome.PASS and record.truncated and (stay is None or stay.end is None):
            outcome, reasons = Outcome.INCONCLUSIVE, {Reason.TRUNCATED}
        opened = stay.entry.event if stay else row[0]
        lo, hi = max(lo, 0), max(hi, lo, 0)
        found.append(Judged(opened.stamp.order_ns, evse, outcome, frozenset(reasons), lo, hi, True))
    return found


def _touches(record: Record, stay: Stay, e: Event) -> tuple[bool, bool]:
    """Whether an event lies inside a stay or at one of its ends, certainly and possibly."""
    at, entry = Point.of(e), stay.entry.point
    since = record.delta(entry, at)
    sure, may = since.lo >= 0, since.hi >= 0 and not precedes(at, entry)
    if stay.end is not None:
        left = record.delta(at, stay.end.point)
        sure, may = sure and left.lo >= 0, may and left.hi >= 0 and not precedes(stay.end.point, at)
    return sure, may
