"""How wide an edge is that was seen between two readings, and what a bound of the slew makes of it."""

from __future__ import annotations

from math import floor

import msgspec

from ...timeline import Stamp

__all__ = ["TURNED", "known_from", "lead_ns", "measured_over", "narrowed", "spanning"]

TURNED = "signal"
"""Topic of the edges that followers tell the monitors: no event of the timeline, but one with a stamp of its own."""

_LEAST = 0.9999
"""What a clock that is off by 100 ppm counts of a second at least."""


def known_from(stamp: Stamp, order_ns: int, lo_ns: int, hi_ns: int) -> Stamp:
    """Somewhere in an interval of the bench clock."""
    return Stamp(max(stamp.order_ns, order_ns), min(lo_ns, hi_ns), hi_ns)


def spanning(first: Stamp, second: Stamp) -> Stamp:
    """A fact that lies in (first, second], between two readings: on the clock of their instrument where both are."""
    lo_ns = min(first.lo_ns, second.hi_ns)
    wide = Stamp(second.order_ns, lo_ns, second.hi_ns)
    if (
        first.device_ns is None
        or second.device_ns is None
        or (first.domain, first.epoch) != (second.domain, second.epoch)
        or second.device_ns < first.device_ns
    ):
        return wide
    return msgspec.structs.replace(
        second,
        lo_ns=lo_ns,
        residual_ns=max(first.residual_ns, second.residual_ns),
        delay_hi_ns=max(second.device_ns - first.device_ns + first.delay_hi_ns, second.delay_hi_ns),
        drift_ppm=max(first.drift_ppm, second.drift_ppm),
    )


def narrowed(stamp: Stamp, from_start_ns: int, from_end_ns: int) -> Stamp:
    """Without so much at the begin and at the end. What is left of nothing is not narrowed: a bound was wrong."""
    lo_ns, hi_ns = stamp.lo_ns + from_start_ns, stamp.hi_ns - from_end_ns
    delay_lo, delay_hi = stamp.delay_lo_ns + from_end_ns, stamp.delay_hi_ns - from_start_ns
    if lo_ns > hi_ns or (stamp.device_ns is not None and delay_lo > delay_hi):
        return stamp
    if stamp.device_ns is None:
        return msgspec.structs.replace(stamp, lo_ns=lo_ns, hi_ns=hi_ns)
    return msgspec.structs.replace(stamp, lo_ns=lo_ns, hi_ns=hi_ns, delay_lo_ns=delay_lo, delay_hi_ns=delay_hi)


def lead_ns(value: float, threshold: float, accuracy: float, slew_per_s: float) -> int:
    """So long at least a number needs from `value` to a threshold, or has needed from it; 0 where no slew bounds it."""
    if slew_per_s <= 0:
        return 0
    return max(0, floor((abs(threshold - value) - accuracy) / slew_per_s * _LEAST * 1e9))


def measured_over(stamp: Stamp, window_ns: int) -> Stamp:
    """A reading that tells of all of so long a time before it: what it shows may have begun that much earlier."""
    return msgspec.structs.replace(stamp, lo_ns=stamp.lo_ns - window_ns, delay_hi_ns=stamp.delay_hi_ns + window_ns)
