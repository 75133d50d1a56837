"""The standing check of the bench's own bounds: a fact that two sources saw must have been at one time for both.

A verdict is as good as the bounds that the instruments declare. When two of them tell of one fact and their intervals
do not overlap, a bound is wrong, and whatever rests on it would be certain and false. Compared are

- the acknowledgement of a resistor, and the level that follows on the pilot;
- the voltage sensed at the outlet, and the current that the meter reads;
- a stimulus, and the time that the station claims for what it caused (source `claim`);
- a reading of an instrument, and its own receipt (`clock.conflict`, found by its driver).

What a station does wrong never is a contradiction here: a contactor that opens late is sensed as live until it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import msgspec

from ..timeline import ClockStep, Event
from .facts import Facts
from .world.claims import ClaimClock

__all__ = ["CLAIM", "StandingCheck", "Violation"]

CLAIM = "claim"
"""Source name under which the station's own clock is accused; no event bears it."""
FLOWS_A = 0.5
"""A current above this, beyond its own accuracy, does not leak: it flows through a closed contactor."""
PATIENCE_NS = 2 * 10**9
"""How long after a sample an edge of the outlet is waited for that would explain it."""
SYNC_NS = 2 * 10**9
"""A station's clock that is set this near to the bench's wall clock followed it."""
KEEP = 1000
_VEHICLE = ("A", "B", "C", "D")


class Violation(msgspec.Struct, frozen=True):
    """Two intervals of one fact that do not overlap.

    - `sources`: whose bound may be wrong. `events`: what contradicts each other.
    - `missing_ns`: by how much a bound would have to be wider for the two to agree.
    - `from_ns`, `to_ns`: the contradiction on the bench clock.
    - `text`: all that in words.
    """

    sources: tuple[str, ...]
    events: tuple[str, ...]
    missing_ns: int
    from_ns: int
    to_ns: int
    text: str

    def concerns(self, sources: Iterable[str], windows: Sequence[tuple[float, float]]) -> bool:
        """True when something that rests on `sources` within `windows` cannot be trusted."""
        touched = any(lo <= self.to_ns and self.from_ns <= hi for lo, hi in windows)
        return touched and not set(self.sources).isdisjoint(sources)


