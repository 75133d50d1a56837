"""Questions on a line of text, one at a time, and never the answer to another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from ...errors import DeviceError

__all__ = ["Answer", "Asking", "NoAnswer"]

MAX_REST = 4096


class Answer(NamedTuple):
    """The text of an answer; the question was written at `sent_ns` at the earliest, the answer read at `at_ns`."""

    text: str
    sent_ns: int
    at_ns: int


class NoAnswer(DeviceError):
    """It was asked and did not answer in time: nobody knows whether it heard."""


class Asking:
    """One question in flight. `write` puts bytes on the wire; `take` gets what came.

    Answers have no number, so a late one looks like the answer to the next question. Therefore, after a question that
    was not answered, nothing is asked before the line was quiet for one timeout, three at most.
    """

    def __init__(self, device: str, port: str, write: Callable[[bytes], None], *, end: bytes, timeout_s: float) -> None:
        self._device = device
        self._port = port
        self._write = write
        self._end = end
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Future[Answer] | None = None
        self._sent_ns = 0
        self._rest = b""
        self._doubt_ns: int | None = None
        self._dead: Exception | None = None
        self.heard_ns = 0
        """When it last answered."""
        self.stray_ns = 0
        """When bytes last came."""

    async def tell(self, *lines: bytes) -> int:
        """Write what has no answer; returns the instant before it was written."""
        async with self._turn:
            await self._settle()
            self._sent_ns = time.monotonic_ns()
            self._put(b"".join(lines))
            return self._sent_ns

    async def ask(self, *lines: bytes) -> Answer:
        """Write lines of which the last is a question, and wait for its answer.

        Raises:
            NoAnswer: none came in time.
            DeviceLost: the port is gone.
        """
        async with self._turn:
            await self._settle()
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._rest = b""
            self._waiting = future
            self._sent_ns = time.monotonic_ns()
            self._doubt_ns = self._sent_ns  # until it has answered; also when whoever asks gives up
            try:
                self._put(b"".join(lines))
                async with asyncio.timeout(self._timeout_s):
                    answer = await future
            except TimeoutError:
                self.doubt()
                raise NoAnswer(
                    f"did not answer within {self._timeout_s:g} s.",
                    device=self._device,
                    port=self._port,
                    sent=_shown(b"".join(lines)),
                    received=_shown(self._rest) if self._rest else None,
                ) from None
            finally:
                self._waiting = None
                if not future.cancel() and not future.cancelled():
                    future.exception()  # the write failed, and with it what nobody waits for any more
            self._doubt_ns = None
            return answer

    async def _settle(self) -> None:
        doubt_ns = self._doubt_ns
        if doubt_ns is None:
            return
        wait_ns = int(self._timeout_s * 1e9)
        while self._dead is None:
            due_ns = min(max(doubt_ns, self.stray_ns) + wait_ns, doubt_ns + 3 * wait_ns)
            now_ns = time.monotonic_ns()
            if now_ns >= due_ns:
                break
            await asyncio.sleep((due_ns - now_ns) / 1e9)
        self._doubt_ns = None

    def _put(self, data: bytes) -> None:
        if self._dead is not None:
            raise self._dead
        self._write(data)

    def doubt(self) -> None:
        """What was answered may be the answer to an earlier question: let the line become quiet first."""
        self._doubt_ns = time.monotonic_ns()

    def take(self, data: bytes, at_ns: int) -> None:
        """Bytes came. What nobody waits for is a late answer, and is dropped."""
        self.stray_ns = at_ns
        future = self._waiting
        if future is None or future.done():
            return
        self._rest = (self._rest + data)[-MAX_REST:]
        answer, end, _ = self._rest.partition(self._end)
        if not end:
            return
        self.heard_ns = at_ns
        future.set_result(Answer(answer.decode("latin-1").strip(), self._sent_ns, at_ns))

    def dead(self, error: Exception) -> None:
        """The port is gone: every question fails with `error` from now on."""
        self._dead = error
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)


def _shown(data: bytes) -> str:
    return data[:160].decode("latin-1").strip()
