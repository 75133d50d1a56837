"""The card presenter emulator: the device of docs/token-protocol.md, in front of the station's reader."""

from __future__ import annotations

import time
from typing import Any

from ..model.plant import Fact
from .kinds import Place
from .line_dialogue import LineDialogue
from .pilot_arguments import Refused, number
from .pilot_line import Request, framed
from .pty_port import PtyPort

__all__ = ["TokenEmulator", "make"]

DEFAULT_HOLD_MS = 1000


class TokenEmulator:
    """Settings: `serial`; `kinds`, the kinds of card it has."""

    def __init__(self, place: Place, *, serial: str = "VT0001", kinds: str = "ISO14443,ISO15693") -> None:
        self._place = place
        self._serial = serial
        self._kinds = kinds
        self._line = PtyPort(place.loop, place.folder / place.name, self._take_bytes, place.note, place.wire)
        self._dialogue = LineDialogue(self._line.write, self._execute)
        self._zero_ns = place.now_ns
        self._deaf = False
        self._card: tuple[str, str] | None = None
        self._gone_ns = 0

    @property
    def port(self) -> str:
        return str(self._place.folder / self._place.name)

    async def start(self) -> None:
        self._event("BOOT power", time.monotonic_ns())

    def step(self, now_ns: int) -> None:
        """The card's time, and the watchdog."""
        if self._card is not None and now_ns >= self._gone_ns:
            self._take_away("time", now_ns)
            self._event("REMOVED time", now_ns)
        if self._dialogue.starved(now_ns):
            if self._card is not None:
                self._take_away("watchdog", now_ns)
            self._event("WD", now_ns)

    def on_fact(self, fact: Fact) -> None:
        """Nothing: it feels nothing of the outlet."""

    def fault(self, name: str, *, on: bool, now_ns: int, args: dict[str, Any]) -> bool:
        """`reset`: it restarts, without a card. `deaf`: it answers nothing."""
        if name == "reset":
            if on:
                if self._card is not None:
                    self._take_away("reset", now_ns)
                self._dialogue.restart()
                self._event("BOOT reset", now_ns)
        elif name == "deaf":
            self._deaf = on
        else:
            return False
        return True

    def close(self) -> None:
        self._line.close()

    def _take_bytes(self, data: bytes) -> None:
        now_ns = time.monotonic_ns()
        if self._deaf:
            return
        for line in self._dialogue.lines(data):
            self._dialogue.take(line, now_ns)

    def _execute(self, request: Request, now_ns: int) -> str:
        arguments = request.arguments
        match request.command:
            case "HELLO":
                return f"proto=1 role=token model=virtual serial={self._serial} fw=1.0 kinds={self._kinds}"
            case "PRESENT":
                self._present(arguments, now_ns)
            case "REMOVE":
                self._place.truth.command(self._place.name, now_ns, "REMOVE")
                if self._card is not None:
                    self._take_away("command", now_ns)
            case "S":
                card = "NONE" if self._card is None else ":".join(self._card)
                return f"card={card} wd={self._dialogue.watchdog_ms}"
            case _:
                raise Refused(3)
        return ""

    def _present(self, arguments: list[str], now_ns: int) -> None:
        if len(arguments) not in (2, 3) or len(arguments[1]) > 36:
            raise Refused(5, "PRESENT takes a kind, an id of up to 36 characters, and milliseconds")
        kind, identifier = arguments[:2]
        hold_ms = number(arguments[2:], 50, 60_000) if len(arguments) == 3 else DEFAULT_HOLD_MS
        if kind not in self._kinds.split(","):
            raise Refused(6, f"no card of kind {kind}")
        self._card = (kind, identifier)
        self._gone_ns = now_ns + hold_ms * 1_000_000
        self._place.truth.command(self._place.name, now_ns, "PRESENT", kind=kind, id=identifier, hold_ms=hold_ms)
        self._place.present_token(kind, identifier)

    def _take_away(self, why: str, now_ns: int) -> None:
        self._card = None
        self._place.truth.command(self._place.name, now_ns, "removed", why=why)

    def _event(self, text: str, now_ns: int) -> None:
        self._line.write(framed("!", f"{(now_ns - self._zero_ns) // 1000} {text}"))


def make(place: Place, settings: dict[str, Any]) -> TokenEmulator:
    """See `kinds.KINDS`."""
    return TokenEmulator(place, **settings)
