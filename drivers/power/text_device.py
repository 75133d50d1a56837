"""What SCPI instruments and text relay boards have in common: a line, questions, and a poll."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from ...bench.timeline import Gate, Source
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState, Driver, made_in_thread
from ..serial_line import Block, SerialLine, close_serial, open_serial
from .asking import Asking

__all__ = ["TextDevice"]

TICK_EVERY_NS = 50_000_000
TICK_LAG_NS = 100_000_000
"""What was read becomes an event within this time."""


class TextDevice(Driver):
    """Opens a serial port, `socket://host:port` or `tcp://host:port` (the same thing), asks, and polls.

    Subclasses give `_greet` (identify, find the state, enter it) and `_look` (one poll, publishing what it shows).
    A poll that fails is a gap and DEGRADED until the next one that succeeds.
    """

    end: ClassVar[bytes] = b"\n"

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        baud: int,
        parity: str,
        poll_s: float,
        timeout_s: float,
        evse: int,
        state_dir: Path | None,
        reconnect: bool,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        if not 0.05 <= poll_s <= 60:
            raise ConfigError(f"{name}: poll_s = {poll_s} is outside 0.05..60")
        if not 0.02 <= timeout_s <= 10:
            raise ConfigError(f"{name}: timeout_s = {timeout_s} is outside 0.02..10")
        if parity not in ("N", "E", "O"):
            raise ConfigError(f"{name}: parity {parity!r} is none of N, E, O")
        self._baud = baud
        self._parity = parity
        self._poll_s = poll_s
        self._timeout_s = timeout_s
        self._line: SerialLine | None = None
        self._poller: asyncio.Task[None] | None = None
        self._asking = self._fresh()
        self._seen = b""
        self._greeted = False
        self._good_ns = 0

    def _fresh(self) -> Asking:
        return Asking(self.name, self.port, self._write, end=self.end, timeout_s=self._timeout_s)

    @property
    def alive(self) -> bool:
        return super().alive and self._line is not None and self._line.alive

    @property
    def beat_ns(self) -> int | None:
        return None if self._line is None else self._line.beat_ns

    async def _open(self) -> None:
        self._asking = self._fresh()
        self._seen = b""
        self._greeted = False
        address = self.port.replace("tcp://", "socket://", 1)
        port = await made_in_thread(
            lambda: open_serial(self.name, address, self._baud, parity=self._parity, state_dir=self._state_dir),
            close_serial,
        )
        self._line = SerialLine(self.name, port, self._on_block, self._on_dead)
        await self._greet()
        self._greeted = True
        self._good_ns = time.monotonic_ns()
        self._poller = self._task(self._poll(), "poll")

    async def _close(self) -> None:
        poller, self._poller = self._poller, None
        if poller is not None:
            poller.cancel()
            await asyncio.gather(poller, return_exceptions=True)
        line, self._line = self._line, None
        self._asking.dead(DeviceError("was closed meanwhile.", device=self.name, port=self.port))
        if line is not None:
            await line.close()

    @abstractmethod
    async def _greet(self) -> None:
        """Identify the device, read its state, and enter it."""

    @abstractmethod
    async def _look(self) -> None:
        """One poll."""

    async def _poll(self) -> None:
        """Absolute schedule: a slot that was missed is left out, the others do not move."""
        begun = time.monotonic()
        slot = 0
        while True:
            try:
                await self._look()
            except DeviceLost:
                return  # told, and looked for again
            except DeviceError as error:
                now_ns = time.monotonic_ns()
                self._source.gap(self._good_ns, now_ns, str(error))
                if self._state is not DeviceState.UNKNOWN:
                    self._enter(DeviceState.DEGRADED, str(error))
            else:
                self._good_ns = self._asking.heard_ns
                if self._state is DeviceState.DEGRADED:
                    self._enter(DeviceState.ACTIVE, "answers again")
            slot = max(slot + 1, int((time.monotonic() - begun) / self._poll_s) + 1)
            await asyncio.sleep(begun + slot * self._poll_s - time.monotonic())

    def _nobody_there(self, asked: str, what: str) -> DeviceError:
        """The error of a device that did not say who it is: silent, or somebody else."""
        within = f"within {self._timeout_s:g} s"
        if self._seen:
            return DeviceError(
                f"something answers, but {within} not as {what} does. Another device on this port, or another baud "
                f"rate than {self._baud}?",
                device=self.name,
                port=self.port,
                sent=asked,
                received=self._seen.decode("latin-1"),
            )
        return DeviceError(
            f"no answer {within}. Is it powered, set to this interface, and is this its port?",
            device=self.name,
            port=self.port,
            sent=asked,
        )

    def _write(self, data: bytes) -> None:
        if self._line is None:
            raise DeviceError("is not open; open it first.", device=self.name, port=self.port)
        try:
            self._line.write(data)
        except OSError as error:
            now_ns = time.monotonic_ns()
            raise self._on_dead(error, self._asking.heard_ns or now_ns, now_ns) from error

    def _on_dead(self, error: Exception, since_ns: int, now_ns: int) -> DeviceLost:
        loss = self._lost(error, since_ns, now_ns)
        self._asking.dead(loss)
        return loss

    def _on_block(self, block: Block) -> None:
        if block.data:
            if not self._greeted:
                self._seen = (self._seen + block.data)[-160:]
            self._asking.take(block.data, block.at_ns)
        upto_ns = block.at_ns - TICK_LAG_NS
        if self._greeted and upto_ns - self._source.watermark_ns >= TICK_EVERY_NS:
            self._source.tick(upto_ns)
