"""A device's end of the pilot and token line protocols: requests in order, one answer each, and a watchdog."""

from __future__ import annotations

from collections.abc import Callable

from .pilot_arguments import Refused, number
from .pilot_line import ERRORS, LineReader, Request, framed, parse_request

__all__ = ["LineDialogue"]

HELLO_WATCHDOG_MS = 2000


class LineDialogue:
    """Asks `execute` (the request, and when it came) for the text of an answer; what it raises as Refused is answered
    too. HELLO arms the watchdog, W sets it; every readable line feeds it.
    """

    def __init__(self, write: Callable[[bytes], object], execute: Callable[[Request, int], str]) -> None:
        self._write = write
        self._execute = execute
        self.restart()

    def restart(self) -> None:
        """As after power-up: nobody has greeted it, and nothing is watched."""
        self.watchdog_ms = 0
        self._fed_ns = 0
        self._reader = LineReader()
        self._last_seq: int | None = None
        self._last_answer = b""

    def starved(self, now_ns: int) -> bool:
        """True once, when nobody fed its watchdog for too long: it wants to be greeted again."""
        if not self.watchdog_ms or now_ns - self._fed_ns <= self.watchdog_ms * 1_000_000:
            return False
        self.watchdog_ms = 0
        self._last_seq = None
        return True

    def lines(self, data: bytes) -> list[bytes]:
        """What has become whole by these bytes."""
        return self._reader.feed(data)

    def take(self, line: bytes, now_ns: int) -> Request | None:
        """Answer one line; the request that was executed. None: it was out of order, unreadable, or said again."""
        request = parse_request(line)
        if isinstance(request, int):
            self._answer("-", f"ERR {request} {ERRORS[request]}")
            return None
        self._fed_ns = now_ns
        if request.seq is None:
            self._answer("-", f"ERR 4 {ERRORS[4]}")
            return None
        if request.command != "HELLO":
            if request.seq == self._last_seq:
                self._write(self._last_answer)
                return None
            if self._last_seq is None or request.seq != (self._last_seq + 1) % 65536:
                self._answer(str(request.seq), f"ERR 4 {ERRORS[4]}")
                return None
        self._last_seq = request.seq
        try:
            value = self._do(request, now_ns)
            text = f"OK {value}" if value else "OK"
        except Refused as error:
            text = f"ERR {error.code} {error}"
        self._last_answer = self._answer(str(request.seq), text)
        return request

    def _do(self, request: Request, now_ns: int) -> str:
        if request.command == "W":
            period_ms = number(request.arguments, 0, 10_000)
            if 0 < period_ms < 200:
                raise Refused(5, "W takes 0 or 200..10000")
            self.watchdog_ms = period_ms
            return ""
        if request.command == "HELLO":
            self.watchdog_ms = HELLO_WATCHDOG_MS
        return self._execute(request, now_ns)

    def _answer(self, seq: str, text: str) -> bytes:
        line = framed("$", f"{seq} {text}")
        self._write(line)
        return line
