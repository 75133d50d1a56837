"""Standstills of the twin are waited out before silence is blamed: what they held up may still come."""

from __future__ import annotations

from ..qualify import STALL_FACTOR
from ..world.mark import NEVER
from ..world.world import World

__all__ = ["heard_until"]

PATIENCE_NS = 10_000_000_000
"""More than the window's length is waited for up to this long."""


def heard_until(world: World, first_ns: float, last_ns: float, limit_ns: float) -> float:
    """Until when (bench clock, ns) nothing must have come for a silence that no standstill explains (`qualify`).

    The window begins in [`first_ns`, `last_ns`] and is `limit_ns` long. A standstill while something is waited for is
    waited out, too. Where the twin stood still for too long, nothing is waited for: it stays undecided.
    """
    end_ns = last_ns + limit_ns
    if limit_ns == NEVER:
        return end_ns
    spans = [(int(event.data["from_ns"]), int(event.data["to_ns"])) for event in world.overruns]
    until_ns = end_ns
    while until_ns - end_ns <= max(limit_ns, PATIENCE_NS) + 1:
        more_ns = STALL_FACTOR * sum(hi - lo for lo, hi in spans if lo <= until_ns and first_ns <= hi)
        if end_ns + more_ns < until_ns or not more_ns:
            return until_ns
        until_ns = end_ns + more_ns + 1
    return end_ns
