"""SCPI as an instrument reads it: short and long forms, compound lines, and the error queue."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["ERRORS", "Command", "ErrorQueue", "LineBuffer", "commands_of"]

ERRORS = {
    0: "No error",
    -104: "Data type error",
    -109: "Missing parameter",
    -113: "Undefined header",
    -222: "Data out of range",
    -350: "Queue overflow",
}
"""Numbers and texts of SCPI-1999 volume 2 section 21.8."""

_SHORT = {
    "VOLTAGE": "VOLT", "CURRENT": "CURR", "OUTPUT": "OUTP", "INPUT": "INP", "STATE": "STAT", "MEASURE": "MEAS",
    "SYSTEM": "SYST", "ERROR": "ERR", "SOURCE": "SOUR", "FUNCTION": "FUNC", "REMOTE": "REM", "POWER": "POW",
    "LEVEL": "LEV", "IMMEDIATE": "IMM", "AMPLITUDE": "AMPL", "SCALAR": "SCAL",
}  # fmt: skip
_OPTIONAL = frozenset({"STAT", "NEXT", "DC", "AC", "SOUR", "LEV", "IMM", "AMPL", "SCAL"})
QUEUE = 16
MAX_LINE = 512


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its header in short form (`MEAS:VOLT`), and what follows it."""

    header: str
    query: bool
    argument: str


class ErrorQueue:
    """First in, first out; the last entry says when it was full."""

    def __init__(self) -> None:
        self._entries: deque[int] = deque()

    def put(self, code: int) -> None:
        if len(self._entries) == QUEUE:
            self._entries[-1] = -350
        else:
            self._entries.append(code)

    def next(self) -> str:
        code = self._entries.popleft() if self._entries else 0
        return f'{code},"{ERRORS[code]}"'

    def clear(self) -> None:
        self._entries.clear()


class LineBuffer:
    """Lines end with LF; a CR before it is left out, and a line without an end is lost."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            self._rest = b""
        return [line.decode("latin-1").strip() for line in lines]


def commands_of(line: str) -> list[Command]:
    """The commands of one line; each begins at the root again."""
    found: list[Command] = []
    for part in line.split(";"):
        header, _, argument = part.strip().partition(" ")
        if not header:
            continue
        query = header.endswith("?")
        nodes = [_SHORT.get(node, node) for node in header.rstrip("?").upper().lstrip(":").split(":")]
        kept = [node for node in nodes if node not in _OPTIONAL] or nodes
        found.append(Command(":".join(kept), query, argument.strip()))
    return found
