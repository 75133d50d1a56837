"""The bytes of frames that are no text: what had come of one that was refused or cut off, fit to be shown."""

from __future__ import annotations

from itertools import cycle

from websockets.frames import Frame
from websockets.server import ServerProtocol

from .redact import Redactor

__all__ = ["RAW_LIMIT_BYTES", "RawTail", "shown_bytes"]

RAW_LIMIT_BYTES = 64 * 1024
"""Bytes kept of a frame that the library refuses."""


class RawTail:
    """What has come since the last whole frame, over as many reads as it took.

    It watches where the library's parser finds the end of each frame. `total` counts all of it, `raw` keeps the
    first 64 KiB.
    """

    def __init__(self, protocol: ServerProtocol) -> None:
        self.raw = b""
        self.total = 0
        self._reader = protocol.reader
        self._receive = protocol.recv_frame
        self._left: int | None = None
        self._data = b""
        protocol.recv_frame = self._framed

    def begin(self, data: bytes, *, opened: bool) -> None:
        """A read is about to be parsed; `opened`: the handshake's request is past."""
        if not opened:
            data = data.rpartition(b"\r\n\r\n")[2] if b"\r\n\r\n" in data else b""
        self._data, self._left = data, None
        if len(self.raw) < RAW_LIMIT_BYTES:
            self.raw += data[: RAW_LIMIT_BYTES - len(self.raw)]
        self.total += len(data)

    def end(self) -> None:
        """The read was parsed."""
        self._data = b""

    def _framed(self, frame: Frame) -> None:
        self._receive(frame)
        # The frame was accepted: only what follows it in this read is left.
        left = len(self._reader.buffer)
        self.raw = self._data[len(self._data) - left :][:RAW_LIMIT_BYTES] if left else b""
        self.total = left


def shown_bytes(data: bytes, redactor: Redactor) -> str:
    """The bytes in hex, up to the limit; without credentials, also where a mask hides them."""
    data = data[:RAW_LIMIT_BYTES]
    for text in (data, _unmasked(data)):
        # A value that was cut off is one too: it ends where the bytes do.
        plain = text.decode("latin-1") + '"'
        shown = redactor.text(plain)
        if shown != plain:
            return shown.encode("latin-1", "replace").hex()
    return data.hex()


def _unmasked(data: bytes) -> bytes:
    """The payload of a frame a client sent, as far as it came; nothing if it has no mask."""
    if len(data) < 6 or not data[1] & 0x80:
        return b""
    short = data[1] & 0x7F
    at = 2 + (8 if short == 127 else 2 if short == 126 else 0)
    return bytes(byte ^ mask for byte, mask in zip(data[at + 4 :], cycle(data[at : at + 4]), strict=False))
