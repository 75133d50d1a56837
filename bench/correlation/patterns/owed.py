"""What a trigger left open, and how the events that may answer or withdraw it are weighed.

Of every candidate the difference Δ from the trigger is known as an interval. The response came within [lo, hi]: `lo` is
the least begin of them, `hi` the least end of those that certainly are not too early.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...timeline import Event, Interval
from ..language.rule import Condition, RuleHead
from ..world.edge_width import TURNED
from ..world.mark import NEVER, Mark, between
from ..world.world import World
from .keys import Key
from .placing import placed

__all__ = ["UNORDERED", "Owed", "later", "offer", "remember", "weigh_claims", "withdraw"]

UNORDERED = frozenset({"stimulus", "meter.sample", "gap", TURNED})
"""Topics of which the sequence within a source says nothing of the order of the facts (see `Mark`)."""


class Owed(msgspec.Struct, gc=False):
    """One trigger that waits for its answer. Times in nanoseconds.

    - `where`: the outlet whose signals are asked; `due_ns`: where in the canonical sequence the window is over.
    - `after`, `limit_lo`, `limit_hi`: the window [a, b]; b as an interval where it is not known.
    - `first_ns`, `last_ns`, `device`, `fifo`: the trigger's stamp, and its source if that reports in order.
    - `lo`, `hi`: when it was answered, with the events; `end_lo`, `end_hi`: when it was withdrawn.
    - `candidates`, `ends`: answers and ends to be placed when it is decided (`at = "claim"`).
    """

    n: int
    event: Event
    key: Key
    evse: int | None
    where: int | None
    due_ns: float
    after: float
    limit_lo: float
    limit_hi: float
    first_ns: int
    last_ns: int
    device: bool
    fifo: str
    given: tuple[Condition, ...] = ()
    params: Mapping[str, Any] = {}
    mark: Mark | None = None
    unseen: bool = False
    open: bool = True
    limited: bool = False
    lo: float = NEVER
    hi: float = NEVER
    lo_event: Event | None = None
    hi_event: Event | None = None
    end_lo: float = NEVER
    end_hi: float = NEVER
    end_event: Event | None = None
    candidates: list[Event] | None = None
    ends: list[Event] | None = None
    unplaced: Event | None = None

    def place(self) -> Mark:
        """When the trigger was."""
        mark = self.mark
        if mark is None:
            mark = self.mark = Mark.of(self.event)
        return mark


def later(owed: Owed, event: Event, fifo: str, *, after: bool) -> tuple[float, float] | None:
    """How much later than the trigger an event was; None for one that its own source reported before.

    `after`: it comes after the trigger in the canonical sequence. `fifo`: its source if that reports in order.
    """
    same = fifo and fifo == owed.fifo
    if same and not after:
        return None
    stamp = event.stamp
    if owed.device and stamp.device_ns is not None:
        span = between(owed.place(), Mark.of(event))
        return span.lo, span.hi
    lo, hi = stamp.lo_ns - owed.last_ns, stamp.hi_ns - owed.first_ns
    return (max(lo, 0), max(hi, 0)) if same else (lo, hi)


def offer(owed: Owed, lo: float, hi: float, event: Event) -> bool:
    """Weigh a candidate; whether it is one."""
    if hi < owed.after:
        return False
    if lo >= owed.after:
        if hi < owed.hi:
            owed.hi, owed.hi_event = hi, event
    else:
        lo = owed.after
    if lo < owed.lo or (lo == owed.lo and owed.hi_event is event):
        owed.lo, owed.lo_event = lo, event
    return True


def withdraw(owed: Owed, lo: float, hi: float, event: Event) -> None:
    """Weigh an event that withdraws what is owed."""
    if hi < 0:
        return
    if lo >= 0:
        if hi < owed.end_hi:
            owed.end_hi = hi
    else:
        lo = 0.0
    if lo < owed.end_lo:
        owed.end_lo, owed.end_event = lo, event


def weigh_claims(owed: Owed, rule: RuleHead, world: World) -> None:
    """Place the trigger and all candidates by what they claim, with what is known of the station's clock now."""
    owed.mark = placed(rule, world, owed.event)
    owed.unplaced = owed.event if owed.mark is None else None
    owed.lo = owed.hi = owed.end_lo = owed.end_hi = NEVER
    owed.lo_event = owed.hi_event = owed.end_event = None
    if owed.mark is None:
        return
    for event in owed.candidates or ():
        mark = placed(rule, world, event)
        span = Interval(-NEVER, NEVER) if mark is None else between(owed.mark, mark)
        if offer(owed, span.lo, span.hi, event) and mark is None:
            owed.unplaced = event
    for event in owed.ends or ():
        mark = placed(rule, world, event)
        span = Interval(-NEVER, NEVER) if mark is None else between(owed.mark, mark)
        withdraw(owed, span.lo, span.hi, event)


def remember(owed: Owed, kept: list[Event], event: Event, most: int) -> None:
    """Keep an event to be placed later; of more than so many the oldest is given up."""
    kept.append(event)
    if len(kept) > most:
        del kept[0]
        owed.limited = True
