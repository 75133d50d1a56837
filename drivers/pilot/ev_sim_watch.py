"""From the reports of an EV Sim Remote to events of the timeline, with what is honestly known of their time."""

from __future__ import annotations

from typing import NamedTuple

from ...bench.timeline import Source, Stamp
from ..serial_line import Block
from .ev_sim_report import Report, agree
from .levels import classify

__all__ = ["LevelWatch", "Sighting"]

VOLTS_STEP = 0.3
DUTY_STEP_PCT = 0.3
CHANGE = 2
"""One change makes so many reports in a row that differ: the one with the change in its window, and the next."""


class Sighting(NamedTuple):
    """A report; its window lies within `[from_ns, to_ns]`, and its end was read in `block`."""

    report: Report
    from_ns: int
    to_ns: int
    block: Block
    raw: str


class LevelWatch:
    """Publishes `cp.volts`, `cp.pwm` and `cp.state` when they changed.

    A report mixes what was before a change in its window with what was after it: the highest level is the higher one of
    both, the duty a mean that never was. So a report counts when the next one agrees with it. The change lies between
    the begin of the window before it (a level that falls shows in the window after the fall only) and its own end.
    """

    def __init__(self, source: Source, evse: int | None) -> None:
        self._source = source
        self._evse = evse
        self._last: tuple[Sighting, ...] = ()
        self._restless_ns: int | None = None
        self._restless = 0
        self._volts: tuple[float, float] | None = None
        self._pwm: tuple[bool, float] | None = None
        self._state: tuple[str, bool] | None = None

    def take(self, sighting: Sighting) -> bool:
        """One report; True when it agrees with the one before it."""
        before = self._last[-2] if len(self._last) > 1 else None
        last = self._last[-1] if self._last else None
        self._last = (*self._last[-1:], sighting)
        if last is None:
            return False
        if not agree(last.report, sighting.report):
            self._restless += 1
            if self._restless_ns is None:
                self._restless_ns = last.from_ns
            if self._restless > CHANGE:
                self._gap(self._restless_ns, last.to_ns)
            return False
        restless_ns, self._restless_ns, self._restless = self._restless_ns, None, 0
        from_ns = last.from_ns if before is None else before.from_ns
        changed = self._tell(last, Stamp(sighting.block.at_ns, from_ns, last.to_ns))
        if restless_ns is not None and not changed:
            # one report differed, and all is as before: something short was there, or the line was disturbed
            self._gap(restless_ns, last.to_ns)
        return True

    def _gap(self, from_ns: int, to_ns: int) -> None:
        self._source.gap(from_ns, to_ns, f"{self._source.name}: no two reports agree, so what was there is not known")

    def forget(self) -> None:
        """A report was lost: the next one has none before it."""
        if self._restless_ns is not None and self._last:
            self._gap(self._restless_ns, self._last[-1].to_ns)
        self._last = ()
        self._restless_ns, self._restless = None, 0

    def _tell(self, sighting: Sighting, stamp: Stamp) -> bool:
        """Publish what is new; whether anything was."""
        report, raw = sighting.report, sighting.raw
        high_v, low_v = report.high_v, report.low_v
        changed = False
        told = self._volts
        if told is None or max(abs(high_v - told[0]), abs(low_v - told[1])) > VOLTS_STEP:
            changed = True
            self._volts = (high_v, low_v)
            self._source.emit("cp.volts", stamp, {"high_v": high_v, "low_v": low_v}, evse=self._evse, raw=raw)
        pwm = (report.pwm, report.duty_pct)
        if self._pwm is None or pwm[0] != self._pwm[0] or abs(pwm[1] - self._pwm[1]) > DUTY_STEP_PCT:
            changed = True
            self._pwm = pwm
            # It counts crossings over a window that is exact to a millisecond: +-3 Hz, too coarse to judge 1 kHz by.
            data = {"on": pwm[0], "duty_pct": pwm[1], "freq_hz": None if pwm[0] else 0.0}
            self._source.emit("cp.pwm", stamp, data, evse=self._evse, raw=raw)
        state = (classify(high_v, low_v, self._state[0] if self._state else None), report.pwm)
        if state != self._state:
            changed = True
            self._state = state
            data = {"state": state[0], "pwm": state[1], "high_v": high_v, "low_v": low_v}
            self._source.emit("cp.state", stamp, data, evse=self._evse, raw=raw)
        return changed
