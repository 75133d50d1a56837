"""Cuts a client's bytes into Modbus requests, and dresses answers: RTU on a line, MBAP on TCP.

A real bus is silent for a foreign unit and for a broken request; so is this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Framing", "Request", "Rtu", "Tcp", "crc16"]

GAP_NS = 50_000_000
"""A pause that ends a broken request. On a pty bytes carry no line timing, so t3.5 cannot be used."""

Request = tuple[int, bytes, Callable[[bytes], bytes]]
"""Unit, function with its data, and what turns the answer's function and data into bytes."""


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS, as an integer whose low byte is sent first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


class Framing(Protocol):
    """Of one client; keeps what is not whole yet."""

    def feed(self, data: bytes, now_ns: int) -> list[Request]:
        """The requests that are whole now."""
        ...


class Rtu:
    """Unit, function, data, CRC."""

    def __init__(self) -> None:
        self._buffer = b""
        self._last_ns = 0

    def feed(self, data: bytes, now_ns: int) -> list[Request]:
        if now_ns - self._last_ns > GAP_NS:
            self._buffer = b""
        self._last_ns = now_ns
        self._buffer += data
        requests: list[Request] = []
        while len(self._buffer) >= 8:
            length = self._length()
            if len(self._buffer) < length:
                break
            frame = self._buffer[:length]
            if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
                self._buffer = b""  # out of step: wait for the next gap, as a device does
                break
            self._buffer = self._buffer[length:]
            requests.append((frame[0], frame[1:-2], _sealed(frame[0])))
        return requests

    def _length(self) -> int:
        """Of the request at the buffer's start: 8 bytes, or as long as a multiple write says."""
        return 9 + self._buffer[6] if self._buffer[1] in (15, 16) else 8


def _sealed(unit: int) -> Callable[[bytes], bytes]:
    def dress(answer: bytes) -> bytes:
        body = bytes((unit,)) + answer
        return body + crc16(body).to_bytes(2, "little")

    return dress


class Tcp:
    """Transaction, protocol 0, length, unit, function, data."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes, now_ns: int) -> list[Request]:
        self._buffer += data
        requests: list[Request] = []
        while len(self._buffer) >= 8:
            length = int.from_bytes(self._buffer[4:6], "big")
            if self._buffer[2:4] != b"\0\0" or not 2 <= length <= 254:
                self._buffer = b""
                break
            if len(self._buffer) < 6 + length:
                break
            frame, self._buffer = self._buffer[: 6 + length], self._buffer[6 + length :]
            requests.append((frame[6], frame[7:], _numbered(frame[:2], frame[6])))
        return requests


def _numbered(transaction: bytes, unit: int) -> Callable[[bytes], bytes]:
    def dress(answer: bytes) -> bytes:
        return transaction + b"\0\0" + (len(answer) + 1).to_bytes(2, "big") + bytes((unit,)) + answer

    return dress
