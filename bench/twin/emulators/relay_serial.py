"""Relay boards on a serial port: one that answers nothing (LCUS), and one that says what it does (Numato)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..model.plant import Fact
from .kinds import Place
from .pty_port import PtyPort
from .relay_bank import RelayBank

__all__ = ["LcusRelays", "NumatoRelays", "make_lcus", "make_numato"]

NUMBERS = {name: number for number, name in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUV")}
MAX_LINE = 64


class _SerialRelays:
    """The port and the coils. Such boards have no firmware watchdog."""

    def __init__(self, place: Place, bank: RelayBank, take: Callable[[bytes], None]) -> None:
        self._place = place
        self._bank = bank
        self._line = PtyPort(place.loop, place.folder / place.name, take, place.note, place.wire)

    @property
    def port(self) -> str:
        return str(self._place.folder / self._place.name)

    async def start(self) -> None:
        self._bank.power_up()

    def step(self, now_ns: int) -> None:
        """Nothing."""

    def on_fact(self, fact: Fact) -> None:
        """Nothing: it feels nothing of the outlet."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`stuck`: commands are taken and nothing switches. `reset`: all coils off."""
        if name == "stuck":
            self._bank.stuck = on
        elif name == "reset":
            if on:
                self._bank.power_up()
        else:
            return False
        return True

    def close(self) -> None:
        self._line.close()


class LcusRelays(_SerialRelays):
    """`A0 n 1 sum` and `A0 n 0 sum`, relays from 1; no answer ever. Settings: those of `RelayBank`, and `count`."""

    def __init__(
        self,
        place: Place,
        *,
        relays: Mapping[str, str] | None = None,
        inverted: Sequence[int] = (),
        count: int = 8,
        ac_ma: float = 34.0,
        dc_ma: float = 8.0,
    ) -> None:
        bank = RelayBank(place, relays or {}, inverted, count=count, first=1, ac_ma=ac_ma, dc_ma=dc_ma)
        super().__init__(place, bank, self._take)
        self._rest = b""

    def _take(self, data: bytes) -> None:
        self._rest += data
        while (begin := self._rest.find(0xA0)) >= 0 and len(self._rest) >= begin + 4:
            _, number, on, check = frame = self._rest[begin : begin + 4]
            sound = sum(frame[:3]) & 0xFF == check and on in (0, 1) and number in self._bank.coils
            if sound:
                self._bank.switch(number, bool(on), frame.hex(" "))
            self._rest = self._rest[begin + (4 if sound else 1) :]
        if begin < 0:
            self._rest = b""


class NumatoRelays(_SerialRelays):
    """Lines of text that end with CR; each is echoed, answered, and followed by a prompt. Relays from 0."""

    def __init__(
        self,
        place: Place,
        *,
        relays: Mapping[str, str] | None = None,
        inverted: Sequence[int] = (),
        count: int = 8,
        module: str = "00000001",
        ac_ma: float = 34.0,
        dc_ma: float = 8.0,
    ) -> None:
        bank = RelayBank(place, relays or {}, inverted, count=count, first=0, ac_ma=ac_ma, dc_ma=dc_ma)
        super().__init__(place, bank, self._take)
        self._module = module
        self._typed = ""
        self._deaf = False

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`deaf`, beside those of every board: it answers nothing."""
        if name == "deaf":
            self._deaf = on
            return True
        return super().fault(name, on=on, now_ns=now_ns, args=args)

    def _take(self, data: bytes) -> None:
        if self._deaf:
            return
        for character in data.decode("latin-1"):
            if character == "\r":
                line, self._typed = self._typed, ""
                answer = self._answer(line.strip())
                self._line.write(f"{line}\n\r{answer}>".encode("latin-1"))
            elif character != "\n":
                self._typed = (self._typed + character)[-MAX_LINE:]

    def _answer(self, line: str) -> str:
        match line.split():
            case ["ver"]:
                return "00000008\n\r"
            case ["id", "get"]:
                return f"{self._module}\n\r"
            case ["relay", ("on" | "off" | "read") as verb, name] if NUMBERS.get(name) in self._bank.coils:
                number = NUMBERS[name]
                if verb != "read":
                    self._bank.switch(number, verb == "on", line)
                    return ""
                return f"{'on' if self._bank.coils[number] else 'off'}\n\r"
            case _:
                return ""


def make_lcus(place: Place, settings: dict[str, Any]) -> LcusRelays:
    """See `kinds.KINDS`."""
    return LcusRelays(place, **settings)


def make_numato(place: Place, settings: dict[str, Any]) -> NumatoRelays:
    """See `kinds.KINDS`."""
    return NumatoRelays(place, **settings)
