"""What SCPI instruments and text relay boards have in common: a line, questions, and a poll."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from ...bench.timeline import Gate, Source
from ...errors import ConfigError, DeviceError, DeviceLost
from ..base import DeviceState
from ..line_driver import LineDriver
from ..serial_line import Block
from .asking import Asking

__all__ = ["TextDevice"]

TICK_LAG_NS = 100_000_000
"""What was read becomes an event within this time."""


class TextDevice(LineDriver):
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
        self._asking = self._fresh()
        self._good_ns = 0

    def _fresh(self) -> Asking:
        return Asking(self.name, self.port, self._write, end=self.end, timeout_s=self._timeout_s)

    async def _open(self) -> None:
        self._asking = self._fresh()
        await self._connect(self._baud, parity=self._parity, address=self.port.replace("tcp://", "socket://", 1))
        await self._greet()
        self._listening = True
        self._good_ns = time.monotonic_ns()
        self._beside(self._poll(), "poll")

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

    def _not_there(self, asked: str, what: str) -> DeviceError:
        """The error of a device that did not say who it is: silent, or somebody else."""
        silent = ". Is it powered, set to this interface, and is this its port?"
        return self._nobody_there(self._timeout_s, f"as {what} does", silent, sent=asked)

    def _fail(self, error: DeviceError) -> None:
        self._asking.dead(error)

    def _on_block(self, block: Block) -> None:
        if block.data:
            self._asking.take(block.data, block.at_ns)
        self._nothing_until(block.at_ns - TICK_LAG_NS)
