"""python-can's SLCAN bus with block reads.

The bus of python-can 4.6 reads one byte with each system call and loses frames on a busy bus, waits two
seconds after opening, opens the channel twice, and stamps with the wall clock after queueing. This
one takes what is there in one piece, with one stamp, and parses frames with the code of its parent.
"""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

from can import BusABC, CanProtocol, Message
from can.exceptions import CanOperationError
from can.interfaces.slcan import slcanBus

from ..serial_line import WAKE_S, WRITE_TIMEOUT_S, Block, BlockReader, close_serial, open_serial

__all__ = ["BlockSlcanBus", "Frames"]

_FRAME_LETTERS = "tTrRdDbBx"


class Frames(NamedTuple):
    """What one block completed: frames, and answers of the adapter (BEL = refused)."""

    messages: list[Message]
    answers: list[str]
    damaged: list[str]
    block: Block


class BlockSlcanBus(slcanBus):
    """An SLCAN adapter on a serial port or `socket://host:port`.

    `receive` is for one thread; `send` may be called from another.
    """

    def __init__(
        self, device: str, port: str, *, bitrate: int = 500_000, baud: int = 115200, state_dir: Path | None = None
    ) -> None:
        if bitrate not in self._BITRATES:
            raise ValueError(f"{bitrate} is no bit rate of SLCAN: {', '.join(map(str, self._BITRATES))}")
        opened = open_serial(device, port, baud, state_dir=state_dir)
        self.serialPortOrig: Any = opened
        self._listen_only = False
        self._queue: SimpleQueue[str] = SimpleQueue()
        self._buffer = bytearray()
        self._can_protocol = CanProtocol.CAN_20
        self._reader = BlockReader(opened)
        self._ready: deque[str] = deque()
        self._rest = b""
        self.seen = b""
        # a half-written command of whoever was here before ends with the first CR
        for command in ("", "C", self._BITRATES[bitrate], "O"):
            self._write(command)
        BusABC.__init__(self, channel=port)

    def receive(self, timeout_s: float = WAKE_S) -> Frames:
        """Everything the next block completed; nothing after `timeout_s`.

        Raises:
            OSError: the adapter is gone.
        """
        block = self._reader.read(timeout_s)
        frames = Frames([], [], [], block)
        if not block.data:
            return frames
        self.seen = (self.seen + block.data)[-160:]
        for text in self._split(block.data):
            if text[0] not in _FRAME_LETTERS:
                frames.answers.append(text)
                continue
            self._queue.put(text)
            try:
                message, _ = super()._recv_internal(0)
            except (ValueError, IndexError):
                message = None
            if message is None:
                frames.damaged.append(text)
            else:
                frames.messages.append(message)
        return frames

    def _split(self, data: bytes) -> list[str]:
        """Cut at CR; a BEL ends a line too, and is one by itself. Stray bytes of other encodings stay visible."""
        *lines, self._rest = re.split(rb"\r|(\a)", self._rest + data)
        if len(self._rest) > 4096:
            self._rest = b""
        return [line.decode("latin-1") for line in lines if line]

    def ask(self, command: str) -> None:
        """Send a command of the adapter, such as `V` (version) or `N` (serial number)."""
        self._write(command)

    def wake(self) -> None:
        """End a `receive` that waits in another thread."""
        self._reader.wake()

    def send(self, msg: Message, timeout: float | None = WRITE_TIMEOUT_S) -> None:
        """Write one frame; raises CanOperationError when the adapter is gone."""
        super().send(msg, WRITE_TIMEOUT_S)

    def shutdown(self) -> None:
        """Close the channel and the port; raises nothing, the adapter may be gone."""
        BusABC.shutdown(self)
        try:
            self._write("C")
        except (CanOperationError, OSError):
            pass
        close_serial(self.serialPortOrig)
        self._reader.close()

    def _write(self, string: str) -> None:
        # the parent drains the port after each frame, which waits for the line
        try:
            self.serialPortOrig.write(string.encode() + self.LINE_TERMINATOR)
        except OSError as error:
            raise CanOperationError(f"could not write: {error}") from error

    def _read(self, timeout: float | None) -> str | None:
        if not self._ready:
            block = self._reader.read(WAKE_S if timeout is None else timeout)
            self._ready.extend(self._split(block.data))
        return self._ready.popleft() if self._ready else None
