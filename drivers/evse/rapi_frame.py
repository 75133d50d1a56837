"""Messages of OpenEVSE's RAPI 5.2.1: building them, and refusing what is not whole.

`$` CC parameters ` :SS^XX` and CR: SS a sequence id of two hex digits (not 00) that the answer repeats, XX the XOR of
every byte before the `^`. Source: OpenEVSE/open_evse, firmware/open_evse/rapi_proc.h.
"""

from __future__ import annotations

import re

import msgspec

__all__ = ["MAX_LINE", "MAX_REQUEST", "FrameError", "Notice", "Reply", "parse", "seal"]

MAX_REQUEST = 31
"""The station's buffer takes so many bytes of a message; a longer one is dropped without an answer."""

MAX_LINE = 120
NOTICES = frozenset({"AB", "AT", "AN", "WF"})

_SEALED = re.compile(rb"(\$[\x20-\x5d\x5f-\x7e]*)\^([0-9A-Fa-f]{2})")
_SEQUENCE = re.compile(r":([0-9A-Fa-f]{2})")


class FrameError(ValueError):
    """Bytes that are not a whole, sound message."""


class Reply(msgspec.Struct, frozen=True):
    """An answer: accepted or not, its values, and the id of what it answers; None = it names none."""

    ok: bool
    words: tuple[str, ...]
    sequence: int | None


class Notice(msgspec.Struct, frozen=True):
    """What the station says by itself: AB it booted, AT its state changed, AN its button, WF its radio."""

    name: str
    words: tuple[str, ...]


def _xor(data: bytes) -> int:
    result = 0
    for byte in data:
        result ^= byte
    return result


def seal(command: str, sequence: int | None = None) -> bytes:
    """A request with its checksum and CR; `command` as in `SC 16 V`.

    Raises:
        FrameError: not printable ASCII, a character of the framing within it, too long, or no sequence id 1..255.
    """
    if not command or not command.isascii() or not command.isprintable() or set(command) & set("$^*:"):
        raise FrameError(f"{command!r} cannot be sent: a command is printable ASCII without $, ^, * and :")
    if sequence is not None and not 1 <= sequence <= 255:
        raise FrameError(f"a sequence id lies in 1..255, not {sequence}")
    body = f"${command}".encode("ascii") + (b"" if sequence is None else b" :%02X" % sequence)
    line = body + b"^%02X\r" % _xor(body)
    if len(line) > MAX_REQUEST:
        raise FrameError(f"{command!r} makes a message of {len(line)} bytes; the station takes {MAX_REQUEST}")
    return line


def parse(line: bytes) -> Reply | Notice:
    """What the station said in one message, without its CR.

    Raises:
        FrameError: damaged, without checksum, or nothing that a station says.
    """
    match = _SEALED.fullmatch(line)
    if match is None:
        raise FrameError("not a RAPI message with a checksum")
    if _xor(match.group(1)) != int(match.group(2), 16):
        raise FrameError("checksum wrong")
    name, *words = match.group(1)[1:].decode("ascii").split(" ")
    words = [word for word in words if word]
    if name in NOTICES:
        return Notice(name, tuple(words))
    if name not in ("OK", "NK"):
        raise FrameError(f"{name!r} is neither an answer nor a notice")
    sequence = None
    if words and words[-1].startswith(":"):
        found = _SEQUENCE.fullmatch(words.pop())
        if found is None:
            raise FrameError("its sequence id is not two hex digits")
        sequence = int(found.group(1), 16)
    return Reply(name == "OK", tuple(words), sequence)
