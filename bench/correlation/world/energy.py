"""What the bench's energy meter says of an instant: bounds, from samples that were taken around it.

The register never decreases, so its value at an instant lies between the last sample taken before and the
first taken after. While the outlet is dead it does not move, so that one sample holds for all of that time.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from ...timeline import Event, Interval
from .world import World

__all__ = ["dead_between", "energy_at", "energy_over", "fell_between", "meter_step_wh", "went_dead_ns"]


def meter_step_wh(world: World, evse: int) -> float:
    """The last digit of the bench meter's register: as its driver reports it, else as the bench file says."""
    told = world.energy[evse][-1].data.get("energy_step_wh") if world.energy[evse] else None
    return world.facts.meter_resolution_wh if told is None else float(told)


def dead_between(world: World, evse: int, from_ns: float, to_ns: float) -> bool:
    """True when the outlet certainly was dead all the time between two instants of the bench clock."""
    changes = world.track("output", evse).changes
    for change in reversed(changes):
        stamp = change.mark.stamp
        if stamp.lo_ns > to_ns:
            continue
        if change.value is not False:
            return False
        if stamp.hi_ns <= from_ns:
            return True
    return False


def went_dead_ns(world: World, evse: int, at_ns: float) -> float | None:
    """When the outlet last went dead before `at_ns` (it may have come on again since); None if that was not seen."""
    for change in reversed(world.track("output", evse).changes):
        if change.value is False and change.mark.stamp.hi_ns <= at_ns:
            return change.mark.stamp.hi_ns
    return None


def energy_at(world: World, evse: int, at_ns: float) -> Interval | None:
    """Bounds of the bench meter's register (Wh, as displayed) at an instant; None before there is a later sample."""
    before: Event | None = None
    after: Event | None = None
    for event in reversed(world.energy[evse]):
        if event.stamp.lo_ns >= at_ns:
            after = event
        elif event.stamp.hi_ns <= at_ns:
            before = event
            break
    if after is None:
        return None
    hi = _wh(after)
    if before is None:
        lo = hi if dead_between(world, evse, at_ns, after.stamp.hi_ns) else None
        return None if lo is None else Interval(lo, hi)
    lo = _wh(before)
    if dead_between(world, evse, at_ns, after.stamp.hi_ns):
        lo = hi
    elif dead_between(world, evse, before.stamp.lo_ns, at_ns):
        hi = lo
    return Interval(lo, hi) if lo <= hi else None


def energy_over(world: World, evse: int, when: Interval) -> Interval | None:
    """Bounds of the register at an instant that lies somewhere in `when`."""
    first, last = energy_at(world, evse, when.lo), energy_at(world, evse, when.hi)
    if first is None or last is None or first.lo > last.hi:
        return None
    return Interval(first.lo, last.hi)


def fell_between(world: World, evse: int, first: Interval, last: Interval) -> Event | None:
    """The first reading of the bench meter between two instants that is lower than the one before by over a digit.

    A register that fell and went on shows less than what flowed, whatever its ends say.
    """
    readings = world.energy[evse]
    begin = max(0, bisect_left(readings, first.lo, key=lambda event: event.stamp.order_ns) - 1)
    step_wh = meter_step_wh(world, evse)
    for before, event in pairwise(readings[index] for index in range(begin, len(readings))):
        if before.stamp.lo_ns > last.hi:
            return None
        if event.source == before.source and _wh(event) < _wh(before) - step_wh:
            return event
    return None


def _wh(event: Event) -> float:
    return float(event.data["energy_wh"])
