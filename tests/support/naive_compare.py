"""The engine and the naive evaluator side by side, instance by instance."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

from pilotbench.bench.correlation import Instance, Outcome, Pack, Reason, Report, evaluate
from pilotbench.bench.timeline import Event

from naive import judge
from naive_record import Judged
from naive_rules import FACTS
from random_traces import Run

_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


class Difference(NamedTuple):
    """Where the two disagree: over which rule, in what, and what each says."""

    rule: str
    what: str
    engine: str
    naive: str


def differences(pack: Pack, run: Run, coarse: Container[str] = ()) -> list[Difference]:
    """Every rule over which they disagree.

    Where there are gaps (the page does not say exactly which silence a verdict rests on), and for the rules in
    `coarse`, only a PASS of one that is a FAIL of the other counts.
    """
    events = run.events
    report = evaluate(events, pack, FACTS, truncated=run.cut)
    gaps = any(event.topic == "gap" for event in events)
    found: list[Difference] = []
    for named in pack.rules:
        naive = judge(named.rule, events, FACTS, end_ns=run.end_ns, truncated=run.cut)
        compare = _contradiction if gaps or named.id in coarse else _difference
        difference = compare(report, named.id, naive)
        if difference is not None:
            found.append(difference)
    return found


def _contradiction(report: Report, rule: str, naive: Sequence[Judged]) -> Difference | None:
    verdict = report.of(rule)
    worst = max((one.outcome for one in naive), key=lambda outcome: outcome.rank, default=Outcome.NOT_APPLICABLE)
    if {verdict.verdict, worst} == {Outcome.PASS, Outcome.FAIL} or verdict.verdict is Outcome.ERROR:
        return Difference(rule, "verdict", f"{verdict.verdict} {verdict.because}", str(naive))
    return None


def _difference(report: Report, rule: str, naive: Sequence[Judged]) -> Difference | None:
    verdict = report.of(rule)
    engine = sorted(verdict.instances, key=lambda one: (one.opened_ns, one.evse or 0))
    told = sorted(naive, key=lambda one: (one.opened_ns, one.evse or 0))
    if verdict.verdict is Outcome.ERROR or len(engine) != len(told):
        return Difference(rule, "instances", f"{verdict.because} {[_text(i) for i in engine]}", str(told))
    for one in engine:
        same = [other for other in told if (other.opened_ns, other.evse or 0) == (one.opened_ns, one.evse or 0)]
        what = [_disagreement(one, other) for other in same]
        if "" in what:
            told.remove(same[what.index("")])
        else:
            return Difference(rule, what[0] if what else "instances", _text(one), str(same or told))
    return None


def _measured(one: Instance) -> tuple[float | None, float | None]:
    """What was measured, in nanoseconds."""
    if one.measured is None or one.measured.unit not in _NS:
        return None, None
    factor = _NS[one.measured.unit]
    lo, hi = one.measured.lo, one.measured.hi
    return None if lo is None else round(lo * factor), None if hi is None else round(hi * factor)


def _text(one: Instance) -> str:
    measured = None if one.measured is None else f"[{one.measured.lo}, {one.measured.hi}] {one.measured.unit}"
    return f"{one.opened_ns} {one.evse} {one.outcome} {one.reason} {measured} {one.because!r}"


def _disagreement(one: Instance, other: Judged) -> str:
    if one.outcome is not other.outcome:
        return "outcome"
    if (one.reason is None) != (not other.reasons):
        return "reason"
    lo, hi = _measured(one)
    # a response that has to last is told with its end only if it may count
    beyond = hi is None and one.limit is not None and other.hi is not None and other.hi > one.limit * _factor(one)
    beyond = beyond and one.outcome is not Outcome.PASS
    # where the record is cut, that is one reason beside another
    cut = Reason.TRUNCATED in (one.reason, *other.reasons)
    if one.reason is not None and one.reason not in other.reasons and not cut and not beyond:
        return "reason"
    if not other.measured or one.outcome is Outcome.NOT_APPLICABLE:
        return ""
    if one.measured is None:  # nothing to show
        return "" if one.outcome is Outcome.INCONCLUSIVE else "measured"
    if hi != _finite(other.hi) and not beyond:
        return "measured"
    if _finite(other.lo) is None:  # nothing came: what is shown is how long it certainly did not
        return "" if lo is None or lo > 0 else "measured"
    return "" if lo == _finite(other.lo) else "measured"


def _factor(one: Instance) -> float:
    return _NS.get(one.measured.unit, 1) if one.measured is not None else 1


def _finite(value: float | None) -> int | None:
    return None if value is None or abs(value) == float("inf") else round(value)


def told(events: Sequence[Event]) -> str:
    """A trace as text, for a message."""
    return "\n".join(
        f"{e.id} {e.topic} evse={e.evse} order={e.stamp.order_ns} [{e.stamp.lo_ns}, {e.stamp.hi_ns}]"
        f" device={e.stamp.device_ns}±{e.stamp.residual_ns} epoch={e.stamp.epoch} {e.data}"
        for e in events
    )
