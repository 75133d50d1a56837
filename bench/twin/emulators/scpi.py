"""A SCPI supply in the station's feed, and a SCPI load at its outlet."""

from __future__ import annotations

import time
from typing import Any, Literal

from ..model.plant import Fact
from .kinds import Place
from .pty_port import PtyPort
from .scpi_words import Command, ErrorQueue, LineBuffer, commands_of

__all__ = ["ScpiEmulator", "make_load", "make_supply"]


class ScpiEmulator:
    """One output (supply) or input (load).

    A supply feeds the station: its output takes the mains away or lets them through, and its voltage is theirs (0 V
    set is the voltage they have by themselves). A load draws its current at the outlet, in each phase. Off at power-up.

    Settings.

    - `serial`.
    - `feeds`: False for a supply on which the station does not hang.
    - `max_voltage_v`, `max_current_a`: above them a value is out of range.
    - `on`: how it is found.
    - `delay_ms`: how long an answer takes.
    """

    def __init__(
        self,
        place: Place,
        part: Literal["supply", "load"],
        *,
        serial: str = "VS0001",
        feeds: bool = True,
        max_voltage_v: float = 300.0,
        max_current_a: float = 32.0,
        on: bool = False,
        delay_ms: float = 1.0,
    ) -> None:
        self._place = place
        self._part = part
        self._contact = "OUTP" if part == "supply" else "INP"
        self._serial = serial
        self._feeds = feeds
        self._max = {"VOLT": max_voltage_v, "CURR": max_current_a}
        self._set = {"VOLT": 0.0, "CURR": 0.0}
        self._delay_ns = int(delay_ms * 1e6)
        self._errors = ErrorQueue()
        self._lines = LineBuffer()
        self._answers: list[tuple[int, bytes]] = []
        self._on = on
        self._deaf = self._stuck = False
        self._line = PtyPort(place.loop, place.folder / place.name, self._take, place.note, place.wire)

    @property
    def port(self) -> str:
        return str(self._place.folder / self._place.name)

    async def start(self) -> None:
        self._act(time.monotonic_ns())

    def step(self, now_ns: int) -> None:
        """Answers that are due."""
        while self._answers and self._answers[0][0] <= now_ns:
            self._line.write(self._answers.pop(0)[1])

    def on_fact(self, fact: Fact) -> None:
        """Nothing: it measures when it is asked."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`deaf`: it answers nothing. `stuck`: it takes every command, and its contact stays. `trip`: it goes off."""
        if name == "deaf":
            self._deaf = on
        elif name == "stuck":
            self._stuck = on
        elif name == "trip":
            if on:
                self._switch(False, now_ns, "trip")
        else:
            return False
        return True

    def close(self) -> None:
        self._line.close()

    # --- commands ------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        for line in self._lines.feed(data):
            answers = [text for command in commands_of(line) if (text := self._do(command, now_ns)) is not None]
            if answers and not self._deaf:
                self._answers.append((now_ns + self._delay_ns, (";".join(answers) + "\n").encode()))

    def _do(self, command: Command, now_ns: int) -> str | None:
        """The answer of a query; a command that cannot be done goes to the error queue."""
        match command.header, command.query:
            case "*IDN", True:
                return f"Pilotbench,Virtual {self._part},{self._serial},1.0"
            case "SYST:ERR", True:
                return self._errors.next()
            case (("*CLS" | "*RST"), False):
                self._errors.clear()
                if command.header == "*RST":
                    self._switch(False, now_ns, "*RST")
            case (("SYST:REM" | "FUNC"), False):
                pass
            case ((self._contact), True):
                return "1" if self._on else "0"
            case ((self._contact), False):
                self._contact_to(command.argument, now_ns)
            case (("VOLT" | "CURR"), True):
                return f"{self._set[command.header]:.3f}"
            case (("VOLT" | "CURR"), False):
                self._set_to(command, now_ns)
            case (("MEAS:VOLT" | "MEAS:CURR" | "MEAS:POW"), True):
                return f"{self._measured(command.header[5:]):+.6E}"
            case _:
                self._errors.put(-113)
        return None

    def _contact_to(self, argument: str, now_ns: int) -> None:
        match argument.upper():
            case "ON" | "1":
                self._switch(True, now_ns, f"{self._contact} ON")
            case "OFF" | "0":
                self._switch(False, now_ns, f"{self._contact} OFF")
            case _:
                self._errors.put(-104 if argument else -109)

    def _set_to(self, command: Command, now_ns: int) -> None:
        try:
            value = float(command.argument)
        except ValueError:
            self._errors.put(-104 if command.argument else -109)
            return
        if not 0 <= value <= self._max[command.header]:
            self._errors.put(-222)
            return
        self._set[command.header] = value
        self._place.truth.command(self._place.name, now_ns, command.header, value=value)
        self._act(now_ns)

    def _switch(self, on: bool, now_ns: int, why: str) -> None:
        if not self._stuck:
            self._on = on
        self._place.truth.command(self._place.name, now_ns, why, on=self._on)
        self._act(now_ns)

    # --- what it does --------------------------------------------------------------------------------

    def _act(self, now_ns: int) -> None:
        plant = self._place.plant
        if self._part == "load":
            plant.set_load(self._set["CURR"] if self._on else 0.0, now_ns)
            return
        if not self._feeds:
            return
        if self._set["VOLT"] > 0.0:
            plant.mains.set_voltage(self._set["VOLT"], now_ns)
        plant.set_mains(self._on, now_ns, by=self._place.name)

    def _measured(self, what: str) -> float:
        plant = self._place.plant
        if self._part == "supply":
            feeds = self._on and self._feeds
            voltage_v = plant.mains.voltages_v(plant.current_a)[0] if feeds else self._set["VOLT"] * self._on
            current_a = max(plant.current_a) if feeds else 0.0
        else:
            voltage_v = plant.output_v[0]
            current_a = plant.load_a if voltage_v > 0.0 else 0.0
        return {"VOLT": voltage_v, "CURR": current_a, "POW": voltage_v * current_a}[what]


def make_supply(place: Place, settings: dict[str, Any]) -> ScpiEmulator:
    """See `kinds.KINDS`."""
    return ScpiEmulator(place, "supply", **settings)


def make_load(place: Place, settings: dict[str, Any]) -> ScpiEmulator:
    """See `kinds.KINDS`."""
    return ScpiEmulator(place, "load", **settings)
