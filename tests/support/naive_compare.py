"""The engine and the naive evaluator side by side, instance by instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pilotbench.bench.correlation import Instance, Outcome, Pack, Report, evaluate
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


def differences(pack: Pack, run: Run) -> list[Difference]:
    """Every rule over which they disagree."""
    events = run.events
    report = evaluate(events, pack, FACTS, truncated=run.cut)
    found = [
        _difference(report, rule.id, judge(rule.rule, events, FACTS, end_ns=run.end_ns, truncated=run.cut))
        for rule in pack.rules
    ]
    return [difference for difference in found if difference is not None]


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
    if (one.reason is None) != (not other.reasons) or (one.reason is not None and one.reason not in other.reasons):
        return "reason"
    if not other.measured or one.outcome is Outcome.NOT_APPLICABLE:
        return ""
    lo, hi = _measured(one)
    if one.measured is None:  # nothing to show
        return "" if one.outcome is Outcome.INCONCLUSIVE else "measured"
    if hi != _finite(other.hi):
        return "measured"
    if _finite(other.lo) is None:  # nothing came: what is shown is how long it certainly did not
        return "" if lo is None or lo > 0 else "measured"
    return "" if lo == _finite(other.lo) else "measured"


def _finite(value: float | None) -> int | None:
    return None if value is None or abs(value) == float("inf") else round(value)


def told(events: Sequence[Event]) -> str:
    """A trace as text, for a message."""
    return "\n".join(
        f"{e.id} {e.topic} evse={e.evse} order={e.stamp.order_ns} [{e.stamp.lo_ns}, {e.stamp.hi_ns}]"
        f" device={e.stamp.device_ns}±{e.stamp.residual_ns} epoch={e.stamp.epoch} {e.data}"
        for e in events
    )
