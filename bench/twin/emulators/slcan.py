"""An SLCAN (LAWICEL) adapter as the host sees it: commands ended by CR, `\\r` for yes, BEL for no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["SlcanAdapter"]

OK = b"\r"
BEL = b"\x07"
MAX_LINE = 40
BUS_BITRATE = 6
"""The bus behind this adapter runs at 500 kbit/s (S6): with another rate nothing passes but errors."""


class Wire(Protocol):
    def write(self, data: bytes) -> bool: ...


class SlcanAdapter:
    """Adapter between a serial line and the frames of one bus.

    Args:
        on_frame: called with identifier and data of each standard frame the host sends on the open bus.
    """

    def __init__(self, on_frame: Callable[[int, bytes], None]) -> None:
        self._on_frame = on_frame
        self._wire: Wire | None = None
        self._buffer = b""
        self._open = False
        self._listen_only = False
        self._bitrate: int | None = None
        self._timestamps = False
        self._overrun = False
        self._bus_error = False
        self.bus_off = False
        """The controller has left the bus: nothing goes in or out."""

    def attach(self, wire: Wire) -> None:
        self._wire = wire

    def take_bytes(self, data: bytes) -> None:
        """What the host wrote."""
        *lines, rest = (self._buffer + data).split(b"\r")
        self._buffer = rest if len(rest) <= MAX_LINE else b""
        if len(rest) > MAX_LINE:
            self._reply(BEL)
        for line in lines:
            self._reply(self._command(line))

    def send(self, identifier: int, data: bytes, now_ms: int) -> None:
        """A standard frame arrived from the bus."""
        if not self._open or self._wire is None or self.bus_off:
            return
        if self._bitrate != BUS_BITRATE:
            self._bus_error = True
            return
        stamp = f"{now_ms % 60000:04X}" if self._timestamps else ""
        if not self._wire.write(f"t{identifier:03X}{len(data)}{data.hex().upper()}{stamp}\r".encode("ascii")):
            self._overrun = True

    def _reply(self, answer: bytes) -> None:
        if answer and self._wire is not None:
            self._wire.write(answer)

    def _command(self, line: bytes) -> bytes:
        try:
            text = line.decode("ascii")
        except UnicodeDecodeError:
            return BEL
        if not text:
            return OK
        match text[0]:
            case "C" if self._open:
                self._open = False
                return OK
            case "S" if not self._open and text[1:].isdigit() and int(text[1:]) <= 8:
                self._bitrate = int(text[1:])
                return OK
            case "O" | "L" if not self._open and self._bitrate is not None:
                self._open = True
                self._listen_only = text[0] == "L"
                return OK
            case "V":
                return b"V1013\r"
            case "N":
                return b"NPB01\r"
            case "Z" if not self._open and text[1:] in ("0", "1"):
                self._timestamps = text[1:] == "1"
                return OK
            case "F" if self._open:
                return self._status()
            case "t" | "T" if self._open and not self._listen_only:
                return self._transmit(text)
            case _:
                return BEL

    def _status(self) -> bytes:
        """Bit 3 overrun, bit 5 error passive (and beyond), bit 7 bus error; reading clears those that are events."""
        flags = (0x08 if self._overrun else 0) | (0x80 if self._bus_error else 0) | (0xA4 if self.bus_off else 0)
        self._overrun = self._bus_error = False
        return f"F{flags:02X}\r".encode("ascii")

    def _transmit(self, text: str) -> bytes:
        digits = 3 if text[0] == "t" else 8
        try:
            identifier = int(text[1 : 1 + digits], 16)
            length = int(text[1 + digits])
            data = bytes.fromhex(text[2 + digits :])
        except (ValueError, IndexError):
            return BEL
        if length > 8 or len(data) != length or identifier > (0x7FF if digits == 3 else 0x1FFF_FFFF):
            return BEL
        if self.bus_off:
            return BEL
        if self._bitrate != BUS_BITRATE:
            self._bus_error = True
            return BEL
        if digits == 3:
            self._on_frame(identifier, data)
        return b"z\r" if digits == 3 else b"Z\r"
