"""What is known of disturbances may take a verdict back to INCONCLUSIVE, never the other way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from ..timeline import Event
from .facts import Facts
from .verdict import Instance, Outcome, Reason

__all__ = ["STALL_FACTOR", "Disturbed", "doubt", "qualify"]

STALL_FACTOR = 5
_TIME_NS = {"ms": 1e6, "s": 1e9}


class Disturbed(Protocol):
    """What is known of disturbances so far."""

    facts: Facts

    @property
    def gaps(self) -> Iterable[Event]: ...
    @property
    def overruns(self) -> Iterable[Event]: ...
    @property
    def late_of(self) -> Mapping[str, deque[Event]]: ...


def qualify(instance: Instance, known: Disturbed) -> Instance:
    """The instance as it stands with what is known of standstills, gaps and late events."""
    if instance.lengthened and instance.outcome in (Outcome.FAIL, Outcome.ERROR):
        spans = [_span(event) for event in known.overruns]
        touched = bool(instance.windows) and all(_touches(window, spans) for window in instance.windows)
        if touched and not _beyond_stalls(instance, spans):
            return doubt(instance, Reason.PRECONDITION, "the twin stood still meanwhile (twin.overrun)")
    if instance.watched:
        sources = (*instance.watched, "recorder")
        spans = [_span(event) for event in known.gaps if event.source in sources]
        if spans and any(_touches(window, spans) for window in instance.windows):
            return doubt(instance, Reason.GAP, "a source that it rests on has a gap meanwhile")
    if instance.topics:
        spans = list(_late_since(instance, known))
        if spans and any(_touches(window, spans) for window in instance.windows):
            return doubt(instance, Reason.LATE, "an event that may change it came after its source had promised none")
    return instance


def _late_since(instance: Instance, known: Disturbed) -> Iterator[tuple[int, int]]:
    """The late events that may change an instance: those received after it was decided."""
    for topic in instance.topics:
        for event in reversed(known.late_of.get(topic, ())):
            if event.stamp.order_ns < instance.decided_ns:
                break
            yield event.stamp.lo_ns, event.stamp.hi_ns


def doubt(instance: Instance, reason: Reason, why: str) -> Instance:
    """The instance, undecided for this reason."""
    return msgspec.structs.replace(
        instance,
        outcome=Outcome.INCONCLUSIVE,
        reason=reason,
        lean=instance.outcome if instance.outcome is not Outcome.ERROR else None,
        because=f"{instance.because}; but {why}",
    )


def _span(event: Event) -> tuple[int, int]:
    return int(event.data["from_ns"]), int(event.data["to_ns"])


def _touches(window: tuple[int, int], spans: Iterable[tuple[int, int]]) -> bool:
    return any(lo <= window[1] and window[0] <= hi for lo, hi in spans)


def _beyond_stalls(instance: Instance, spans: Sequence[tuple[float, float]]) -> bool:
    """True when a measured time is over its limit by far more than the twin's stalls could have added.

    A stall lengthens what the station did by its own length; five times that is taken, for what follows from it. Stalls
    after the limit count, too, until what was measured had come or was waited for no longer.
    """
    measured, limit = instance.measured, instance.limit
    unit_ns = _TIME_NS.get(measured.unit) if measured is not None else None
    if measured is None or measured.lo is None or limit is None or unit_ns is None:
        return False
    measured_ns = measured.lo * unit_ns
    windows = [(first, max(last, first + measured_ns)) for first, last in instance.windows]
    stalled_ns = sum(hi - lo for lo, hi in spans if any(lo <= last and first <= hi for first, last in windows))
    return (measured.lo - limit) * unit_ns > STALL_FACTOR * stalled_ns
