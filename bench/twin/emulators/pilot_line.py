"""Framing of the pilot line protocol: checksums, line ends, sequence numbers. See docs/pilot-protocol.md."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ERRORS", "LineReader", "Request", "framed", "parse_request"]

MAX_LINE = 240
ERRORS = {
    1: "checksum",
    2: "line too long or not ASCII",
    3: "unknown command",
    4: "sequence out of order",
    5: "argument missing or out of range",
    6: "not available on this device",
    7: "cannot do it now",
}
_REQUEST = re.compile(r"\$(.*)\*([0-9A-F]{2})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Request:
    """One command with a valid checksum. `seq` is None when the number is missing or out of 0..65535."""

    seq: int | None
    command: str
    arguments: list[str]


def framed(start: str, body: str) -> bytes:
    """`start`, body, checksum and CR LF."""
    check = 0
    for byte in body.encode("ascii"):
        check ^= byte
    return f"{start}{body}*{check:02X}\r\n".encode("ascii")


def parse_request(line: bytes) -> Request | int:
    """The request in `line`, or the number of the error to answer (1 or 2)."""
    if len(line) > MAX_LINE or not line.isascii():
        return 2
    match = _REQUEST.fullmatch(line.decode("ascii"))
    if match is None:
        return 1
    body, given = match.groups()
    check = 0
    for byte in body.encode("ascii"):
        check ^= byte
    if check != int(given, 16):
        return 1
    words = body.split()
    if not words or not words[0].isdigit() or int(words[0]) > 65535:
        return Request(None, "", [])
    return Request(int(words[0]), words[1] if len(words) > 1 else "", words[2:])


class LineReader:
    """Cuts bytes into lines at CR, LF or both; an over-long line is kept at a length that still says so."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Complete lines in `data`, without empty ones (a line end alone only resets the parser)."""
        *lines, rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = rest[: MAX_LINE + 1]
        return [line for line in lines if line]
