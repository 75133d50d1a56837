"""The patterns a rule can have: one module each."""

from __future__ import annotations

from ..rule import Absent, Agree, AnyRule, Cadence, Invariant, Order, Respond
from .absent import AbsentMonitor
from .agree import AgreeMonitor
from .base import Context, Monitor
from .cadence import CadenceMonitor
from .invariant import InvariantMonitor
from .order import OrderMonitor
from .respond import RespondMonitor

__all__ = ["Context", "Monitor", "monitor_for"]

_MONITORS: dict[type[AnyRule], type[Monitor]] = {
    Respond: RespondMonitor,
    Absent: AbsentMonitor,
    Invariant: InvariantMonitor,
    Order: OrderMonitor,
    Cadence: CadenceMonitor,
    Agree: AgreeMonitor,
}


def monitor_for(context: Context) -> Monitor:
    """The monitor that watches a rule."""
    return _MONITORS[type(context.named.rule)](context)
