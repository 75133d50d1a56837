"""What instruments and the bench itself tell: pilot, meter, stimuli."""

from __future__ import annotations

from typing import Any, cast

from ...timeline import Event
from .amps import amps_of_duty, amps_of_pp, duty_of_amps, offers_current
from .kept import ENERGIES, SAMPLES, Kept, keep
from .profiles import NO_LIMIT_A
from .track import Sample

__all__ = ["Measured"]


class Measured(Kept):
    """The signals that instruments make."""

    def _cp_state(self, event: Event) -> None:
        state, pwm = str(event.data["state"]), bool(event.data["pwm"])
        mode = state + ("2" if pwm else "1") if state in "ABCD" else state
        for evse in self.evses(event):
            before = self.track("cp.state", evse).known
            self._set("cp.state", evse, state, event)
            self._set("cp.mode", evse, mode, event)
            self._outlets.plug(evse, event)
            self._pilot.state(evse, event)
            if state == "A" and before not in (None, "A"):
                self._permission.unplugged(evse, event)
            elif state != "A" and before == "A":
                self._permission.plugged(evse, event)

    def _cp_pwm(self, event: Event) -> None:
        duty = float(event.data["duty_pct"])
        offers = bool(event.data["on"]) and offers_current(duty)
        for evse in self.evses(event):
            before = self.track("duty", evse).value
            self._set("pwm", evse, offers, event)
            self._set("duty", evse, duty if offers else 0.0, event)
            self._set("offered", evse, amps_of_duty(duty) if offers else 0.0, event)
            limit = self._books[evse].limit_a()
            if offers and limit is not None and limit < NO_LIMIT_A and isinstance(before, float):
                bound = duty_of_amps(limit) + self._reached_pp
                if before > bound >= duty:
                    self.track("profile.reached", evse).changes.clear()
                    self._set("profile.reached", evse, limit, event)
            self._pilot.pwm(evse, event, before)

    def _output(self, event: Event) -> None:
        for evse in self.evses(event):
            self._set("output", evse, bool(event.data["live"]), event)

    def _lock(self, event: Event) -> None:
        for evse in self.evses(event):
            self._set("lock", evse, bool(event.data["locked"]), event)

    def _stimulus(self, event: Event) -> None:
        verb, args = event.data.get("verb"), cast("dict[str, Any]", event.data.get("args") or {})
        if verb in ("pp", "faults"):
            self._pilot.stimulus(self.evses(event), event)
        if verb == "pp":
            self._outlets.coded(self.evses(event), event)
        if verb == "pp" and self.facts.outlet == "socket":
            ohm = args.get("ohm")
            self._cable_a = None if ohm is None else amps_of_pp(float(ohm))
            for evse in self.evses(event):
                self._allowance(evse, event)
        elif verb == "token":
            self.claims.token(event)
            for evse in self.evses(event):
                self._permission.token(evse, event)
        elif verb in ("mains", "supply", "power") or (
            verb == "relay" and self.facts.mains_relay is not None and args.get("n") == self.facts.mains_relay
        ):
            if args.get("on") is True:
                self._set("boot", 0, "booting", event)
            if isinstance(args.get("on"), bool):
                for evse in self.facts.evses:
                    self._set("supply", evse, args["on"], event)

    # ---- meter

    def _meter(self, event: Event) -> None:
        currents = cast("list[float]", event.data.get("current_a") or [])
        for evse in self.evses(event):
            if currents:
                keep(self.samples[evse], Sample(event, max(abs(float(value)) for value in currents)), SAMPLES)
            if event.data.get("energy_wh") is not None:
                keep(self.energy[evse], event, ENERGIES)
