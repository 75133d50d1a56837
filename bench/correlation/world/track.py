"""Signals as the engine sees them: step tracks whose edges have width, and samples.

A step track holds a value from one change to the next; None is "not known". A gap of a source that
feeds the track makes it unknown until that source speaks of it again. Samples are true at one instant
of their interval each; what lies between two of them is not known better than "the edge was somewhere
in between".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...timeline import Event, Interval, Stamp
from .mark import NEVER, Mark, between
from .tri import Tri

__all__ = ["Change", "Sample", "Step", "Track", "first_true", "possible_values"]

KEEP = 20_000
"""Changes of a signal that are kept; what it was before is not known any more, for a rule that still asks."""
FORGOTTEN = "what it was so long ago is not kept"
_NOT_ENDED = Interval(NEVER, NEVER)


class Change(msgspec.Struct, frozen=True, gc=False):
    """From `mark` on the value is `value` (None: not known, because of `why`)."""

    mark: Mark
    value: object
    event: Event | None = None
    why: str = ""


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One reading: the value at some instant of the event's stamp."""

    event: Event
    value: float


class Step(msgspec.Struct, frozen=True, gc=False):
    """From `mark` on a condition is `tri`."""

    mark: Mark
    tri: Tri
    event: Event | None = None
    why: str = ""


