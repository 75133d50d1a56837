"""The gate that holds every stimulus to the envelope of its bench, and real hardware to a person's permission.

It is asked inside the driver's verb and inside the back end's send, so it cannot be
walked around by holding a driver. Steps towards the safe state always pass.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from ...errors import SafetyError
from ..csms.limits import bounds
from ..timeline import Event, Stimulus
from .csms_actions import group_of
from .danger import RISKY_DUTIES, Needs, fault_of_relay, needs_of, really_safe
from .envelope import Envelope
from .memory import Memory, Switch

__all__ = ["EnvelopeGate", "Permission"]

CLOSED_S2 = ("C", "D")
SECRET = frozenset({"value", "certificate", "certificateChain", "data"})
SEALED = "the bench is being made safe. Start a new run to go on"


class Permission(Protocol):
    """Whether a person has armed the bench; None of it on a bench without real hardware."""

    def refusal(self, needs: Needs) -> str:
        """Why this may not be done now; empty when it may."""
        ...


class EnvelopeGate:
    """Implements the gate of the ground floor for one run.

    `clock` gives nanoseconds of the bench clock. `permission` is asked on a bench with real hardware. `held` is why
    nothing but the safe state is possible yet; empty: it is.
    """

    def __init__(
        self,
        envelope: Envelope,
        clock: Callable[[], int] = time.monotonic_ns,
        *,
        permission: Permission | None = None,
        held: str = "",
    ) -> None:
        self.envelope = envelope
        self.permission = permission
        self.held = held
        self.sealed = False
        self._sealed_why = ""
        self._memory = Memory(clock)
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
            "supply.set": self._supply_set,
            "supply.output": self._supply_output,
            "load.set": self._load_set,
            "load.input": self._token,
            "rapi": self._rapi,
        }

    def seal(self, why: str = SEALED) -> None:
        """From now on only steps to the safe state pass; the first reason stays."""
        self.sealed = True
        self._sealed_why = self._sealed_why or why

    @property
    def fault_overdue(self) -> bool:
        """True when a fault has been on for longer than the envelope allows."""
        return bool(self._memory.faulty(self.envelope.fault_duration_s))

    @property
    def idle(self) -> bool:
        """True when nothing that this gate let pass is still on."""
        return self._memory.idle

    @property
    def overdue_devices(self) -> list[str]:
        """Names of the devices with such a fault."""
        return self._memory.faulty(self.envelope.fault_duration_s)

    def faults_older_than(self, seconds: float) -> list[str]:
        """Names of the devices with a fault that is on for longer than this."""
        return self._memory.faulty(seconds)

    def permit(self, stimulus: Stimulus) -> None:
        """See `Gate.permit`."""
        duty = self._duty(stimulus)
        to_safe = really_safe(stimulus, self._memory.cp_state(stimulus.device), duty)
        if not to_safe:
            if self.sealed:
                raise SafetyError(f"{_shown(stimulus)} refused: {self._sealed_why}.")
            if self.held and needs_of(stimulus, duty) is not None:
                raise SafetyError(f"{_shown(stimulus)} refused: {self.held}.")
            self._in_envelope(stimulus)
            self._armed(stimulus, duty)
        self._remember(stimulus, duty)
        self._memory.permitted(stimulus.device, stimulus.verb, to_safe=to_safe)

    def unasked(self, event: Event) -> str | None:
        """`device: verb` of a stimulus that an instrument did without asking this gate for it; None: it did ask.

        Each permission is for one stimulus, so give it every event once.
        """
        if event.topic != "stimulus":
            return None
        device, verb = str(event.data["device"]), str(event.data["verb"])
        step = Stimulus(device, verb, event.data["args"], to_safe=True)
        to_safe = really_safe(step, self._memory.cp_state(device), self._duty(step))
        return None if self._memory.done(device, verb, to_safe=to_safe) else f"{device}: {verb}"

    def look(self, event: Event) -> None:
        """Learn what was done, and what is seen: off counts only once it is acknowledged or read back."""
        data = event.data
        match event.topic:
            case "stimulus" if data["verb"] == "supply.output":
                self._memory.supply((str(data["device"]), "output"), bool(data["args"]["on"]))
            case "stimulus" if data["verb"] == "faults":
                self._memory.fault((str(data["device"]), "faults"), bool(data["args"].get("flags")))
            case "stimulus" if data["verb"] == "relay":
                device, args = str(data["device"]), data["args"]
                switch, on = (device, f"relay {args['n']}"), bool(args["on"])
                duty = self._duty(Stimulus(device, "relay", args))
                if duty == "mains":
                    self._memory.supply(switch, on)
                elif duty in RISKY_DUTIES:
                    self._memory.fault(switch, fault_of_relay(duty, on))
            case "relay.state" if data.get("duty") == "mains":
                self._memory.supply((event.source, f"relay {data['n']}"), bool(data["on"]))
            case "output":
                self._memory.output(event.source, bool(data["live"]))
            case _:
                pass

    # ---- what is asked

    def _in_envelope(self, stimulus: Stimulus) -> None:
        # By the verb first: a device may have any name, and an action of the back end too.
        check = self._checks.get(stimulus.verb)
        if check is not None:
            check(stimulus)
        elif stimulus.device != "csms" and stimulus.verb not in self.envelope.verbs:
            raise SafetyError(
                f"{_shown(stimulus)} refused: the envelope knows no bound for the verb {stimulus.verb!r}. "
                f"Known: {', '.join(sorted(self._checks))}. If this bench can take whatever its driver does with it, "
                f'name it in the bench file: [envelope] verbs = ["{stimulus.verb}"].'
            )
        if stimulus.device == "csms":
            self._csms(stimulus)

    def _armed(self, stimulus: Stimulus, duty: str | None) -> None:
        if self.permission is None:
            return
        needs = needs_of(stimulus, duty)
        why = self.permission.refusal(needs) if needs is not None else ""
        if why:
            raise SafetyError(f"{_shown(stimulus)} refused: {why}")

    def _duty(self, stimulus: Stimulus) -> str | None:
        """What a relay switches, as the bench file says, or else its driver."""
        if stimulus.verb != "relay":
            return None
        number, told = stimulus.args.get("n"), stimulus.args.get("duty")
        written = self.envelope.duties.get(stimulus.device, {}).get(number) if isinstance(number, int) else None
        if written is not None and told is not None and told != written:
            raise SafetyError(
                f"{_shown(stimulus)} refused: the driver says that relay {number} switches {told!r}, and the bench "
                f"file says {written!r}. Correct one of them, and check the wiring."
            )
        return written or (None if told is None else str(told))

    def _remember(self, stimulus: Stimulus, duty: str | None) -> None:
        device, args, memory = stimulus.device, stimulus.args, self._memory
        match stimulus.verb:
            case "resistor":
                memory.shows(device, str(args.get("state")))
                memory.switched((device, "s2"), args.get("state") in CLOSED_S2)
            case "faults" if args.get("flags"):
                memory.fault((device, "faults"), True)
            case "supply.output":
                self._supply((device, "output"), args.get("on") is not False)
            case "relay":
                switch, on = (device, f"relay {args.get('n')}"), args.get("on") is not False
                if fault_of_relay(duty, on):
                    memory.fault(switch, True)
                elif duty == "mains":
                    self._supply(switch, on)
            case _:
                pass

    def _supply(self, switch: Switch, on: bool) -> None:
        self._memory.switched(switch, on)
        if on:
            self._memory.supply(switch, True)

    # ---- the bounds, verb by verb

    def _resistor(self, stimulus: Stimulus) -> None:
        if stimulus.args.get("state") in CLOSED_S2:
            self._may_close(stimulus, (stimulus.device, "s2"), "S2 opened")

    def _may_close(self, stimulus: Stimulus, switch: Switch, what: str) -> None:
        memory, envelope = self._memory, self.envelope
        if memory.is_on(switch):
            return
        cycles = memory.cycles(switch)
        if cycles >= envelope.contactor_cycles:
            self._refuse(stimulus, "contactor_cycles", cycles + 1, envelope.contactor_cycles, "cycles")
        off_s = memory.off_for_s(switch)
        if off_s is not None and off_s < envelope.min_off_s:
            self._refuse(stimulus, "min_off", round(off_s, 3), envelope.min_off_s, f"s since {what}")

    def _faults(self, stimulus: Stimulus) -> None:
        for flag in stimulus.args.get("flags", ()):
            if flag not in self.envelope.faults:
                self._refuse(stimulus, "faults", flag, sorted(self.envelope.faults), "")

    def _pp(self, stimulus: Stimulus) -> None:
        ohm = stimulus.args.get("ohm")
        if ohm is not None and ohm not in self.envelope.pp_ohm:
            self._refuse(stimulus, "pp_ohm", ohm, sorted(self.envelope.pp_ohm), "ohm")

    def _relay(self, stimulus: Stimulus) -> None:
        duty, number = self._duty(stimulus), stimulus.args.get("n")
        by_number = duty not in RISKY_DUTIES and number in self.envelope.relays
        if not by_number and (duty is None or duty not in self.envelope.relays):
            asked = number if duty is None else f"{number} ({duty})"
            self._refuse(stimulus, "relays", asked, sorted(self.envelope.relays, key=str), "")
        if duty == "pe":
            why = self._memory.why_not_dead()
            if why:
                raise SafetyError(
                    f"{_shown(stimulus)} refused: protective earth is switched only with the station's supply off, "
                    f"and {why}. Switch the supply off first."
                )
        elif duty == "mains" and stimulus.args.get("on") is not False:
            self._may_close(stimulus, (stimulus.device, f"relay {number}"), "the supply was switched off")

    def _ev_command(self, stimulus: Stimulus) -> None:
        current_a = stimulus.args.get("max_current_a")
        if current_a is not None:
            self._at_most(stimulus, "current", current_a, self.envelope.current_a, "A")
        if "voltage_v" in stimulus.args:
            self._at_most(stimulus, "voltage", stimulus.args["voltage_v"], self.envelope.voltage_v, "V")

    def _supply_set(self, stimulus: Stimulus) -> None:
        self._at_most(stimulus, "voltage", stimulus.args.get("voltage_v"), self.envelope.voltage_v, "V")
        self._at_most(stimulus, "current", stimulus.args.get("current_a"), self.envelope.current_a, "A")

    def _supply_output(self, stimulus: Stimulus) -> None:
        if stimulus.args.get("on") is not False:
            self._may_close(stimulus, (stimulus.device, "output"), "it was switched off")

    def _load_set(self, stimulus: Stimulus) -> None:
        self._at_most(stimulus, "current", stimulus.args.get("current_a"), self.envelope.current_a, "A")

    def _rapi(self, stimulus: Stimulus) -> None:
        group = stimulus.args.get("group")
        if group != "plain" and group not in self.envelope.rapi:
            self._refuse(stimulus, "rapi", group, sorted(self.envelope.rapi), "")

    def _token(self, stimulus: Stimulus) -> None:
        """A card, or the input of a load whose current is bounded, moves no current by itself."""

    def _at_most(self, stimulus: Stimulus, bound: str, value: Any, most: float, unit: str) -> None:
        # What is no number is not below any bound either.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= most:
            self._refuse(stimulus, bound, value, most, unit)

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
