"""The vehicle's side of a CHAdeMO session: what it says next, given what the charger says. Pure, no I/O.

::

    out -> waiting -> checked -> permitted -> closed -> charging -> stopping -> stopped
                 \\-> refused                    (any but `out` ends in `stopping` when something is wrong)

Public implementations agree on this order; times are theirs, not the association's.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from .chademo_frames import Charger, Says, Traits

__all__ = ["Phase", "Sequence", "Wanted"]

Phase = Literal["out", "waiting", "checked", "refused", "permitted", "closed", "charging", "stopping", "stopped"]

OPEN_BELOW_A = 5
"""Contactors are not opened under load."""
DEAD_V = 10
RISE_A_S = 20.0
OVER_VOLTAGE_V = 20
"""How far the charger may exceed the target before it is a fault; what cars were seen to tolerate."""
DEVIATION_A = 10
DEVIATION_NS = 5_000_000_000
CLOSE_AFTER_NS = 1_000_000_000
"""After the connector is locked and the output dead: the insulation test's end (line d2) is not told on CAN."""
KNOWN_PROTOCOLS = (1, 2, 3)


class Wanted(NamedTuple):
    """What the bench asks of the vehicle."""

    plugged: bool = False
    s2_closed: bool = False
    charge: bool = False
    max_current_a: float = 0.0

    @property
    def charging(self) -> bool:
        return self.plugged and self.charge and self.max_current_a >= 1.0


class Sequence:
    """One vehicle. `contactors`: "self" closes them one second after the lock, "bench" when `s2_closed` says so."""

    def __init__(self, traits: Traits, contactors: Literal["self", "bench"] = "self") -> None:
        self.traits = traits
        self.phase: Phase = "out"
        self.why = ""
        self.request_a = 0.0
        self.faults = 0
        self.contactor_open = True
        self._contactors = contactors
        self._last_ns = 0
        self._locked_ns: int | None = None
        self._deviates_ns: int | None = None

    @property
    def permit(self) -> bool:
        """The permission bit, which line k repeats."""
        return self.phase in ("permitted", "closed", "charging")

    def wishes_contactors(self, charger: Charger | None) -> bool:
        """The vehicle wants its contactors closed now."""
        return self.permit and charger is not None and charger.locked

    def says(self, soc_pct: float) -> Says:
        """For the next frames; the request is rounded down."""
        stopping = self.phase in ("stopping", "stopped")
        return Says(int(self.request_a), self.permit, self.contactor_open, stopping, self.faults, int(soc_pct))

    def step(self, now_ns: int, wanted: Wanted, charger: Charger | None, *, silent: bool = False) -> None:
        """Go on. `charger`: None until both of its frames came; `silent`: they have stopped coming."""
        passed_s = min(0.2, (now_ns - self._last_ns) / 1e9)
        self._last_ns = now_ns
        if not wanted.plugged:
            self._out()
            return
        if self.phase == "out":
            self.phase = "waiting"
        if self.phase in ("permitted", "closed", "charging"):
            self._watch(now_ns, wanted, charger, silent)
        match self.phase:
            case "waiting" if charger is not None and not silent:
                self._check(charger)
            case "refused" if not wanted.charge:
                self.phase, self.why = "waiting", ""
            case "checked" if wanted.charging:
                self.phase = "permitted"
            case "permitted" if charger is not None:
                self._close_contactors(now_ns, wanted, charger)
            case "closed" if charger is not None and charger.charging and not charger.stop:
                self.phase = "charging"
            case "charging" if charger is not None:
                most_a = min(wanted.max_current_a, charger.available_a, self.traits.max_current_a)
                self.request_a = min(most_a, self.request_a + RISE_A_S * passed_s)
            case "stopping" if silent or charger is None or charger.current_a < OPEN_BELOW_A:
                self.contactor_open = True
                self.phase = "stopped"
            case "stopped" if not wanted.charging and not silent:
                self.phase, self.why, self.faults = "waiting", "", 0
            case _:
                pass

    def _out(self) -> None:
        self.phase, self.why, self.faults, self.request_a = "out", "", 0, 0.0
        self.contactor_open = True
        self._locked_ns = self._deviates_ns = None

    def _check(self, charger: Charger) -> None:
        traits = self.traits
        if charger.protocol not in KNOWN_PROTOCOLS:
            self._refuse(f"the charger speaks protocol {charger.protocol}, which is none of {KNOWN_PROTOCOLS}")
        elif traits.target_v > charger.available_v:
            self._refuse(f"the vehicle needs {traits.target_v} V, the charger gives {charger.available_v} V at most")
        elif traits.min_current_a > charger.available_a:
            least_a, most_a = traits.min_current_a, charger.available_a
            self._refuse(f"the vehicle needs {least_a} A, the charger gives {most_a} A at most")
        elif charger.incompatible:
            self._refuse("the charger says that the battery is incompatible")
        else:
            self.phase = "checked"

    def _refuse(self, why: str) -> None:
        self.phase, self.why = "refused", why

    def _close_contactors(self, now_ns: int, wanted: Wanted, charger: Charger) -> None:
        if not charger.locked or charger.voltage_v > DEAD_V:
            self._locked_ns = None
            return
        if self._locked_ns is None:
            self._locked_ns = now_ns
        waited = now_ns - self._locked_ns >= CLOSE_AFTER_NS
        if wanted.s2_closed if self._contactors == "bench" else waited:
            self.contactor_open = False
            self.phase = "closed"

    def _watch(self, now_ns: int, wanted: Wanted, charger: Charger | None, silent: bool) -> None:
        """Anything that ends the charging."""
        why = ""
        if not wanted.charging:
            why = "no charging wanted"
        elif silent or charger is None:
            why = "the charger is silent"
        elif charger.malfunction or charger.system_malfunction:
            why = "the charger reports a malfunction"
        elif charger.incompatible:
            why = "the charger says that the battery is incompatible"
        elif self.phase == "charging" and charger.stop:
            why = "the charger stops"
        elif self._contactors == "bench" and self.phase in ("closed", "charging") and not wanted.s2_closed:
            why = "the bench opened the contactors"
        elif not self.contactor_open and charger.voltage_v > self.traits.target_v + OVER_VOLTAGE_V:
            why, self.faults = f"{charger.voltage_v} V is too much", self.faults | 0x01
        elif self._deviates(now_ns, charger):
            why, self.faults = f"{charger.current_a} A instead of {int(self.request_a)} A", self.faults | 0x04
        if why:
            self.phase, self.why, self.request_a = "stopping", why, 0.0
            self._locked_ns = self._deviates_ns = None

    def _deviates(self, now_ns: int, charger: Charger) -> bool:
        if self.phase != "charging" or abs(charger.current_a - int(self.request_a)) < DEVIATION_A:
            self._deviates_ns = None
            return False
        if self._deviates_ns is None:
            self._deviates_ns = now_ns
        return now_ns - self._deviates_ns >= DEVIATION_NS
