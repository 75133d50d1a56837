"""What the doctor says of a bench, and what it concludes from what the devices told. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Literal, cast

import msgspec

from ..devices import Calibrated, DeviceSection
from ..timeline import Event, Interval

__all__ = ["Finding", "calibration", "clocks", "longest_silence_ms", "stamps", "two_sources", "worst"]

State = Literal["ok", "note", "warn", "bad"]
ORDER: tuple[State, ...] = ("ok", "note", "warn", "bad")
SOON_DAYS = 30
GOOD_CLOCK_MS = 2.0
"""Wider than this, limits of 100 ms get hard to decide."""
NO_FACTS = ("tick", "source", "gap", "stimulus", "phase", "device.", "clock.")
"""Beginnings of topics in which a device says nothing of the world."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at: of which device (or the bench), what, how it is, and what would mend it."""

    subject: str
    what: str
    state: State
    detail: str
    fix: str = ""


def worst(findings: Iterable[Finding]) -> State:
    """The worst state among them; ok when there are none."""
    states: set[State] = {found.state for found in findings}
    for state in reversed(ORDER):
        if state in states:
            return state
    return "ok"


def calibration(name: str, section: DeviceSection, today: date) -> list[Finding]:
    """Is it calibrated, and does that still count?"""
    if not isinstance(section, Calibrated):
        return []
    again = f"pilotbench calibrate {name} --bench FILE --due DATE KEY=VALUE…"
    due = section.calibration_due
    if section.calibrated is None:
        return [Finding(name, "calibration", "note", "none; the bench file's own figures are believed", again)]
    by = f" by {section.operator}" if section.operator else ""
    told = f"{section.calibrated}{by}, due {due}"
    if due is None or (due - today).days > SOON_DAYS:
        return [Finding(name, "calibration", "ok", told)]
    if due >= today:
        return [Finding(name, "calibration", "warn", f"{told}: in {(due - today).days} days", again)]
    state: State = "warn" if section.allow_expired_calibration else "bad"
    return [Finding(name, "calibration", state, f"{told}: expired", again)]


def clocks(name: str, events: Sequence[Event], seen: Sequence[tuple[int, Interval]]) -> list[Finding]:
    """How well a device's own clock is known against the bench's, and how it drifts.

    `seen`: the offset (bench minus device, ns) at some instants of the bench clock, oldest first.
    """
    mine = [event for event in events if event.source == name]
    found = [
        Finding(name, "clock", "bad", f"contradicts itself: {event.data.get('why')}", "look at the wire and its stamps")
        for event in mine
        if event.topic == "clock.conflict"
    ]
    epochs = {(event.data["domain"], event.data["epoch"]) for event in mine if event.topic == "clock.model"}
    if len(epochs) > 1:
        detail = f"began anew {len(epochs) - 1} times"
        found.append(Finding(name, "clock", "warn", detail, "does the device restart? Its supply?"))
    if not seen:
        return found
    (first_ns, first), (last_ns, last) = seen[0], seen[-1]
    half_ms = (last.hi - last.lo) / 2e6
    detail = f"offset known to {half_ms:.2f} ms either way"
    if last_ns > first_ns and len(epochs) <= 1:
        # The device's clock gains where the offset (bench minus device) falls; the bounds of both ends bound it.
        elapsed_ns = last_ns - first_ns
        lo, hi = (first.lo - last.hi) / elapsed_ns * 1e6, (first.hi - last.lo) / elapsed_ns * 1e6
        detail += f", drift between {lo:.0f} and {hi:.0f} ppm ({elapsed_ns / 1e9:.1f} s watched)"
    good = half_ms <= GOOD_CLOCK_MS
    fix = "" if good else "shorten the way: a lower USB latency timer, a faster line, no hub between"
    found.append(Finding(name, "clock", "ok" if good else "warn", detail, fix))
    return found


def stamps(name: str, events: Sequence[Event]) -> list[Finding]:
    """How exactly the instants are known of what a device told, and of what it was made to do.

    The width of a stamp, from the earliest to the latest instant at which it can have been: it is all that a rule
    knows of the time.
    """
    mine = [event for event in events if event.source == name]
    told = [event for event in mine if not event.topic.startswith(NO_FACTS)]
    done = [event for event in mine if event.topic == "stimulus"]
    parts = [
        f"{len(some)} {what} known to {_widths(some)}" for some, what in ((told, "events"), (done, "steps")) if some
    ]
    return [Finding(name, "stamps", "ok", "; ".join(parts))] if parts else []


def _widths(events: Sequence[Event]) -> str:
    widths = [(event.stamp.hi_ns - event.stamp.lo_ns) / 1e6 for event in events]
    return f"{statistics.median(widths):.1f} ms (median), {max(widths):.1f} ms (most)"


def two_sources(evse: int, events: Sequence[Event], current_below_a: float) -> list[Finding]:
    """Do pilot and meter tell the same of an outlet that was made safe?"""
    mine = [event for event in events if event.evse in (None, evse)]
    live = _last(mine, "output", "live")
    sample = next((event for event in reversed(mine) if event.topic == "meter.sample"), None)
    state = _last(mine, "cp.state", "state")
    subject = f"outlet {evse}"
    found: list[Finding] = []
    if live is not None and sample is not None:
        amps = max((abs(float(value)) for value in cast("list[Any]", sample.data["current_a"])), default=0.0)
        told = f"output sense {'live' if live else 'dead'}, meter {amps:.2f} A"
        if not live and amps >= current_below_a:
            fix = "is the meter behind this outlet, and the output sense at it? Wrong `evse`?"
            found.append(Finding(subject, "output sense and meter", "bad", told, fix))
        elif live:
            fix = "welded, or wired past the contactor: switch the supply off and find out"
            found.append(Finding(subject, "output sense and meter", "bad", told + " with CP at A", fix))
        else:
            found.append(Finding(subject, "output sense and meter", "ok", told))
    else:
        missing = "output sense" if live is None else "meter"
        fix = "rules that rest on both cannot be decided: see `pilotbench rules doctor`"
        found.append(Finding(subject, "output sense and meter", "note", f"no {missing} tells of it", fix))
    if state is not None:
        expected = state == "A"
        told = f"shows A, and the level reads as {state}"
        fix = "" if expected else "is the station on (12 V on CP)? Is anything else plugged in beside the emulator?"
        found.append(Finding(subject, "commanded and measured pilot", "ok" if expected else "warn", told, fix))
    return found


def _last(events: Sequence[Event], topic: str, key: str) -> Any:
    return next((event.data[key] for event in reversed(events) if event.topic == topic), None)


def longest_silence_ms(times_ns: Sequence[int]) -> float | None:
    """The longest time between two of them, in milliseconds."""
    return max(((b - a) / 1e6 for a, b in pairwise(times_ns)), default=None)
