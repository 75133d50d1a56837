"""A relay board on Modbus: its relays are coils, written with function 5 (or 15) and read with 1; inputs with 2."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from ...errors import DeviceError
from ..emergency import Wire
from ..meter.frames import Ask, crc16
from ..meter.segment import NotAnswered, Segment
from ..meter.segments import Segments
from ..meter.wire import Link, scheme_of
from ..ports import PortLock, Reach, wire_of
from .boards import Done, OnDead

__all__ = ["CoilBoard"]

READ, READ_INPUTS, WRITE, WRITE_SEVERAL = 1, 2, 5, 15
MOST_AT_ONCE = 64


class CoilBoard:
    """One unit on a segment, alone or beside meters. A relay's number is the address of its coil, from 0.

    Source: MODBUS Application Protocol V1.1b3 sections 6.1, 6.2, 6.5 and 6.11.
    """

    observed: ClassVar[bool] = True
    numbers: ClassVar[range] = range(65536)

    def __init__(
        self,
        device: str,
        port: str,
        on_dead: OnDead,
        segments: Callable[[], Segments],
        *,
        unit: int,
        link: Link,
        write_several: bool,
        first: int,
        timeout_s: float,
        state_dir: Path | None,
    ) -> None:
        self._device = device
        self._port = port
        self._on_dead = on_dead
        self._segments = segments
        self._unit = unit
        self._link = link
        self._function = WRITE_SEVERAL if write_several else WRITE
        self._first = first
        self._timeout_s = timeout_s
        self._state_dir = state_dir
        self._segment: Segment | None = None
        self._heard_ns = 0
        scheme_of(device, port)

    @property
    def alive(self) -> bool:
        return self._segment is not None and self._segment.connected

    @property
    def beat_ns(self) -> int | None:
        return None

    def take_port(self) -> PortLock | None:
        return self._segments().take(self._device, self._port, self._state_dir)

    async def open(self) -> dict[str, str]:
        segment = self._segments().join(self._device, self._port, self._unit, self._link, self._gone, self._state_dir)
        self._segment = segment
        await segment.connect()
        self._heard_ns = time.monotonic_ns()
        try:
            await self._request(Ask(self._unit, READ, self._first, 1))
        except NotAnswered as error:
            if error.received is not None:
                raise DeviceError(
                    f"something answers, but not as Modbus unit {self._unit} does. Another device on this port, or "
                    f"another speed than {self._link}?",
                    device=self._device,
                    port=self._port,
                    sent=error.sent,
                    received=error.received,
                ) from error
            raise DeviceError(
                f"unit {self._unit} does not answer. Is it powered, are A and B the right way round, and do unit and "
                f"speed ({self._link}) match the board's settings?",
                device=self._device,
                port=self._port,
                sent=error.sent,
            ) from error
        return {"model": "Modbus relay board", "unit": str(self._unit)}

    async def put(self, n: int, energised: bool) -> Done:
        _, done = await self._request(Ask(self._unit, self._function, n, 1, on=energised))
        return done

    async def look(self, numbers: Iterable[int]) -> tuple[Mapping[int, bool], Done]:
        wanted = sorted(numbers)
        first = last = wanted[0]
        spans: list[tuple[int, int]] = []
        for n in wanted[1:]:
            if n - first >= MOST_AT_ONCE or n != last + 1:
                spans.append((first, last))
                first = n
            last = n
        spans.append((first, last))
        found: dict[int, bool] = {}
        done: list[Done] = []
        for begin, end in spans:
            coils, one = await self._request(Ask(self._unit, READ, begin, end - begin + 1))
            found |= {begin + at: bool(coil) for at, coil in enumerate(coils)}
            done.append(one)
        return found, Done(done[0].sent_ns, done[-1].at_ns, "; ".join(one.raw for one in done))

    async def contact(self, n: int) -> tuple[bool, Done]:
        """Whether discrete input `n` has voltage. Raises like `look`."""
        inputs, done = await self._request(Ask(self._unit, READ_INPUTS, n, 1))
        return bool(inputs[0]), done

    async def _request(self, ask: Ask) -> tuple[tuple[int, ...], Done]:
        segment = self._segment
        if segment is None:
            raise DeviceError("is not open; open it first.", device=self._device, port=self._port)
        reading = await segment.request(ask, self._timeout_s)
        self._heard_ns = reading.response_ns
        return reading.registers, Done(reading.request_ns, reading.response_ns, reading.raw)

    async def close(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            self._segments().leave(segment, self._unit)
            await segment.closed()

    def wire(self) -> tuple[Wire, Reach, str]:
        port = self._port.replace("rtu+tcp://", "socket://", 1)
        return wire_of(port, self._link.baud, parity=self._link.parity, stopbits=self._link.stop_bits)

    def step(self, n: int, energised: bool) -> tuple[bytes, str | None]:
        value = 0xFF00 if energised else 0
        body = bytes((self._unit, WRITE)) + n.to_bytes(2, "big") + value.to_bytes(2, "big")
        if self._function == WRITE_SEVERAL:
            body = bytes((self._unit, WRITE_SEVERAL)) + n.to_bytes(2, "big") + bytes((0, 1, 1, int(energised)))
        return self._framed(body, body[:6], 2 * n + 1)

    def check(self, n: int, energised: bool) -> tuple[bytes, str] | None:
        """The echo of a write says that the board heard it, not that its coil follows."""
        body = bytes((self._unit, READ)) + n.to_bytes(2, "big") + b"\x00\x01"
        return self._framed(body, bytes((self._unit, READ, 1, int(energised))), 2 * n + 2)

    def _framed(self, body: bytes, answer: bytes, transaction: int) -> tuple[bytes, str]:
        """A request as it goes on the wire, and the expression of the one answer that will do."""
        if scheme_of(self._device, self._port) == "tcp":
            head = (transaction & 0xFFFF).to_bytes(2, "big") + b"\x00\x00"
            sent, came = (head + len(part).to_bytes(2, "big") + part for part in (body, answer))
        else:
            sent, came = (part + crc16(part).to_bytes(2, "little") for part in (body, answer))
        return sent, re.escape(came.decode("latin-1"))

    def _gone(self) -> None:
        now_ns = time.monotonic_ns()
        self._on_dead(OSError("the port was closed from the other side"), self._heard_ns or now_ns, now_ns)
