"""A place in time that can be compared with another: a stamp with its source and sequence."""

from __future__ import annotations

import msgspec

from ...timeline import Event, Interval, Stamp, difference
from .edge_width import TURNED

__all__ = ["NEVER", "Mark", "between", "possible_order", "shifted", "surely_before"]

NEVER = float("inf")
"""Nanoseconds until something that did not happen."""


class Mark(msgspec.Struct, frozen=True, gc=False):
    """When something happened, and who said so.

    `fifo`: the source reports in the order in which the facts happened, so that of two such marks of one
    source the sequence decides exactly. It is False for sensed facts (their delay differs, or is another one than that
    of the source's other facts), for samples of a free-running meter, and for what the bench did itself.
    """

    stamp: Stamp
    source: str = ""
    seq: int = 0
    fifo: bool = False

    @classmethod
    def of(cls, event: Event) -> Mark:
        """The mark of an event; an edge between two readings has none of its source's order."""
        stamp = event.stamp
        if event.topic == TURNED:
            return cls(stamp)
        exact = stamp.delay_hi_ns == 0 and event.topic not in ("stimulus", "meter.sample", "gap")
        return cls(stamp, event.source, event.seq, exact)


def between(first: Mark, second: Mark) -> Interval:
    """How much later `second` is than `first` in nanoseconds.

    Within one first-in-first-out source the sign is known exactly, whatever the stamps' widths.
    """
    if first.seq == second.seq and first.source == second.source and first.seq:
        return Interval(0, 0)
    span = difference(first.stamp, second.stamp)
    if first.fifo and second.fifo and first.source == second.source:
        if first.seq <= second.seq:
            return span.clipped(0)
        return Interval(min(span.lo, 0), min(span.hi, 0))
    return span


def surely_before(first: Mark, second: Mark) -> bool:
    """True when `first` certainly happened before `second`."""
    if first.fifo and second.fifo and first.source == second.source:
        return first.seq < second.seq
    return difference(first.stamp, second.stamp).lo > 0


def shifted(mark: Mark, by_ns: int) -> Mark:
    """A mark exactly `by_ns` later, for what follows from a fact by a fixed time."""
    s = mark.stamp
    device_ns = None if s.device_ns is None else s.device_ns + by_ns
    stamp = msgspec.structs.replace(
        s, order_ns=s.order_ns + by_ns, lo_ns=s.lo_ns + by_ns, hi_ns=s.hi_ns + by_ns, device_ns=device_ns
    )
    return Mark(stamp)


def possible_order(first: Mark, second: Mark) -> bool:
    """True when `first` may have happened before (or at) `second`."""
    return between(first, second).hi >= 0
