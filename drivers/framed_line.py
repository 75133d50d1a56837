"""What drivers of the pilot and of the token line protocol have in common: frames, HELLO, and its answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from ..errors import DeviceError
from .line_driver import LineDriver
from .line_splitter import LineSplitter
from .pilot.frame import AnswerFrame, EventFrame, FrameError, parse
from .pilot.link import Answer, CommandLink, NoAnswer
from .serial_line import Block

__all__ = ["HELLO_WATCHDOG_MS", "FramedDriver"]

HELLO_WATCHDOG_MS = 2000
"""What HELLO arms the device's watchdog with."""


class FramedDriver(LineDriver):
    """Numbered commands and their answers, and events, each in a line with a checksum (`docs/pilot-protocol.md`).

    Subclasses make `_link` and `_splitter` afresh for each `_open`. `what`: how the device is called in messages.
    """

    what: ClassVar[str]
    _link: CommandLink
    _splitter: LineSplitter
    _watchdog_ms: int
    _hello_timeout_s: float

    async def _hello(self) -> None:
        """Ask who is there, and arm its watchdog.

        Raises:
            DeviceError: nobody, somebody else, or not the device that was here before.
        """
        try:
            await self._link.hello(self._hello_timeout_s, self._on_identity)
        except NoAnswer as error:
            what, silent = f"as a {self.what} does", f". Is the {self.what} powered, and is this its port?"
            raise self._nobody_there(self._hello_timeout_s, what, silent, sent="HELLO") from error
        await self._settle(self._link.command)

    async def _settle(self, command: Callable[[str], Awaitable[object]]) -> None:
        """What follows every HELLO: our watchdog time."""
        if self._watchdog_ms != HELLO_WATCHDOG_MS:
            await command(f"W {self._watchdog_ms}")

    async def _resync(self) -> None:
        before = self.identity.get("serial")
        await self._link.locked_hello(self._hello_timeout_s, self._on_identity)
        if before is not None and self.identity.get("serial") != before:
            raise DeviceError(
                f"another {self.what} stands on this port now: {self.identity.get('serial')} instead of {before}. "
                "Close and open it.",
                device=self.name,
                port=self.port,
            )
        await self._settle(self._link.locked_command)

    @abstractmethod
    def _identify(self, words: Sequence[str]) -> None:
        """Read and recognise who answers HELLO.

        Raises:
            ValueError: that is no identity of such a device.
            DeviceError: it is not the device that was here before.
        """

    @abstractmethod
    def _on_event(self, frame: EventFrame, block: Block, raw: str) -> None:
        """What the device says by itself."""

    def _fail(self, error: DeviceError) -> None:
        self._link.dead(error)

    def _on_identity(self, answer: Answer) -> None:
        try:
            self._identify(answer.words)
        except ValueError as error:
            self._link.refuse(
                DeviceError(
                    f"{error}. Correct `driver` or `port` in the bench file, or update its firmware.",
                    device=self.name,
                    port=self.port,
                    sent="HELLO",
                    received=" ".join(answer.words),
                )
            )
        except DeviceError as error:
            self._link.refuse(error)
        else:
            self._listening = True

    def _on_line(self, line: bytes, block: Block) -> None:
        raw = line.decode("latin-1")
        try:
            frame = parse(line)
        except FrameError as error:
            if self._listening:
                self._source.gap(block.lo_ns, block.at_ns, f"{self.name} sent {raw!r}: {error}")
            return
        if isinstance(frame, AnswerFrame):
            self._link.take(frame, block.at_ns)
        elif self._listening:
            self._on_event(frame, block, raw)