class Track:
    """A step signal. Changes are appended in canonical order of the events that caused them."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.sources: set[str] = set()
        self.dropped = 0

    @property
    def value(self) -> object:
        """The newest value; None when it is not known."""
        return self.changes[-1].value if self.changes else None

    @property
    def known(self) -> object:
        """The newest value that was known, also from before a gap; None when there never was one."""
        return next((change.value for change in reversed(self.changes) if change.value is not None), None)

    @property
    def last(self) -> Change | None:
        return self.changes[-1] if self.changes else None

    def push(self, change: Change) -> bool:
        """Append a change; False when the value is the same as before."""
        if change.event is not None:
            self.sources.add(change.event.source)
        if self.changes and change.value is not None and self.changes[-1].value == change.value:
            return False
        self.changes.append(change)
        if len(self.changes) > KEEP:
            newest = self.changes[KEEP // 10]
            self.dropped += KEEP // 10
            self.changes[: KEEP // 10 + 1] = [Change(newest.mark, None, None, FORGOTTEN)]
        return True

    def forget(self, from_ns: int, to_ns: int, why: str) -> None:
        """Make the value unknown from `from_ns` on: something may have been missed until `to_ns`."""
        if not self.changes:
            return
        # a change whose stamp reaches into the gap may as well have happened before it
        kept = [change for change in self.changes if change.mark.stamp.lo_ns < from_ns]
        self.changes = [*kept, Change(Mark(Stamp(to_ns, from_ns, from_ns)), None, None, why)]

    def since(self, mark: Mark, before_ns: int = 0) -> Sequence[Change]:
        """The changes from the one on that was in force `before_ns` before an instant, certainly: all that may matter.

        An earlier one was over by then.
        """
        changes = self.changes
        for i in range(len(changes) - 1, 0, -1):
            if between(changes[i].mark, mark).lo > before_ns:
                return changes[i:]
        return changes


def possible_values(changes: Sequence[Change], at: Mark) -> list[Change | None]:
    """The changes that may have been the latest one at `at`; None for "before the first"."""
    found: list[Change | None] = []
    for change in reversed(changes):
        same = change.event is not None and change.mark == at
        span = Interval(0, 0) if same else between(change.mark, at)
        if span.hi < 0:
            continue
        found.append(change)
        if span.lo >= 0:
            return found
    found.append(None)
    return found


def first_true(
    steps: Sequence[Step],
    trigger: Mark,
    *,
    hold_ns: int = 0,
    now_ns: int = 0,
    ended: Interval = _NOT_ENDED,
    new: bool = False,
) -> tuple[Interval, Step | None, Step | None]:
    """When, after `trigger`, a condition first becomes true and stays so for `hold_ns` (or until it `ended`).

    `ended`: when, after the trigger, nothing was asked any more. `new`: one that was true already does not count.
    Returns the interval of nanoseconds after the trigger (its `hi` is NEVER when it is not certain to have happened,
    its `lo` is NEVER when it certainly did not), the step that made it certain, and the one that made it possible
    (None for what was before the first).
    """
    steps = _runs(steps)
    spans = _spans(steps, trigger)
    lo, hi = NEVER, NEVER
    possible: Step | None = None
    certain: Step | None = None
    first_false = _next(steps, -1, (Tri.FALSE,))
    if not steps or (spans[0].hi > 0 and (first_false is None or spans[first_false].hi >= hold_ns)):
        lo = 0.0  # nothing is known from before the first change
    for i, step in enumerate(steps):
        if step.tri is Tri.FALSE:
            continue
        if i + 1 < len(steps) and spans[i + 1].hi <= 0:
            continue  # over when the trigger came
        if new and step.tri is Tri.TRUE and spans[i].hi < 0:
            continue  # it was true before
        over = _next(steps, i, (Tri.FALSE, Tri.UNKNOWN))
        untrue = _next(steps, i, (Tri.FALSE,))
        start = spans[i].clipped(0)
        over_by = NEVER if untrue is None else spans[untrue].hi
        if over_by < ended.lo and _length(steps, spans, i, untrue, trigger, now_ns).hi < hold_ns:
            continue
        held = over is not None and spans[over].lo >= ended.hi
        held = held or _length(steps, spans, i, over, trigger, now_ns).lo >= hold_ns
        if start.lo < lo:
            lo = start.lo
            possible = step
        after = spans[i].lo >= 0
        if new and (i == 0 or steps[i - 1].tri is not Tri.FALSE):
            continue  # perhaps it was true before
        lasted = after or (not new and (over is None or spans[over].lo > 0))
        if step.tri is Tri.TRUE and lasted and held and start.hi < hi:
            hi, certain = start.hi, step
    return Interval(min(lo, hi), hi), certain, possible


def _spans(steps: Sequence[Step], trigger: Mark) -> list[Interval]:
    """How much later than the trigger each step is; of a source that reports in order, none before the last one."""
    spans = [between(trigger, step.mark) for step in steps]
    for i in range(1, len(steps)):
        before, mark = steps[i - 1].mark, steps[i].mark
        if before.fifo and mark.fifo and before.source == mark.source:
            spans[i] = spans[i].clipped(spans[i - 1].lo)
    return spans


def _runs(steps: Sequence[Step]) -> list[Step]:
    """The steps at which the condition changes: from one value that satisfies it to another nothing does."""
    kept: list[Step] = []
    for step in steps:
        if not kept or step.tri is Tri.UNKNOWN or kept[-1].tri is not step.tri:
            kept.append(step)
    return kept


def _next(steps: Sequence[Step], i: int, wanted: tuple[Tri, ...]) -> int | None:
    return next((j for j in range(i + 1, len(steps)) if steps[j].tri in wanted), None)


def _length(
    steps: Sequence[Step], spans: Sequence[Interval], i: int, end: int | None, trigger: Mark, now_ns: int
) -> Interval:
    """How long it lasts from the trigger, or from the begin of step `i` if that is later, up to step `end`."""
    if end is None:
        begin_hi = max(trigger.stamp.hi_ns, steps[i].mark.stamp.hi_ns) if spans[i].hi > 0 else trigger.stamp.hi_ns
        return Interval(max(0, now_ns - begin_hi), NEVER)
    own = between(steps[i].mark, steps[end].mark)
    if spans[i].lo > 0:
        return own.clipped(0)
    least = spans[end].lo if spans[i].hi <= 0 else min(spans[end].lo, own.lo)
    return Interval(max(0, least), max(0, spans[end].hi))
