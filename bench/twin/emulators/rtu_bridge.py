"""The wire between the Modbus client and the server: whole requests for our unit pass, everything else is silence.

A real bus is silent for a foreign unit and for a broken request; the library's server answers both.
"""

from __future__ import annotations

__all__ = ["RequestFilter", "crc16"]

GAP_NS = 50_000_000
"""A pause that ends a broken request. On a pty bytes carry no line timing, so t3.5 cannot be used."""


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS, as an integer whose low byte is sent first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


class RequestFilter:
    """Cuts the client's bytes into requests; `feed` returns those that the device shall see."""

    def __init__(self, unit: int) -> None:
        self._unit = unit
        self._buffer = b""
        self._last_ns = 0

    def feed(self, data: bytes, now_ns: int) -> list[bytes]:
        if now_ns - self._last_ns > GAP_NS:
            self._buffer = b""
        self._last_ns = now_ns
        self._buffer += data
        requests: list[bytes] = []
        while len(self._buffer) >= 8:
            length = self._length()
            if len(self._buffer) < length:
                break
            frame = self._buffer[:length]
            if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
                self._buffer = b""  # out of step: wait for the next gap, as a device does
                break
            self._buffer = self._buffer[length:]
            if frame[0] == self._unit:
                requests.append(frame)
        return requests

    def _length(self) -> int:
        """Of the request at the buffer's start: 8 bytes, or as long as a multiple write says."""
        return 9 + self._buffer[6] if self._buffer[1] in (15, 16) else 8
