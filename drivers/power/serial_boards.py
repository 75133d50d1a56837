"""Relay boards on a serial port: LCUS boards, which answer nothing, and Numato boards, which say what they do.

Sources: the LCUS protocol as it stands in the data of the boards with a CH340 (9600 baud; A0, relay from 1, 1 or 0, sum
of the three); docs.numato.com, USB Relay Modules (`ver`, `id get`, `relay on|off|read N`, N = 0..9 and A..V, lines
end with CR, the module echoes and ends with a prompt `>`), and the sample code of Numato Lab.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

from ...errors import DeviceError
from ..base import made_in_thread
from ..emergency import Wire
from ..ports import PortLock, Reach, wire_of
from ..serial_line import Block, SerialLine, close_serial, open_serial
from .asking import Asking, NoAnswer
from .boards import Done, OnDead

__all__ = ["LcusBoard", "NumatoBoard", "lcus_frame"]


class _Garbled(DeviceError):
    """An answer that is not the one to what was asked."""


NUMATO_NAMES = "0123456789ABCDEFGHIJKLMNOPQRSTUV"


class _SerialBoard(ABC):
    """The port, and the thread that reads it."""

    default_baud: ClassVar[int]

    def __init__(
        self, device: str, port: str, on_dead: OnDead, *, baud: int | None, timeout_s: float, state_dir: Path | None
    ) -> None:
        self._device = device
        self._port = port
        self._on_dead = on_dead
        self._baud = baud or self.default_baud
        self._timeout_s = timeout_s
        self._state_dir = state_dir
        self._line: SerialLine | None = None
        self._heard_ns = 0

    @property
    def alive(self) -> bool:
        return self._line is not None and self._line.alive

    @property
    def beat_ns(self) -> int | None:
        return None if self._line is None else self._line.beat_ns

    def take_port(self) -> PortLock | None:
        return None

    def wire(self) -> tuple[Wire, Reach, str]:
        return wire_of(self._port, self._baud)

    async def _connect(self) -> None:
        port = await made_in_thread(
            lambda: open_serial(self._device, self._port, self._baud, state_dir=self._state_dir), close_serial
        )
        self._heard_ns = time.monotonic_ns()
        self._line = SerialLine(self._device, port, self._on_block, self._dead)

    async def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.close()

    def _write(self, data: bytes) -> None:
        if self._line is None:
            raise DeviceError("is not open; open it first.", device=self._device, port=self._port)
        try:
            self._line.write(data)
        except OSError as error:
            raise self._dead(error, self._heard_ns, time.monotonic_ns()) from error

    def _dead(self, error: Exception, since_ns: int, now_ns: int) -> DeviceError:
        return self._on_dead(error, since_ns, now_ns)

    @abstractmethod
    def _on_block(self, block: Block) -> None:
        """Bytes came, or nothing came until now."""


def lcus_frame(n: int, energised: bool) -> bytes:
    """The four bytes that switch relay `n` (1..255)."""
    return bytes((0xA0, n, int(energised), (0xA0 + n + energised) & 0xFF))


class LcusBoard(_SerialBoard):
    """A board that takes `A0 n 1 sum` and `A0 n 0 sum` and answers nothing: commanded, not observed."""

    observed: ClassVar[bool] = False
    numbers: ClassVar[range] = range(1, 17)
    default_baud: ClassVar[int] = 9600

    async def open(self) -> dict[str, str]:
        await self._connect()
        return {"model": "LCUS relay board, which cannot say that it is one"}

    async def put(self, n: int, energised: bool) -> Done:
        frame = lcus_frame(n, energised)
        sent_ns = time.monotonic_ns()
        self._write(frame)
        # the frame is on the wire when the kernel has taken it, and done when the line has carried it
        return Done(sent_ns, time.monotonic_ns() + len(frame) * 10 * 10**9 // self._baud, frame.hex(" "))

    async def look(self, numbers: Iterable[int]) -> tuple[Mapping[int, bool], Done]:
        raise DeviceError("cannot say what its relays do.", device=self._device, port=self._port)

    def step(self, n: int, energised: bool) -> tuple[bytes, str | None]:
        return lcus_frame(n, energised), None

    def check(self, n: int, energised: bool) -> tuple[bytes, str] | None:
        return None

    def _on_block(self, block: Block) -> None:
        self._heard_ns = block.at_ns


class NumatoBoard(_SerialBoard):
    """A Numato Lab relay module: text with a prompt, relays from 0, each read back."""

    observed: ClassVar[bool] = True
    numbers: ClassVar[range] = range(len(NUMATO_NAMES))
    default_baud: ClassVar[int] = 19200

    def __init__(
        self, device: str, port: str, on_dead: OnDead, *, baud: int | None, timeout_s: float, state_dir: Path | None
    ) -> None:
        super().__init__(device, port, on_dead, baud=baud, timeout_s=timeout_s, state_dir=state_dir)
        self._asking = self._fresh()
        self._seen = b""

    def _fresh(self) -> Asking:
        return Asking(self._device, self._port, self._write, end=b">", timeout_s=self._timeout_s)

    async def open(self) -> dict[str, str]:
        self._asking = self._fresh()
        self._seen = b""
        await self._connect()
        try:
            await self._asking.ask(b"\r")  # ends what was typed before; of its answer only the prompt counts
            try:
                version, _ = await self._ask("ver")
            except _Garbled:
                version, _ = await self._ask("ver")  # that was the answer to what was asked before the port was closed
            serial, _ = await self._ask("id get")
        except (NoAnswer, _Garbled) as error:
            raise self._nobody_there() from error
        return {"model": "Numato relay module", "serial": serial, "firmware": version}

    def _nobody_there(self) -> DeviceError:
        within = f"within {self._timeout_s:g} s"
        if self._seen:
            return DeviceError(
                f"something answers, but {within} not as a Numato relay module does. Another device on this port?",
                device=self._device,
                port=self._port,
                sent="ver",
                received=self._seen.decode("latin-1"),
            )
        return DeviceError(
            f"no answer {within}. Is the board powered, and is this its port?",
            device=self._device,
            port=self._port,
            sent="ver",
        )

    async def _ask(self, text: str) -> tuple[str, Done]:
        """What stands between the echo of the command and the prompt."""
        answer = await self._asking.ask(text.encode() + b"\r")
        echo, _, value = answer.text.replace("\r", "\n").partition("\n")
        if echo.strip() != text:
            self._asking.doubt()
            raise _Garbled(
                "its answer does not begin with the command.",
                device=self._device,
                port=self._port,
                sent=text,
                received=answer.text,
            )
        value = value.strip()
        return value, Done(answer.sent_ns, answer.at_ns, f"{text} -> {value}" if value else text)

    async def put(self, n: int, energised: bool) -> Done:
        _, done = await self._ask(f"relay {'on' if energised else 'off'} {NUMATO_NAMES[n]}")
        return done

    async def look(self, numbers: Iterable[int]) -> tuple[Mapping[int, bool], Done]:
        found: dict[int, bool] = {}
        done: list[Done] = []
        for n in numbers:
            value, one = await self._ask(f"relay read {NUMATO_NAMES[n]}")
            if value not in ("on", "off"):
                raise DeviceError(
                    f"says neither on nor off of relay {n}. Has the board that many?",
                    device=self._device,
                    port=self._port,
                    sent=one.raw,
                    received=value,
                )
            found[n] = value == "on"
            done.append(one)
        return found, Done(done[0].sent_ns, done[-1].at_ns, "; ".join(one.raw for one in done))

    async def close(self) -> None:
        self._asking.dead(DeviceError("was closed meanwhile.", device=self._device, port=self._port))
        await super().close()

    def step(self, n: int, energised: bool) -> tuple[bytes, str | None]:
        name, word = NUMATO_NAMES[n], "on" if energised else "off"
        lines = f"\rrelay {word} {name}\rrelay read {name}\r"
        return lines.encode(), rf"relay read {name}\s+{word}\s+>"

    def check(self, n: int, energised: bool) -> tuple[bytes, str] | None:
        return None

    def _dead(self, error: Exception, since_ns: int, now_ns: int) -> DeviceError:
        loss = super()._dead(error, since_ns, now_ns)
        self._asking.dead(loss)
        return loss

    def _on_block(self, block: Block) -> None:
        self._heard_ns = block.at_ns
        if block.data:
            self._seen = (self._seen + block.data)[-160:]
            self._asking.take(block.data, block.at_ns)
