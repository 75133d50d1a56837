"""The envelope of a bench, and the gate that holds every stimulus to it.

The gate is asked inside the driver's verb and inside the back end's send, so it cannot be
walked around by holding a driver. Steps towards the safe state always pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from ...errors import SafetyError
from ..csms.limits import bounds
from ..timeline import Stimulus
from .csms_actions import group_of

__all__ = ["Envelope", "EnvelopeGate"]

CLOSED_S2 = ("C", "D")
SECRET = frozenset({"value", "certificate", "certificateChain", "data"})


class Envelope(msgspec.Struct, frozen=True):
    """Bounds of one bench.

    - `current_a`: highest current a stimulus may ask for, per phase; `phase_w`: the same as power of one phase, and
      `power_w`: of all phases of the outlet.
    - `contactor_cycles`: how often S2 may close in one run.
    - `min_off_s`: shortest time between S2 opening and closing again.
    - `fault_duration_s`: a fault is taken back after this time.
    - `faults`, `pp_ohm`, `relays`: what may be injected, coded, switched.
    - `csms_allowed`: groups of OCPP actions the back end may send, see `csms_actions`: firmware, reset, security.
    - `csms_forbidden`: OCPP actions it may not send beside those.
    """

    current_a: float
    phase_w: float
    power_w: float
    contactor_cycles: int
    min_off_s: float
    fault_duration_s: float
    faults: frozenset[str]
    pp_ohm: frozenset[int]
    relays: frozenset[int]
    csms_forbidden: frozenset[str]
    csms_allowed: frozenset[str] = frozenset()


class EnvelopeGate:
    """Implements the gate of the ground floor for one run. It counts cycles and remembers faults.

    `clock` gives nanoseconds of the bench clock.
    """

    def __init__(self, envelope: Envelope, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.envelope = envelope
        self._clock = clock
        self._cycles = 0
        self._s2_closed = False
        self._opened_ns: int | None = None
        self.fault_since_ns: int | None = None
        self.sealed = False
        self._bounds = {
            "limit_a": (envelope.current_a, "A"),
            "max_limit_a": (envelope.current_a, "A"),
            "limit_w": (envelope.power_w, "W"),
            "max_limit_w": (envelope.power_w, "W"),
            "max_phase_w": (envelope.phase_w, "W on one phase"),
        }
        self._checks: dict[str, Callable[[Stimulus], None]] = {
            "resistor": self._resistor,
            "faults": self._faults,
            "pp": self._pp,
            "relay": self._relay,
            "token": self._token,
            "ev.command": self._ev_command,
        }

    def seal(self) -> None:
        """From now on only steps to the safe state pass: the bench is being made safe."""
        self.sealed = True

    @property
    def fault_overdue(self) -> bool:
        """True when a fault has been on for longer than the envelope allows."""
        since = self.fault_since_ns
        return since is not None and self._clock() - since > self.envelope.fault_duration_s * 1e9

    def permit(self, stimulus: Stimulus) -> None:
        """See `Gate.permit`."""
        if not stimulus.to_safe:
            if self.sealed:
                raise SafetyError(
                    f"{_shown(stimulus)} refused: the bench is being made safe. Start a new run to go on."
                )
            # By the verb first: a device may have any name, and an action of the back end too.
            check = self._checks.get(stimulus.verb)
            if check is None and stimulus.device != "csms":
                raise SafetyError(
                    f"{_shown(stimulus)} refused: the envelope knows no bound for the verb {stimulus.verb!r}. "
                    f"Known: {', '.join(sorted(self._checks))}."
                )
            if check is not None:
                check(stimulus)
            if stimulus.device == "csms":
                self._csms(stimulus)
        self._remember(stimulus)

    def _remember(self, stimulus: Stimulus) -> None:
        if stimulus.verb == "resistor":
            closing = stimulus.args.get("state") in CLOSED_S2
            if closing and not self._s2_closed:
                self._cycles += 1
            if self._s2_closed and not closing:
                self._opened_ns = self._clock()
            self._s2_closed = closing
        elif stimulus.verb == "faults":
            if not stimulus.args.get("flags"):
                self.fault_since_ns = None
            elif self.fault_since_ns is None:
                self.fault_since_ns = self._clock()

    def _resistor(self, stimulus: Stimulus) -> None:
        if stimulus.args.get("state") not in CLOSED_S2 or self._s2_closed:
            return
        if self._cycles >= self.envelope.contactor_cycles:
            self._refuse(stimulus, "contactor_cycles", self._cycles + 1, self.envelope.contactor_cycles, "cycles")
        if self._opened_ns is not None:
            off_s = (self._clock() - self._opened_ns) / 1e9
            if off_s < self.envelope.min_off_s:
                self._refuse(stimulus, "min_off", round(off_s, 3), self.envelope.min_off_s, "s since S2 opened")

    def _faults(self, stimulus: Stimulus) -> None:
        for flag in stimulus.args.get("flags", ()):
            if flag not in self.envelope.faults:
                self._refuse(stimulus, "faults", flag, sorted(self.envelope.faults), "")

    def _pp(self, stimulus: Stimulus) -> None:
        ohm = stimulus.args.get("ohm")
        if ohm is not None and ohm not in self.envelope.pp_ohm:
            self._refuse(stimulus, "pp_ohm", ohm, sorted(self.envelope.pp_ohm), "ohm")

    def _relay(self, stimulus: Stimulus) -> None:
        number = stimulus.args.get("n")
        if number not in self.envelope.relays:
            self._refuse(stimulus, "relays", number, sorted(self.envelope.relays), "")

    def _ev_command(self, stimulus: Stimulus) -> None:
        current_a = stimulus.args.get("max_current_a")
        if current_a is not None and current_a > self.envelope.current_a:
            self._refuse(stimulus, "current", current_a, self.envelope.current_a, "A")

    def _token(self, stimulus: Stimulus) -> None:
        """A card moves no current by itself: the station decides."""

    def _csms(self, stimulus: Stimulus) -> None:
        envelope = self.envelope
        if stimulus.verb.casefold() in {action.casefold() for action in envelope.csms_forbidden}:
            self._refuse(stimulus, "csms_forbidden", stimulus.verb, sorted(envelope.csms_forbidden), "")
        group = group_of(stimulus.verb, stimulus.args)
        if group is not None and group not in envelope.csms_allowed:
            raise SafetyError(
                f"{_shown(stimulus)} refused by the envelope: csms_allowed = {sorted(envelope.csms_allowed)}, and this "
                f'needs "{group}". Add it to csms_allowed in [envelope] of the bench file if this station may take it.'
            )
        # Told by the back end, and looked for here as well: arguments may be nested in any way.
        for found in (stimulus.args, bounds(stimulus.args)):
            for key, (most, unit) in self._bounds.items():
                value = found.get(key)
                if isinstance(value, (int, float)) and not abs(value) <= most:
                    self._refuse(stimulus, "current", value, most, unit)

    def _refuse(self, stimulus: Stimulus, bound: str, value: Any, allowed: Any, unit: str) -> None:
        raise SafetyError(
            f"{_shown(stimulus)} refused by the envelope: {bound} = {allowed}, asked for {value} {unit}".rstrip()
            + ". Ask for less, or widen [envelope] in the bench file if the bench can take it."
        )


def _shown(stimulus: Stimulus) -> str:
    """A stimulus in a message. What a setting was to become is left out: it may be a password."""
    plain = {key: value for key, value in stimulus.args.items() if not isinstance(value, (dict, list))}
    args = ", ".join(f"{key}={value}" for key, value in plain.items() if key not in SECRET)
    return f"{stimulus.device}: {stimulus.verb}({args})"
