"""The patterns a rule can have: one module each, or one for each of the shapes that it has."""

from __future__ import annotations

from ..language.aggregates import CLOCKS
from ..language.rule import Absent, Agree, AnyRule, Cadence, Count, Invariant, Order, Respond
from .absent import AbsentMonitor
from .absent_after import AbsentAfterMonitor
from .agree import AgreeMonitor
from .agree_clock import AgreeClockMonitor
from .agree_ends import AgreeEndsMonitor
from .base import Context, Monitor
from .cadence import CadenceMonitor
from .cadence_apart import ApartMonitor
from .count import CountMonitor
from .count_stays import CountStaysMonitor
from .count_window import CountWindowMonitor
from .invariant import InvariantMonitor
from .invariant_steps import InvariantStepsMonitor
from .order import OrderMonitor
from .order_events import OrderEventsMonitor
from .order_law import OrderLawMonitor
from .respond import RespondMonitor
from .respond_events import RespondEventsMonitor

__all__ = ["Context", "Monitor", "monitor_for"]


def monitor_for(context: Context) -> Monitor:
    """The monitor that watches a rule."""
    return _kind(context.named.rule, context)(context)


def _kind(rule: AnyRule, context: Context) -> type[Monitor]:
    match rule:
        case Invariant():
            sampled = context.reader.signal(rule.holds.signal).sampled
            return InvariantMonitor if sampled else InvariantStepsMonitor
        case Count():
            return CountStaysMonitor if rule.scope is not None else CountWindowMonitor if rule.within else CountMonitor
        case Respond():
            return RespondEventsMonitor if rule.answers else RespondMonitor
        case Absent():
            return AbsentMonitor if rule.scope is not None else AbsentAfterMonitor
        case Order() if rule.sequence is not None:
            return OrderLawMonitor
        case Order():
            return OrderMonitor if rule.anchor is not None else OrderEventsMonitor
        case Cadence():
            return CadenceMonitor if rule.every else ApartMonitor
        case Agree() if rule.left in CLOCKS:
            return AgreeClockMonitor
        case Agree():
            return AgreeMonitor if "e_bench" in (rule.left, rule.right) else AgreeEndsMonitor
