"""The pilot emulator: the device of docs/pilot-protocol.md, in front of the model instead of relays."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from ..model.divider import CpFaults, Levels
from ..model.plant import Fact, Plant
from .device_clock import DeviceClock
from .line_dialogue import LineDialogue
from .pilot_arguments import Refused, faults, number, pp, resistor
from .pilot_gauge import PilotGauge
from .pilot_line import Request, framed
from .truth import TruthLog

__all__ = ["PilotDevice"]

RELAYS = 2
CP_STEP_V = 0.3
DUTY_STEP_PCT = 0.1
FREQUENCY_STEP_HZ = 1.0
ESTOP_EVERY_NS = 500_000_000
BOOT_BABBLE = b"\x00\xf0\x1eboot 1.4\r\nst\x80k500\r\n!77 CP 1*00\r\n"
"""What a boot loader prints: noise, and a line that looks like ours but is not."""


class Wire(Protocol):
    def write(self, data: bytes) -> bool: ...


@dataclass(slots=True)
class _Reported:
    """What the bench was last told, noise-free, so that only real changes make events."""

    levels: Levels | None = None
    duty_pct: float | None = None
    pwm_hz: float = 0.0


class PilotDevice:
    """Answers commands, reports changes, goes to state A when nobody feeds its watchdog.

    Args:
        present_token: called with kind and id when a card is presented.
        boot_s: for so long after power-up or reset it swallows what arrives.
        watchdog: False = a device whose watchdog does not work, though it takes its commands.
        mains_relay: the relay through which the station is fed.
        estop: it has the input for a contact of the emergency stop.
    """

    def __init__(
        self,
        plant: Plant,
        clock: DeviceClock,
        truth: TruthLog,
        rng: Random,
        *,
        serial: str,
        boot_s: float,
        watchdog: bool = True,
        mains_relay: int | None = None,
        estop: bool = False,
        present_token: Callable[[str, str], None],
        note: Callable[[str], None],
    ) -> None:
        self._plant = plant
        self._clock = clock
        self._truth = truth
        self._gauge = PilotGauge(plant, rng)
        self._serial = serial
        self._watchdog_works = watchdog
        self._mains_relay = mains_relay
        self._has_estop = estop
        self._estop_open = False
        self._estop_due_ns: int | None = None
        self._present_token = present_token
        self._note = note
        self._wire: Wire | None = None
        self._dialogue = LineDialogue(self._write, self._execute)
        self._relays = [False] * RELAYS
        self._reported = _Reported()
        self._held: list[Fact] | None = None  # what a command causes is told after its answer
        self._boot_s = boot_s
        self._boot_until_ns: int | None = None
        self._boot_cause = "power"

    # --- life ----------------------------------------------------------------------------------------

    def attach(self, wire: Wire, now_ns: int) -> None:
        """Power up on `wire`."""
        self._wire = wire
        self._open_relays(now_ns)
        self._begin_boot("power", self._boot_s, now_ns)

    def reset(self, now_ns: int, boot_s: float) -> None:
        """The reset line was pulled: every relay opens, the clock starts at 0."""
        self._open_relays(now_ns)
        self._clock.restart(now_ns)
        self._begin_boot("reset", boot_s, now_ns)

    def step(self, now_ns: int) -> None:
        """Boot and watchdog."""
        if self._boot_until_ns is not None:
            if now_ns >= self._boot_until_ns:
                self._boot_until_ns = None
                self._event(f"BOOT {self._boot_cause}", now_ns)
        elif self._watchdog_works and self._dialogue.starved(now_ns):
            self._open_relays(now_ns)
            self._event("WD", now_ns)
        if self._estop_due_ns is not None and now_ns >= self._estop_due_ns:
            self._report_estop(now_ns)

    def press_estop(self, pressed: bool, now_ns: int) -> bool:
        """Open or close the contact of the emergency stop; False when it has no such input."""
        if self._has_estop and pressed != self._estop_open:
            self._estop_open = pressed
            if self._estop_due_ns is not None:
                self._report_estop(now_ns)
        return self._has_estop

    def take_bytes(self, data: bytes) -> None:
        """What the bench wrote."""
        now_ns = time.monotonic_ns()
        if self._boot_until_ns is not None:
            return
        for line in self._dialogue.lines(data):
            self._take_line(line, now_ns)

    def on_fact(self, fact: Fact) -> None:
        """A change in the model."""
        if self._boot_until_ns is not None or self._wire is None:
            return
        if self._held is not None:
            self._held.append(fact)
        elif fact.name == "cp":
            self._report_cp(fact.t_ns)
        elif fact.name == "sense":
            self._event(f"OUT {self._gauge.out_bits()}", fact.t_ns, fact.since_ns)
        elif fact.name == "lock" and not self._plant.outlet.cable:
            self._event(f"LOCK {int(self._plant.lock.closed)}", fact.t_ns)

    def _begin_boot(self, cause: str, boot_s: float, now_ns: int) -> None:
        self._dialogue.restart()
        self._boot_cause = cause
        self._boot_until_ns = now_ns + int(boot_s * 1e9)
        self._estop_due_ns = None
        self._reported = _Reported()
        if boot_s > 0.0 and self._wire is not None:
            self._wire.write(BOOT_BABBLE)
        self.step(now_ns)

    def _open_relays(self, now_ns: int) -> None:
        for relay in range(1, RELAYS + 1):
            self._switch(relay, False, now_ns)
        self._plant.set_circuit("A", CpFaults(), now_ns)

    def _switch(self, relay: int, on: bool, now_ns: int) -> None:
        self._relays[relay - 1] = on
        if relay == self._mains_relay:
            self._plant.set_mains(on, now_ns, "the pilot's relay")

    # --- commands ------------------------------------------------------------------------------------

    def _take_line(self, line: bytes, now_ns: int) -> None:
        held: list[Fact] = []
        self._held = held
        request = self._dialogue.take(line, now_ns)
        self._held = None
        for fact in held:
            self.on_fact(fact)
        if request is not None and request.command == "HELLO":
            self._report_all(now_ns)

    def _execute(self, request: Request, now_ns: int) -> str:
        arguments = request.arguments
        match request.command:
            case "HELLO":
                return self._identity()
            case "R":
                self._plant.set_circuit(resistor(arguments), self._plant.faults, now_ns)
            case "F":
                self._plant.set_circuit(self._plant.resistor, faults(arguments), now_ns)
            case "P":
                self._plant.set_pp(pp(arguments), now_ns)
            case "T":
                return str(self._clock.read_us(now_ns))
            case "S":
                return self._status()
            case "TOKEN":
                if len(arguments) != 2 or len(arguments[1]) > 36:
                    raise Refused(5)
                self._present_token(arguments[0], arguments[1])
            case "RELAY":
                self._switch(number(arguments[:1], 1, RELAYS), bool(number(arguments[1:], 0, 1)), now_ns)
            case _:
                raise Refused(3)
        return ""

    def _identity(self) -> str:
        outlet = self._plant.outlet
        lock = "" if outlet.cable else "lock,"
        estop = ",estop" if self._has_estop else ""
        words = [
            f"proto=1 model=virtual serial={self._serial} fw=1.0 clock_bits=32 cp_res_us=200",
            f"caps=sense,{lock}token,relay{estop} sense_kind=ac sense_us=0..10000 sense_phases={outlet.phases}",
            f"relays={RELAYS}",
        ]
        if lock:
            words.append("lock_us=0..1000")
        return " ".join(words)

    def _status(self) -> str:
        plant = self._plant
        set_faults = plant.faults
        flags = [
            name
            for name, on in (
                ("DIODE", set_faults.diode),
                ("SHORT0", set_faults.short_ohm == 0.0),
                ("SHORT80", set_faults.short_ohm == 80.0),
                ("OPEN", set_faults.cp_open),
            )
            if on
        ]
        coded_ohm = plant.pp.coded_ohm
        pp_text = "OPEN" if coded_ohm is None else f"{coded_ohm:.0f}"
        high_mv, low_mv = self._gauge.measured_mv()
        duty, freq = self._gauge.measured_pwm()
        lock = "" if plant.outlet.cable else f" lock={int(plant.lock.closed)}"
        estop = f" estop={int(self._estop_open)}" if self._has_estop else ""
        return (
            f"r={plant.resistor} f={','.join(flags) or 'NONE'} pp={pp_text} high_mv={high_mv} low_mv={low_mv}"
            f" duty={duty} freq={freq} out={self._gauge.out_bits()}{lock}{estop} wd={self._dialogue.watchdog_ms}"
        )

    # --- measuring and reporting ---------------------------------------------------------------------

    def _report_all(self, now_ns: int) -> None:
        self._reported = _Reported()
        self._report_cp(now_ns)
        self._event(f"OUT {self._gauge.out_bits()}", now_ns)
        if not self._plant.outlet.cable:
            self._event(f"LOCK {int(self._plant.lock.closed)}", now_ns)
        if self._has_estop:
            self._report_estop(now_ns)

    def _report_estop(self, now_ns: int) -> None:
        self._estop_due_ns = now_ns + ESTOP_EVERY_NS
        self._event(f"ESTOP {int(self._estop_open)}", now_ns)

    def _report_cp(self, t_ns: int) -> None:
        levels, duty_pct, told = self._plant.levels, self._gauge.visible_duty_pct(), self._reported
        before = told.levels
        if (
            before is None
            or abs(levels.high_v - before.high_v) > CP_STEP_V
            or abs(levels.low_v - before.low_v) > CP_STEP_V
        ):
            told.levels = levels
            high_mv, low_mv = self._gauge.measured_mv()
            self._event(f"CP {high_mv} {low_mv}", t_ns)
        pwm_hz = self._plant.pwm_hz if 0.0 < duty_pct < 100.0 else 0.0
        moved = told.duty_pct is None or abs(duty_pct - told.duty_pct) > DUTY_STEP_PCT
        if moved or abs(pwm_hz - told.pwm_hz) > FREQUENCY_STEP_HZ:
            told.duty_pct, told.pwm_hz = duty_pct, pwm_hz
            duty, freq = self._gauge.measured_pwm()
            self._event(f"PWM {duty} {freq}", t_ns)

    # --- writing -------------------------------------------------------------------------------------

    def _event(self, text: str, seen_ns: int, since_ns: int | None = None) -> None:
        device_us = self._clock.read_us(seen_ns)
        line = framed("!", f"{device_us} {text}")
        self._write(line)
        self._truth.sent(
            t_ns=seen_ns if since_ns is None else since_ns,
            seen_ns=seen_ns,
            sent_ns=time.monotonic_ns(),
            device_us=device_us,
            line=line.decode("ascii").rstrip(),
        )

    def _write(self, data: bytes) -> None:
        if self._wire is not None and not self._wire.write(data):
            self._note(f"pilot: {data!r} was not sent: the bench does not read")
