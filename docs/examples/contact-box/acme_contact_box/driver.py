"""The ACME contact box on a serial line: the contactor in front of a station, and a thermometer at its terminals.

Wire: 9600 baud, 8N1, one line of ASCII for each question, ended by LF (data sheet CB1, section 4).

    ID?   ->  ACME CB1 0042 1.3     maker, model, serial number, firmware
    K 1   ->  OK                    close the contactor; K 0 opens it
    K?    ->  K 1                   its auxiliary contact: what it does, not what it was told
    T?    ->  T 23.4                degC
    else  ->  ERR

It opens the contactor by itself when it was not asked anything for 2 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pilotbench.bench.timeline import Gate, Source, Stamp
from pilotbench.drivers.base import DeviceState
from pilotbench.drivers.emergency import EmergencyRecipe, Step
from pilotbench.drivers.ports import wire_of
from pilotbench.drivers.power.asking import Answer, NoAnswer
from pilotbench.drivers.power.text_device import TextDevice
from pilotbench.drivers.roles import Duty, Role
from pilotbench.errors import ConfigError, DeviceError

__all__ = ["ContactBox"]

CONTACTOR = 1
WATCHDOG_S = 2.0


class ContactBox(TextDevice):
    """Switches the mains of a station, reads the contactor back, and measures the temperature of its terminals.

    `poll_s` (0.05..1): how often it is asked; the box's watchdog lives on it. `settle_s`: how old a temperature is.
    """

    role: ClassVar[Role] = "relay"
    energising: ClassVar[bool] = True
    relays: ClassVar[Mapping[int, Duty]] = {CONTACTOR: "mains"}

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        baud: int = 9600,
        poll_s: float = 0.5,
        timeout_s: float = 0.3,
        settle_s: float = 1.0,
        evse: int = 1,
        state_dir: Path | None = None,
        reconnect: bool = True,
    ) -> None:
        super().__init__(
            name, source, gate, port=port, baud=baud, parity="N", poll_s=poll_s, timeout_s=timeout_s,
            evse=evse, state_dir=state_dir, reconnect=reconnect,
        )  # fmt: skip
        if poll_s > WATCHDOG_S / 2:
            raise ConfigError(f"{name}: poll_s = {poll_s} starves the box's watchdog; 0.05 to {WATCHDOG_S / 2:g}")
        self._settle_ns = int(settle_s * 1e9)
        self._wanted = False
        self._told: bool | None = None
        self._busy = asyncio.Lock()  # a poll must not look between a switch and its read-back
        # What it speaks of, and how long after a fact that comes at the latest: two questions, and what is old.
        source.declare(("relay.", "lab.contact_box."), self._settle_ns + int(4 * timeout_s * 1e9))

    # ---- life

    async def _greet(self) -> None:
        """Called by `open`, and again after the box was gone: who is there, and what does it do?"""
        try:
            words = (await self._ask("ID?")).text.split()
        except NoAnswer:
            words = []
        if len(words) != 4 or words[:2] != ["ACME", "CB1"]:
            raise DeviceError(
                "something else than an ACME contact box is on this port." if words else "no answer. Is it powered?",
                device=self.name,
                port=self.port,
                sent="ID?",
                received=" ".join(words) or None,
            )
        self._recognise({"model": "ACME CB1", "serial": words[2], "firmware": words[3]})
        self._told = None
        self._wanted = await self._closed()
        if self._wanted:
            self._enter(DeviceState.UNKNOWN, "found with its contactor closed: make it safe first")
        else:
            self._enter(DeviceState.ACTIVE, "contactor open")

    async def make_safe(self) -> None:
        """Open the contactor, and read back that it is open.

        Raises:
            DeviceError: not acknowledged, or still closed; the state is UNKNOWN then.
        """
        try:
            await self.switch(CONTACTOR, False)
        except NoAnswer:
            await self.switch(CONTACTOR, False)
        self._enter(DeviceState.ACTIVE, "contactor open, read back")

    def emergency(self) -> EmergencyRecipe:
        """The same for the guardian, as plain bytes: it has no driver, and the box was perhaps never opened."""
        step = Step(
            "supply", "contactor open, read back", b"K 0\nK?\n".hex(), r"K 0\r?\n", within_ms=200, attempts=10,
            proves="state",
        )  # fmt: skip
        wire, reach, why = wire_of(self.port, self._baud)
        return EmergencyRecipe(self.name, wire, (step,), flush_hex=b"\n".hex(), reach=reach, why=why)

    # ---- the verb

    async def switch(self, n: int, on: bool) -> None:
        """Close (`on`) or open the contactor; returns when its auxiliary contact says so.

        Raises:
            SafetyError: the gate refuses.
            DeviceError: refused, not acknowledged, or the contact did not follow.
        """
        self._require_open()
        if n != CONTACTOR:
            raise ConfigError(f"{self.name} has one relay, {CONTACTOR}; {n} is not there")
        args = {"n": n, "on": on, "duty": "mains"}
        self._permit("relay", args, to_safe=not on)  # before anything is written
        async with self._busy:
            try:
                told = await self._ask(f"K {int(on)}")
                closed = await self._closed()
            except DeviceError as error:
                self._enter(DeviceState.UNKNOWN, f"K {int(on)} was sent and not acknowledged: {error}")
                raise
            self._wanted = on
        if told.text != "OK" or closed is not on:
            self._enter(DeviceState.UNKNOWN, f"K {int(on)} was answered {told.text!r}, contact {closed}")
            raise DeviceError(
                f"was told to {'close' if on else 'open'} its contactor, and the contact did not follow. "
                "Look at the box, and at what holds it.",
                device=self.name,
                port=self.port,
                sent=f"K {int(on)}",
                received=told.text,
            )
        self._stimulus("relay", args, told.sent_ns, self._asking.heard_ns, f"K {int(on)}")

    # ---- what it observes

    async def _look(self) -> None:
        """One poll; an error in it is a gap on the timeline, and DEGRADED until the next one that succeeds."""
        async with self._busy:
            closed = await self._closed()
            if closed is not self._wanted:
                self._wanted = closed
                self._enter(DeviceState.UNKNOWN, f"contact {'closed' if closed else 'open'}, and not by the bench")
            answer = await self._ask("T?")
        try:
            temperature_c = float(answer.text.removeprefix("T "))
        except ValueError:
            raise self._unreadable("T?", answer) from None
        stamp = Stamp.host(answer.at_ns, lo_ns=answer.sent_ns - self._settle_ns)
        self._source.emit("lab.contact_box.sample", stamp, {"temperature_c": temperature_c}, evse=self.evse)

    async def _closed(self) -> bool:
        answer = await self._ask("K?")
        if answer.text not in ("K 0", "K 1"):
            raise self._unreadable("K?", answer)
        closed = answer.text == "K 1"
        if closed is not self._told:
            self._told = closed
            stamp = Stamp.host(answer.at_ns, lo_ns=answer.sent_ns)
            data = {"n": CONTACTOR, "duty": "mains", "on": closed, "observed": True}
            self._source.emit("relay.state", stamp, data, evse=self.evse, raw=answer.text)
        return closed

    async def _ask(self, question: str) -> Answer:
        return await self._asking.ask(question.encode() + b"\n")

    def _unreadable(self, question: str, answer: Answer) -> DeviceError:
        self._asking.doubt()  # maybe the answer to another question: let the line become quiet first
        return DeviceError(
            "its answer cannot be read. Is this firmware 1.x?",
            device=self.name,
            port=self.port,
            sent=question,
            received=answer.text,
        )
