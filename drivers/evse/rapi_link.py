"""Requests to a RAPI station: one at a time, each with a sequence id of its own; a late answer belongs to nobody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from ...errors import DeviceError
from .rapi_frame import Reply, seal

__all__ = ["Answer", "NoAnswer", "RapiLink"]


class Answer(NamedTuple):
    """An answer to a request that was written at `sent_ns` at the earliest; it was read at `at_ns`."""

    ok: bool
    words: tuple[str, ...]
    sent_ns: int
    at_ns: int
    raw: str


class NoAnswer(DeviceError):
    """A request was written and not answered in time."""


OnAnswer = Callable[[Answer], None]


class RapiLink:
    """`write` puts bytes on the wire; `take` gets every answer that came, with the text of its line.

    An answer counts when it names the sequence id of the request in flight. Another one, or one that names none (a
    station answers so to what arrived damaged), is left alone: `on_stray` is told.
    """

    def __init__(
        self, device: str, port: str, write: Callable[[bytes], None], on_stray: Callable[[Reply, str], None]
    ) -> None:
        self._device = device
        self._port = port
        self._write = write
        self._on_stray = on_stray
        self._sequence = 0
        self._lock = asyncio.Lock()
        self._waiting: tuple[int, int, asyncio.Future[Answer], OnAnswer | None] | None = None
        self._dead: Exception | None = None

    async def ask(self, command: str, timeout_s: float, on_answer: OnAnswer | None = None) -> Answer:
        """Write a request and wait for its own answer; `on_answer` is called at the moment it is read.

        Raises:
            NoAnswer: none came in time; a command may have taken effect.
        """
        async with self._lock:
            if self._dead is not None:
                raise self._dead
            self._sequence = self._sequence % 255 + 1
            sent_ns = time.monotonic_ns()
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            self._waiting = (self._sequence, sent_ns, future, on_answer)
            try:
                self._write(seal(command, self._sequence))
                async with asyncio.timeout(timeout_s):
                    return await future
            except TimeoutError:
                raise NoAnswer(
                    f"did not answer within {timeout_s * 1000:g} ms.",
                    device=self._device,
                    port=self._port,
                    sent=command,
                ) from None
            finally:
                self._waiting = None

    def take(self, reply: Reply, at_ns: int, raw: str) -> None:
        """An answer was read at `at_ns`."""
        if self._waiting is None:
            self._on_stray(reply, raw)
            return
        sequence, sent_ns, future, on_answer = self._waiting
        if reply.sequence != sequence or future.done():
            self._on_stray(reply, raw)
            return
        answer = Answer(reply.ok, reply.words, sent_ns, at_ns, raw)
        future.set_result(answer)
        if on_answer is not None:
            on_answer(answer)

    def dead(self, error: Exception) -> None:
        """The port is gone: every request fails with `error` from now on."""
        self._dead = error
        if self._waiting is not None and not self._waiting[2].done():
            self._waiting[2].set_exception(error)