class StandingCheck:
    """Compares as events come in. `take` wants them in canonical order, after `claims` (the world's) took them."""

    def __init__(self, facts: Facts, claims: ClaimClock | None = None) -> None:
        self.violations: list[Violation] = []
        self._facts = facts
        self._claims = claims
        self._steps = 0
        self._wall_ns: int | None = None
        self._letter: dict[int, str | None] = {}
        self._faulty: set[int] = set()
        self._asked: dict[int, Event] = {}
        self._output: dict[int, Event | None] = {}
        self._odd: dict[int, list[tuple[Event, Event]]] = {}

    def take(self, event: Event) -> None:
        """Take one event; what it shows to be wrong is appended to `violations`."""
        if not event.late and event.evse is not None:
            self._physical(event, event.evse)
        if event.topic == "clock.anchor":
            self._wall_ns = int(event.data["wall_ns"]) - int(event.data["mono_ns"])
        elif event.topic == "clock.conflict":
            self._conflict(event)
        elif event.topic == "gap":
            self._forget(event)
        self._settle(event)
        self._stepped(event)

    def _physical(self, event: Event, evse: int) -> None:
        if event.topic == "stimulus":
            self._stimulus(event, evse)
        elif event.topic == "cp.state":
            self._level(event, evse)
        elif event.topic == "output":
            self._sensed(event, evse)
        elif event.topic == "meter.sample":
            self._sampled(event, evse)
        elif event.topic == "pilot.reset":
            self._letter[evse] = self._output[evse] = None
            self._asked.pop(evse, None)
            self._odd.pop(evse, None)
            self._faulty.discard(evse)

    # ---- a command and the level that follows

    def _stimulus(self, event: Event, evse: int) -> None:
        args = cast("dict[str, Any]", event.data.get("args") or {})
        if event.data.get("verb") == "faults":
            self._asked.pop(evse, None)
            (self._faulty.add if args.get("flags") else self._faulty.discard)(evse)
        elif event.data.get("verb") == "resistor":
            self._asked.pop(evse, None)
            letter = self._letter.get(evse)
            if letter in _VEHICLE and letter != args.get("state") and evse not in self._faulty:
                self._asked[evse] = event

    def _level(self, event: Event, evse: int) -> None:
        before, letter = self._letter.get(evse), str(event.data["state"])
        self._letter[evse] = letter
        asked = self._asked.get(evse)
        if asked is None or letter == before:
            return
        del self._asked[evse]
        if letter != asked.data["args"]["state"]:
            return  # the station, or something on the cable, changed the level too
        missing = max(event.stamp.lo_ns - asked.stamp.hi_ns, asked.stamp.lo_ns - event.stamp.hi_ns)
        if missing > 0:
            side = "after it was acknowledged" if event.stamp.lo_ns > asked.stamp.hi_ns else "before it was asked for"
            self._add(
                (asked, event),
                missing,
                f"{event.source} measured state {letter} at the earliest {_ms(missing)} {side}: the error of its level "
                f"events (cp_res_us), or of its clock, is at least {_ms(missing)} greater than declared",
            )

    # ---- voltage and current

    def _sensed(self, event: Event, evse: int) -> None:
        if event.data.get("live"):
            for sample, dead in self._odd.pop(evse, []):
                missing = min(sample.stamp.lo_ns - dead.stamp.hi_ns, event.stamp.lo_ns - sample.stamp.hi_ns)
                if missing > 0:
                    self._contradict(sample, dead, missing)
        before = self._output.get(evse)
        if before is None or before.data.get("live") != event.data.get("live"):
            self._output[evse] = event

    def _sampled(self, event: Event, evse: int) -> None:
        dead = self._output.get(evse)
        if dead is None or dead.data.get("live") or event.stamp.lo_ns <= dead.stamp.hi_ns:
            return
        sensed = len(cast("list[bool]", dead.data.get("phases") or []))
        amps = [abs(float(value)) for value in cast("list[float]", event.data.get("current_a") or [])][:sensed]
        facts = self._facts
        u = facts.current_accuracy_a + facts.current_accuracy_pct / 100 * max(amps, default=0.0)
        if max(amps, default=0.0) - u > FLOWS_A:
            self._odd.setdefault(evse, []).append((event, dead))

    def _settle(self, event: Event) -> None:
        """No edge explains a sample when the pilot, or its tick, is well past it."""
        for evse, waiting in list(self._odd.items()):
            for sample, dead in list(waiting):
                if event.source == dead.source and event.stamp.order_ns > sample.stamp.hi_ns + PATIENCE_NS:
                    waiting.remove((sample, dead))
                    self._contradict(sample, dead, sample.stamp.lo_ns - dead.stamp.hi_ns)
            if not waiting:
                del self._odd[evse]

    def _contradict(self, sample: Event, dead: Event, missing: int) -> None:
        amps = max(abs(float(value)) for value in sample.data["current_a"])
        self._add(
            (dead, sample),
            missing,
            f"{sample.source} read {amps:.1f} A while {dead.source} certainly sensed no voltage: the age of the "
            f"meter's readings (refresh) or the delay of the output sense is at least {_ms(missing)} greater than "
            "declared, or the two do not look at one outlet",
        )

    # ---- clocks

    def _conflict(self, event: Event) -> None:
        missing = int(event.data["missing_ns"])
        self._add((event,), missing, f"{event.source}: {event.data['why']}")

    def _stepped(self, event: Event) -> None:
        steps = self._claims.steps if self._claims is not None else ()
        for step in steps[self._steps :]:
            if step.caused and not self._followed(step):
                self._accuse(event, step)
        self._steps = len(steps)

    def _followed(self, step: ClockStep) -> bool:
        """A station sets its clock by the back end's (1.6 section 4.2): then it comes near to the bench's."""
        if self._wall_ns is None:
            return True  # nothing to say it by
        off = self._wall_ns
        return step.after.lo - SYNC_NS <= off <= step.after.hi + SYNC_NS

    def _accuse(self, event: Event, step: ClockStep) -> None:
        missing = int(max(step.after.lo - step.before.hi, step.before.lo - step.after.hi, 0))
        from_ns = event.stamp.lo_ns if step.from_ns == -float("inf") else int(step.from_ns)
        text = (
            f"the station claims in {event.id} what, by its clock so far, lies {_ms(missing)} before its cause: its "
            "clock was set meanwhile, and not to the bench's time, or the claim is wrong"
        )
        self._put(Violation((CLAIM,), (event.id,), missing, min(from_ns, step.to_ns), step.to_ns, text))

    # ----

    def _forget(self, gap: Event) -> None:
        for evse in (*self._letter, *self._output):
            asked, output = self._asked.get(evse), self._output.get(evse)
            if gap.source == "recorder" or (asked is not None and asked.source == gap.source):
                self._asked.pop(evse, None)
            if gap.source == "recorder" or (output is not None and output.source == gap.source):
                self._output[evse] = None
                self._odd.pop(evse, None)

    def _add(self, events: tuple[Event, ...], missing: int, text: str) -> None:
        sources = tuple(dict.fromkeys(event.source for event in events))
        from_ns = min(event.stamp.lo_ns for event in events)
        to_ns = max(event.stamp.hi_ns for event in events)
        self._put(Violation(sources, tuple(event.id for event in events), missing, from_ns, to_ns, text))

    def _put(self, violation: Violation) -> None:
        if len(self.violations) < KEEP:
            self.violations.append(violation)


def _ms(ns: int) -> str:
    return f"{ns / 1e6:.3f} ms"
