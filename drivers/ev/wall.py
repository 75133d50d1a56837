"""Stamps of the host's wall clock, such as the kernel's for SocketCAN frames, on the bench clock."""

from __future__ import annotations

import time
from typing import NamedTuple

__all__ = ["Reading", "on_bench_clock", "read_clocks"]

STEP_NS = 50_000
"""The clocks may have moved apart by so much between two readings, by slewing and by the reading's own error."""


class Reading(NamedTuple):
    """Both clocks of the host: the wall clock was read at some instant in `[lo_ns, hi_ns]` of the bench clock."""

    lo_ns: int
    wall_ns: int
    hi_ns: int


def read_clocks() -> Reading:
    lo_ns = time.monotonic_ns()
    wall_ns = time.time_ns()
    return Reading(lo_ns, wall_ns, time.monotonic_ns())


def on_bench_clock(wall_ns: int, before: Reading, after: Reading) -> tuple[int, int]:
    """When, on the bench clock, the wall clock showed `wall_ns`: an interval within `[before.lo_ns, after.hi_ns]`.

    The fact lies between the two readings. If the wall clock was set in between, or if it is inconsistent with that,
    nothing but that is known.
    """
    whole = (before.lo_ns, after.hi_ns)
    offsets = [r.lo_ns - r.wall_ns for r in (before, after)] + [r.hi_ns - r.wall_ns for r in (before, after)]
    least, most = min(offsets), max(offsets)
    if most - least > STEP_NS:
        return whole
    lo_ns, hi_ns = max(wall_ns + least, whole[0]), min(wall_ns + most, whole[1])
    return (lo_ns, hi_ns) if lo_ns <= hi_ns else whole
