"""A second evaluator, written from `docs/rules.md` alone: every trigger looks at every event. O(N·M), slow, plain.

It shares no code with the engine but the structure of a rule, its outcomes, and the parser of a quantity. It knows
the signals of `naive_signals.READ` and the current of the meter, written times, and no `arm`, `claim`, `extend`.
"""

from __future__ import annotations

from collections.abc import Iterable

from pilotbench.bench.correlation import Facts
from pilotbench.bench.correlation.language.rule import Absent, AnyRule, Cadence, Count, Invariant, Order, Respond
from pilotbench.bench.timeline import Event

from naive_absent import judge_absent, judge_invariant
from naive_order import judge_cadence, judge_count, judge_order
from naive_record import Judged, Record
from naive_respond import judge_respond


def judge(
    rule: AnyRule,
    events: Iterable[Event],
    facts: Facts,
    *,
    end_ns: int,
    truncated: bool = False,
) -> list[Judged]:
    """Every instance of a rule in a run that ended at `end_ns`."""
    record = Record(events, facts, end_ns, truncated)
    match rule:
        case Respond():
            found = judge_respond(record, rule)
        case Absent():
            found = judge_absent(record, rule)
        case Invariant():
            found = judge_invariant(record, rule)
        case Order():
            found = judge_order(record, rule)
        case Cadence():
            found = judge_cadence(record, rule)
        case Count():
            found = judge_count(record, rule)
        case _:
            raise NotImplementedError(f"{type(rule).__name__} has an evaluator of its own")
    return sorted(found, key=lambda one: (one.opened_ns, one.evse or 0))
