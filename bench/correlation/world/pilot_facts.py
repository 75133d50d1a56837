"""Signals of the control pilot and the proximity pilot beyond their levels: what they mean for the station.

Which cable it has to have read, whether it could have found the missing diode, whether the duty cycle is one that a
station may show, and whether it keeps what the charging profiles allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, cast

from ...timeline import Event, Stamp
from ..facts import Facts
from .amps import duty_of_amps
from .mark import Mark, shifted
from .profiles import NO_LIMIT_A
from .track import Change, Track

__all__ = ["PilotFacts", "band_of"]

JITTER_PP = 0.5
"""A duty cycle that moved by less did not change: a generator may be off by so much (IEC 61851-1 Annex A, 5 us)."""
CLOSING_NS = 200_000_000
"""A contactor that was driven when PWM ended may still close for so long."""
_PLUGS = {1500: "PP13", 680: "PP20", 220: "PP32", 100: "PP63"}
_VEHICLE = ("B", "C", "D")


class _Tracks(Protocol):
    def __call__(self, signal: str, evse: int) -> Track: ...


class _Setter(Protocol):
    def __call__(
        self, signal: str, evse: int, value: object, event: Event, *, at: Mark | None = None, why: str = ""
    ) -> None: ...


def _band(duty_pct: float) -> str:
    if 3.0 <= duty_pct <= 7.0:
        return "digital"
    return "offer" if 8.0 <= duty_pct <= 97.0 else "forbidden"


def band_of(duty_pct: float, accuracy_pp: float) -> str:
    """The band of Table A.8 in which a measured duty cycle lies: offer, digital or forbidden.

    `unsure` when the accuracy leaves it open. Static levels (0 and 100 %) are not asked for.
    """
    found = {_band(duty_pct - accuracy_pp), _band(duty_pct), _band(duty_pct + accuracy_pp)}
    return found.pop() if len(found) == 1 else "unsure"


class PilotFacts:
    """Follows `cable`, `diode`, `ventilation`, `pwm.band`, `offering`, `frequency`, `duty.step`, `profile.kept`.

    It reads the world through `track` and writes through `put`, after the pilot's own signals were set.
    """

    def __init__(self, facts: Facts, track: _Tracks, put: _Setter, reached_pp: float) -> None:
        self._facts = facts
        self._track = track
        self._put = put
        self._reached_pp = reached_pp
        self._coded: dict[int, str | None] = dict.fromkeys(facts.evses, "fixed" if facts.outlet == "cable" else None)
        self._shorted: dict[int, bool] = dict.fromkeys(facts.evses, False)
        self._seen_good: dict[int, bool] = dict.fromkeys(facts.evses, False)
        self._reference: dict[int, float | None] = dict.fromkeys(facts.evses)
        for evse in facts.evses:
            track("diode", evse).push(Change(Mark(Stamp(0, 0, 0)), "good"))
            if facts.ventilation is not None:
                track("ventilation", evse).push(Change(Mark(Stamp(0, 0, 0)), facts.ventilation))

    # ---- the bench's own hand

    def stimulus(self, evses: Iterable[int], event: Event) -> None:
        """The bench coded a cable, or set the faults beside the resistor."""
        args = cast("dict[str, Any]", event.data.get("args") or {})
        verb = event.data.get("verb")
        for evse in evses:
            if verb == "pp" and self._facts.outlet == "socket":
                ohm = args.get("ohm")
                self._coded[evse] = "none" if ohm is None else _PLUGS.get(int(ohm))
                self._recoded(evse, event)
            elif verb == "faults":
                flags = cast("list[str]", args.get("flags") or [])
                self._shorted[evse] = "diode" in flags
                self._diode(evse, event)

    def _recoded(self, evse: int, event: Event) -> None:
        """A coding that changes while the vehicle is there: a station reads it once (Annex B)."""
        if self._track("cp.state", evse).value in _VEHICLE and self._track("cable", evse).value is not None:
            why = "the coding changed while the vehicle was connected; a station need not read it again"
            self._put("cable", evse, None, event, why=why)

    # ---- the pilot

    def state(self, evse: int, event: Event) -> None:
        """The control pilot's state changed."""
        state, before = self._track("cp.state", evse).value, self._track("cable", evse).value
        if state == "A":
            self._put("cable", evse, "out", event)
            self._seen_good[evse] = False
        elif state in _VEHICLE and before == "out":
            self._put("cable", evse, self._coded[evse], event, why="" if self._coded[evse] else "no cable was coded")
        self._diode(evse, event)

    def _diode(self, evse: int, event: Event) -> None:
        if not self._shorted[evse]:
            self._put("diode", evse, "good", event)
            shown = self._track("pwm", evse).value is True and self._track("cp.state", evse).value in _VEHICLE
            self._seen_good[evse] = self._seen_good[evse] or shown
        else:
            self._put("diode", evse, "late" if self._seen_good[evse] else "shorted", event)

    def pwm(self, evse: int, event: Event, before: object) -> None:
        """The duty cycle changed; `before` is the offer until now (0: none, None: not known)."""
        duty, running = float(event.data["duty_pct"]), bool(event.data["on"])
        self._put("pwm.band", evse, band_of(duty, self._facts.duty_accuracy_pp) if running else "static", event)
        hertz = float(event.data.get("freq_hz") or 0.0)
        known = running and hertz > 0
        self._put("frequency", evse, hertz if known else None, event, why="" if known else "there is no PWM")
        self._offering(evse, event)
        self._step(evse, event, before)
        self._diode(evse, event)
        self.profile(evse, event, by_duty=True)

    def _offering(self, evse: int, event: Event) -> None:
        track, on = self._track("offering", evse), self._track("pwm", evse).value
        while track.last is not None and track.last.mark.stamp.order_ns > event.stamp.order_ns:
            track.changes.pop()  # the end of an ending that does not come
        if on is False and track.value == "on":
            self._put("offering", evse, "ending", event)
            self._put("offering", evse, "off", event, at=shifted(Mark.of(event), CLOSING_NS))
        elif (on is not None and track.value != "ending") or on is True:
            self._put("offering", evse, "on" if on else "off", event)

    def _step(self, evse: int, event: Event, before: object) -> None:
        """From one offer to another. Beginning to offer, and ending it, is no change of the offer."""
        duty = self._track("duty", evse).value
        if not isinstance(duty, float) or duty == 0.0:
            return
        reference = self._reference[evse]
        if not isinstance(before, float) or before == 0.0 or reference is None:
            self._reference[evse] = duty
        elif abs(duty - reference) > JITTER_PP:
            self._reference[evse] = duty
            self._track("duty.step", evse).changes.clear()
            self._put("duty.step", evse, duty, event)

    def profile(self, evse: int, event: Event, *, by_duty: bool = False) -> None:
        """The duty cycle, or what the profiles allow, changed."""
        limit, duty = self._track("profile", evse).value, self._track("duty", evse).value
        if not isinstance(limit, float | int) or not isinstance(duty, float):
            if self._track("profile.kept", evse).value is not None:
                self._put("profile.kept", evse, None, event, why="profile or duty cycle is not known")
            return
        if limit >= NO_LIMIT_A:
            self._put("profile.kept", evse, "none", event)
            return
        over = duty - self._facts.duty_accuracy_pp > duty_of_amps(limit) + self._reached_pp
        now = self._track("profile.kept", evse).value
        if not over:
            self._put("profile.kept", evse, "kept", event)
        elif not by_duty:
            self._put("profile.kept", evse, "pending", event)
        elif now == "kept":
            self._put("profile.kept", evse, "exceeded", event)
        elif now is None:
            self._put("profile.kept", evse, "pending", event)
