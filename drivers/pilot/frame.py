"""Lines of the pilot line protocol: building them, and refusing what is not whole.

Pure functions; `docs/pilot-protocol.md` is the definition.
"""

from __future__ import annotations

import re

import msgspec

__all__ = ["ERRORS", "MAX_LINE", "AnswerFrame", "EventFrame", "FrameError", "parse", "seal", "unseal"]

MAX_LINE = 240
"""Longest line in characters, without its line end."""

ERRORS = {
    1: "checksum missing or wrong",
    2: "line too long or not ASCII",
    3: "unknown command",
    4: "sequence number out of order",
    5: "argument missing or out of range",
    6: "not available on this device",
    7: "the device cannot do it now",
}

_SEALED = re.compile(rb"([$!])([\x20-\x7e]*)\*([0-9A-F]{2})")
_ANSWER = re.compile(r"(-|\d{1,5}) (?:(OK)|ERR (\d{1,3}))(?: (.*))?")
_EVENT = re.compile(r"(\d{1,20}) ([A-Z]+)(?: (.*))?")


class FrameError(ValueError):
    """A line that is not a whole, sound line of the protocol."""


class AnswerFrame(msgspec.Struct, frozen=True):
    """An answer; `seq` is None where the device could not read the number of what it answers."""

    seq: int | None
    code: int
    """0 = OK, else the error code."""
    words: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.code == 0


class EventFrame(msgspec.Struct, frozen=True):
    """An event, with the raw reading of the device's microsecond counter."""

    device_us: int
    name: str
    words: tuple[str, ...] = ()


def _xor(data: bytes) -> int:
    result = 0
    for byte in data:
        result ^= byte
    return result


def seal(body: str) -> bytes:
    """A line with its checksum and line end; `body` begins with `$` or `!`.

    Raises:
        FrameError: not printable ASCII, or too long.
    """
    try:
        raw = body.encode("ascii")
    except UnicodeEncodeError:
        raise FrameError(f"not ASCII: {body!r}") from None
    line = raw + b"*%02X" % _xor(raw[1:])
    if len(line) > MAX_LINE:
        raise FrameError(f"{len(line)} characters are more than the {MAX_LINE} of a line")
    if _SEALED.fullmatch(line) is None:
        raise FrameError(f"no line of the protocol: {body!r}")
    return line + b"\n"


def unseal(line: bytes) -> str:
    """The body of a received line (without line end), with its first character.

    Raises:
        FrameError: too long, not ASCII, no checksum or a wrong one.
    """
    if len(line) > MAX_LINE:
        raise FrameError(f"{len(line)} characters are more than the {MAX_LINE} of a line")
    match = _SEALED.fullmatch(line)
    if match is None:
        raise FrameError("not a line of the pilot protocol")
    body = match.group(2)
    if _xor(body) != int(match.group(3), 16):
        raise FrameError("checksum wrong")
    return (match.group(1) + body).decode("ascii")


def parse(line: bytes) -> AnswerFrame | EventFrame:
    """What a device said in one line.

    Raises:
        FrameError: the line is damaged, or is neither answer nor event.
    """
    body = unseal(line)
    if body[0] == "$":
        match = _ANSWER.fullmatch(body[1:])
        if match is None:
            raise FrameError("neither OK nor ERR in an answer")
        seq, ok, code, rest = match.groups()
        words = tuple((rest or "").split())
        number = 0 if ok else int(code)
        if not ok and number == 0:
            raise FrameError("ERR with code 0")
        return AnswerFrame(None if seq == "-" else int(seq), number, words)
    match = _EVENT.fullmatch(body[1:])
    if match is None:
        raise FrameError("an event without time or name")
    return EventFrame(int(match.group(1)), match.group(2), tuple((match.group(3) or "").split()))
