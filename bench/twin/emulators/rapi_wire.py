"""Framing of RAPI as the station does it: what it takes, and how it answers. See docs/rapi.md."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Request", "RequestReader", "framed"]

BUFFER = 32
MAX_TOKENS = 10


@dataclass(frozen=True, slots=True)
class Request:
    """One message: its tokens without the sequence id. `sound` False: the checksum is wrong, or too many tokens."""

    sound: bool
    tokens: tuple[str, ...] = ()
    sequence: int | None = None


def framed(text: str, sequence: int | None = None) -> bytes:
    """`$`, text, sequence id, checksum, CR."""
    body = f"${text}" + ("" if sequence is None else f" :{sequence:02X}")
    check = 0
    for byte in body.encode("ascii"):
        check ^= byte
    return f"{body}^{check:02X}\r".encode("ascii")


class RequestReader:
    """A `$` begins a message, CR ends it; one that is longer than the buffer is lost."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Request]:
        """The messages that `data` completes."""
        found: list[Request] = []
        for value in data:
            byte = bytes((value,))
            if byte == b"$":
                self._buffer = byte
            elif self._buffer:
                if byte == b"\r":
                    found.append(_request(self._buffer))
                    self._buffer = b""
                elif len(self._buffer) >= BUFFER:
                    self._buffer = b""
                else:
                    self._buffer += byte
        return found


def _request(message: bytes) -> Request:
    """Take a message apart as the firmware does: it ends at the first `^` or `*` behind its second character."""
    end = next((at for at in range(2, len(message)) if message[at] in b"^*"), len(message))
    body, tail = message[:end], message[end:]
    tokens = body[1:].decode("latin-1").split(" ")
    if len(tokens) > MAX_TOKENS or (tail and not _sound(body, tail)):
        return Request(False)
    sequence = None
    if len(tokens) > 1 and tokens[-1].startswith(":"):
        sequence = _hex(tokens.pop()[1:]) or None
    return Request(True, tuple(tokens), sequence)


def _sound(body: bytes, tail: bytes) -> bool:
    check = 0
    for byte in body:
        check = (check ^ byte) if tail[:1] == b"^" else (check + byte) & 0xFF
    return check == _hex(tail[1:].decode("latin-1"))


def _hex(text: str) -> int:
    """The first two characters as hex; 0 where they are none."""
    try:
        return int(text[:2], 16)
    except ValueError:
        return 0
