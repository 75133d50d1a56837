"""The charge controller: IEC 61851-1 Annex A sequences as one step function without I/O.

`PilotControl.step` takes what is measured and what the session wishes, and returns what to drive. The caller calls it
on each reading and again at `wake_at_s`. The sequences kept: the lock holds before the contactor closes; the diode is
proven before closing; closing at once after B2 -> C2 (limit 3 s); opening at once when the EV leaves C (limit 100 ms);
a stop goes x2 -> x1 and waits up to 6 s for the EV to open S2 (10.2); a short of the pilot (E) opens; state D, which
asks for ventilation, is as C where the station has it, and opens where it has not; two duty changes are at least 5 s
apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .faults import Knobs
from .iec61851 import NO_PWM_PCT, CpState, Debounce, classify, diode_seen, duty_of

__all__ = ["Drive", "PilotControl", "Reading", "Wish"]

_FAST_S = 0.006
"""Leaving C: about three readings of the 1 ms pilot."""
_RECLOSE_S = 0.1
"""Of the fault recloses: it opens this long after the end of PWM, and closes again this long after that."""
_FEEDBACK_S = 1.0
_STATE_F_PCT = 0.0
"""Duty that means static -12 V."""
_DIODE_FAULT_S = 0.15
_CLOSES_IN_F_S = (0.4, 1.4)
"""Of the fault closes-in-f: from when to when its contactor is closed in state F."""
_VEHICLE = (CpState.B, CpState.C, CpState.D)


@dataclass(frozen=True)
class Reading:
    """What the station measures: volt, ohm (None = nothing in the socket), feedback contacts."""

    cp_high_v: float = 12.0
    cp_low_v: float = 12.0
    pp_ohm: float | None = None
    live: bool = False
    locked: bool = False
    rcd: bool = False


@dataclass(frozen=True)
class Wish:
    """What the session wants: current to offer (None = none), cable locked, contactor allowed to close."""

    offer_a: float | None = None
    lock: bool = False
    power: bool = False


@dataclass(frozen=True)
class Drive:
    """What to drive: PWM duty in percent (100 = static +12 V), contactor coil, lock motor."""

    pwm_pct: float = NO_PWM_PCT
    contactor: bool = False
    lock: bool = False


class PilotControl:
    """One outlet's controller. `has_lock` is False for a tethered cable; `ventilated`: it may energise in state D."""

    def __init__(self, knobs: Knobs, *, has_lock: bool, ventilated: bool = False) -> None:
        self._knobs = knobs
        self._has_lock = has_lock
        self._energises = (CpState.C, CpState.D) if ventilated or knobs.energises_in_d else (CpState.C,)
        fast = {(state, to): _FAST_S for state in (CpState.C, CpState.D) for to in (CpState.A, CpState.B)}
        plug = {(CpState.A, CpState.B): 0.05, (CpState.B, CpState.C): 0.1}
        self._debounce = Debounce(fast | plug, 0.05)
        self._pwm = NO_PWM_PCT
        self._pwm_changed_s = -math.inf
        self._prelude: list[tuple[float, float]] | None = None
        self._pulse_until_s: float | None = None
        self._wanted = NO_PWM_PCT
        self._wanted_since_s = -math.inf
        self._closed = False
        self._early = knobs.closes_without_pwm
        self._closed_changed_s = -math.inf
        self._ready_since_s: float | None = None
        self._c1_since_s: float | None = None
        self._reclose_at_s: float | None = None
        self._no_diode_since_s: float | None = None
        self._welded = False
        self._locked_once = False
        self._emergency = False
        self._wakes: list[float] = []
        self.fault: str | None = None
        """`diode`, `no-close`, `rcd` (residual current) or `welded`.

        The last one ends when the output is dead, the others when the EV is unplugged.
        """
        self.live = False

    @property
    def state(self) -> CpState:
        """The accepted state of the pilot."""
        return self._debounce.state

    @property
    def state_since_s(self) -> float:
        """When that state was accepted."""
        return self._debounce.since_s

    @property
    def closed(self) -> bool:
        """Whether the contactor is meant to be closed."""
        return self._closed

    @property
    def asked(self) -> bool:
        """Whether the vehicle asks for energy, in a state in which this station may give it."""
        return self.state in self._energises

    @property
    def pwm_on(self) -> bool:
        return 0.0 < self._pwm < NO_PWM_PCT

    @property
    def wake_at_s(self) -> float | None:
        """When `step` has something to do even if nothing is measured."""
        return min(self._wakes, default=None)

    def weld(self) -> None:
        """From now on a closed contactor stays closed whatever is commanded (a simulated defect)."""
        self._welded = self._closed

    def open_now(self) -> None:
        """Open the contactor at the next step without waiting for the EV (emergency, hard reset)."""
        self._emergency = True

    def step(self, now_s: float, reading: Reading, wish: Wish) -> Drive:
        """One turn at `now_s` (seconds, monotonic): measure, decide, return what to drive."""
        self._wakes = []
        before = self.state
        state = self._debounce.feed(now_s, classify(reading.cp_high_v, self._debounce.candidate))
        self._wake(self._debounce.due_s)
        self.live = reading.live
        # a monitor of residual current may need a while until it is ready again
        left = before is not CpState.A or self.fault == "rcd"
        if state is CpState.A and left and self.fault != "welded":
            self.fault = None
        if reading.rcd and self.fault != "welded":
            self.fault = "rcd"
        self._watch_diode(now_s, reading)
        self._step_pwm(now_s, wish)
        self._step_contactor(now_s, reading, wish)
        self._watch_contactor(now_s)
        return Drive(self._pwm, self._closed or self._welded, self._has_lock and self._lock(wish))

    def _wake(self, at_s: float | None) -> None:
        if at_s is not None:
            self._wakes.append(at_s)

    def _lock(self, wish: Wish) -> bool:
        self._locked_once = self._locked_once or wish.lock
        motor = self._knobs.lock_motor
        return self._locked_once if motor == "sticks" else wish.lock and motor == "works"

    # the pilot's duty

    def _target(self, wish: Wish) -> float:
        if wish.offer_a is None or self.fault or self.state not in _VEHICLE:
            return NO_PWM_PCT
        duty = duty_of(wish.offer_a)
        if duty >= NO_PWM_PCT:
            return NO_PWM_PCT
        duty += self._knobs.duty_offset_pp
        if self._knobs.duty_steps:
            duty = math.floor(duty * self._knobs.duty_steps / 100.0) * 100.0 / self._knobs.duty_steps
        return duty

    def _step_pwm(self, now_s: float, wish: Wish) -> None:
        target = self._through_f(now_s, self._after_prelude(now_s, self._target(wish)))
        if abs(target - self._wanted) > 1e-6:
            self._wanted, self._wanted_since_s = target, now_s
        if abs(target - self._pwm) <= 1e-6:
            return
        due = now_s
        if self.pwm_on and _STATE_F_PCT < target < NO_PWM_PCT:  # to end an offer waits for nothing
            due = max(self._pwm_changed_s + self._knobs.duty_spacing_s, self._wanted_since_s + self._knobs.duty_delay_s)
        if now_s >= due:
            self._pwm, self._pwm_changed_s = target, now_s
        else:
            self._wake(due)
        self._early = self._early and not self.pwm_on

    def _after_prelude(self, now_s: float, target: float) -> float:
        """What an offer begins with, one part after the other; none of a station that is in order."""
        if target >= NO_PWM_PCT:
            self._prelude = None
            return target
        if self._prelude is None:
            self._prelude, begun = [], now_s
            for duty, lasts_s in self._knobs.prelude:
                begun += lasts_s
                self._prelude.append((duty, begun))
        while self._prelude and now_s >= self._prelude[0][1]:
            self._prelude.pop(0)
        if not self._prelude:
            return target
        self._wake(self._prelude[0][1])
        return self._prelude[0][0]

    def _through_f(self, now_s: float, target: float) -> float:
        """An offer that ends by way of state F, as of a station that thinks itself out of order for a moment."""
        if target < NO_PWM_PCT or not self._knobs.f_pulse_s:
            self._pulse_until_s = None
            return target
        if self._pulse_until_s is None and self.pwm_on:
            self._pulse_until_s = now_s + self._knobs.f_pulse_s
        if self._pulse_until_s is None or now_s >= self._pulse_until_s:
            return target
        self._wake(self._pulse_until_s)
        return _STATE_F_PCT

    def _diode(self, reading: Reading) -> bool:
        return diode_seen(reading.cp_low_v) or not self._knobs.checks_diode

    def _watch_diode(self, now_s: float, reading: Reading) -> None:
        missing = self.pwm_on and self.state in _VEHICLE and not self._diode(reading)
        if not missing:
            self._no_diode_since_s = None
            return
        since = self._no_diode_since_s = now_s if self._no_diode_since_s is None else self._no_diode_since_s
        if self._closed:  # checked before closing; the standard does not ask for it in C
            return
        if now_s >= since + _DIODE_FAULT_S:
            self.fault = self.fault or "diode"
        else:
            self._wake(since + _DIODE_FAULT_S)

    # the contactor

    def _may_close(self, reading: Reading, wish: Wish) -> bool:
        if not wish.power or self.fault:
            return False
        if not self.asked and not (self._early and self.state is CpState.B):
            return False
        if self._has_lock and not reading.locked:
            return False
        return self._early or (self.pwm_on and self._diode(reading))

    def _step_contactor(self, now_s: float, reading: Reading, wish: Wish) -> None:
        if self._closed:
            self._ready_since_s = None
            if self._emergency or self._must_open(now_s):
                self._set_closed(now_s, False)
            self._emergency = False
            return
        self._emergency = False
        self._c1_since_s = None
        if self._recloses(now_s) or self._closes_in_f(now_s):
            self._set_closed(now_s, True)
            return
        if not self._may_close(reading, wish):
            self._ready_since_s = None
            return
        since = self._ready_since_s = now_s if self._ready_since_s is None else self._ready_since_s
        if now_s >= since + self._knobs.close_delay_s:
            self._set_closed(now_s, True)
        else:
            self._wake(since + self._knobs.close_delay_s)

    def _must_open(self, now_s: float) -> bool:
        if self.fault == "rcd":
            return True
        if self._early and self.state is CpState.B:
            return False
        if self.state is CpState.E and not self._knobs.opens_on_short:
            return False
        if self._closes_in_f(now_s):
            return False
        if not self.asked:
            patience_s = self._knobs.d_open_delay_s if self.state is CpState.D else self._knobs.open_delay_s
            due = self._debounce.since_s + patience_s
            self._wake(due)
            return now_s >= due
        if self.pwm_on:
            self._c1_since_s = None
            return False
        since = self._c1_since_s = now_s if self._c1_since_s is None else self._c1_since_s
        recloses = self._knobs.recloses_in_c1 and self._reclose_at_s is None
        wait_s = _RECLOSE_S if recloses else self._knobs.c1_wait_s
        if now_s >= since + wait_s:
            if recloses:
                self._reclose_at_s = now_s + _RECLOSE_S
            return True
        self._wake(since + wait_s)
        return False

    def _recloses(self, now_s: float) -> bool:
        """Of the fault recloses: once, while the vehicle still is in C1."""
        due = self._reclose_at_s
        if due is None or self.state is not CpState.C or self.pwm_on:
            return False
        self._wake(due if now_s < due else None)
        return due <= now_s < due + _RECLOSE_S

    def _closes_in_f(self, now_s: float) -> bool:
        """Of the fault closes-in-f: for a second, in the middle of state F."""
        if not self._knobs.closes_in_f or self.state is not CpState.F:
            return False
        begin, end = (self._debounce.since_s + after_s for after_s in _CLOSES_IN_F_S)
        self._wake(begin if now_s < begin else end)
        return begin <= now_s < end

    def _set_closed(self, now_s: float, closed: bool) -> None:
        self._closed, self._closed_changed_s = closed, now_s
        self._ready_since_s = None

    def _watch_contactor(self, now_s: float) -> None:
        if self.live == self._closed:
            if self.fault == "welded" and not self.live:
                self.fault = None
            return
        due = self._closed_changed_s + _FEEDBACK_S
        if now_s < due:
            self._wake(due)
        elif self._closed:
            self._set_closed(now_s, False)
            self.fault = "no-close"
        else:
            self.fault = "welded"
