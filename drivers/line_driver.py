"""What drivers of devices at one serial line have in common."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from ..bench.timeline import Gate, Source
from ..errors import DeviceError, DeviceLost
from .base import Driver, made_in_thread
from .line_splitter import LineSplitter
from .serial_line import Block, SerialLine, close_serial, open_serial

__all__ = ["LineDriver"]

TICK_EVERY_NS = 20_000_000
SEEN = 160


class LineDriver(Driver):
    """Opens a serial port (or `socket://`, `rfc2217://`), watches its reader and its task, and says who is not there.

    Subclasses call `_connect` in `_open`, set `_listening` once the device is recognised, and start what runs beside
    the verbs by `_beside`. They give `_on_block` and `_fail`.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        gate: Gate,
        *,
        port: str,
        evse: int,
        state_dir: Path | None,
        reconnect: bool,
    ) -> None:
        super().__init__(name, source, gate, port=port, evse=evse, state_dir=state_dir, reconnect=reconnect)
        self._line: SerialLine | None = None
        self._running: asyncio.Task[None] | None = None
        self._listening = False
        self._seen = b""
        self._read_ns = 0

    @property
    def alive(self) -> bool:
        stopped = self._running is not None and self._running.done()
        return super().alive and self._line is not None and self._line.alive and not stopped

    @property
    def beat_ns(self) -> int | None:
        return None if self._line is None else self._line.beat_ns

    @abstractmethod
    def _on_block(self, block: Block) -> None:
        """What was read; an empty block at least every 50 ms."""

    @abstractmethod
    def _fail(self, error: DeviceError) -> None:
        """Nothing comes any more: end what waits for an answer with this error."""

    async def _connect(self, baud: int, *, parity: str = "N", address: str | None = None) -> None:
        """Open the port, and read it from now on."""
        self._listening, self._seen, self._read_ns = False, b"", 0
        name, where, state_dir = self.name, address or self.port, self._state_dir
        port = await made_in_thread(
            lambda: open_serial(name, where, baud, parity=parity, state_dir=state_dir), close_serial
        )
        self._line = SerialLine(self.name, port, self._take, self._on_dead)

    def _beside(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run until the wire is closed; a driver has one such task."""
        self._running = self._task(work, name)

    async def _close(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        line, self._line = self._line, None
        self._listening = False
        self._fail(DeviceError("was closed meanwhile.", device=self.name, port=self.port))
        if line is not None:
            await line.close()

    def _nobody_there(self, within_s: float, what: str, silent: str, *, sent: str | None = None) -> DeviceError:
        """The error of a device that did not say who it is: somebody else (not `what`), or `silent`."""
        within = f"within {within_s:g} s"
        if self._seen:
            return DeviceError(
                f"something answers, but {within} not {what}. Another device on this port, or another baud rate?",
                device=self.name,
                port=self.port,
                sent=sent,
                received=self._seen.decode("latin-1"),
            )
        return DeviceError(f"no answer {within}{silent}", device=self.name, port=self.port, sent=sent)

    def _write(self, data: bytes) -> None:
        if self._line is None:
            raise DeviceError("is not open; open it first.", device=self.name, port=self.port)
        try:
            self._line.write(data)
        except OSError as error:
            now_ns = time.monotonic_ns()
            raise self._on_dead(error, self._read_ns or now_ns, now_ns) from error

    def _on_dead(self, error: Exception, since_ns: int, now_ns: int) -> DeviceLost:
        loss = self._lost(error, since_ns, now_ns)
        self._fail(loss)
        return loss

    def _take(self, block: Block) -> None:
        if block.data:
            self._read_ns = block.at_ns
            if not self._listening:
                self._seen = (self._seen + block.data)[-SEEN:]
        self._on_block(block)

    def _split(self, splitter: LineSplitter, block: Block, on_line: Callable[[bytes, Block], None]) -> None:
        """Hand over the lines of a block; one that never ended is a gap."""
        overruns = splitter.overruns
        for line in splitter.feed(block.data) if block.data else ():
            on_line(line, block)
        if splitter.overruns > overruns and self._listening:
            self._source.gap(block.lo_ns, block.at_ns, f"{self.name} sent a line without an end")

    def _nothing_until(self, upto_ns: int) -> None:
        """All that came until then has been told."""
        if self._listening and upto_ns - self._source.watermark_ns >= TICK_EVERY_NS:
            self._source.tick(upto_ns)
