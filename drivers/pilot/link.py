"""Commands to a pilot emulator: sequence numbers, one at a time, one repeat, and finding each other again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from ...errors import DeviceError
from .frame import ERRORS, AnswerFrame, FrameError, seal

__all__ = ["Answer", "CommandLink", "NoAnswer", "Refused"]

ANSWER_TIMEOUT_S = 0.3
HELLO_EVERY_S = 0.25
LISTEN_AGAIN_S = 0.05


class Answer(NamedTuple):
    """An acknowledgement: the command was written at `sent_ns` at the earliest, the answer read at `at_ns`."""

    words: tuple[str, ...]
    sent_ns: int
    at_ns: int
    sent: str


class NoAnswer(DeviceError):
    """A command was written and not acknowledged: nobody knows whether it took effect."""


class Refused(DeviceError):
    """The device answered with an error code; nothing changed."""

    def __init__(
        self,
        message: str,
        code: int,
        *,
        device: str,
        port: str,
        sent: str,
        received: str | None = None,
    ) -> None:
        super().__init__(message, device=device, port=port, sent=sent, received=received)
        self.code = code


OnAnswer = Callable[[Answer], None]


class CommandLink:
    """One command in flight. `write` puts bytes on the wire; `take` gets every answer that came.

    After a lost answer, a restart of the device or an answer out of order the link needs a new
    HELLO; `resync` is awaited before the next command then.

    While `deaf` says that nobody reads the port, no HELLO and no repeat is written: nobody would hear the answer, and
    each would feed the watchdog. A command is written once and blindly, for it may be a step to the safe state.
    """

    def __init__(
        self,
        device: str,
        port: str,
        write: Callable[[bytes], None],
        resync: Callable[[], Awaitable[None]],
        deaf: Callable[[], bool] = lambda: False,
    ) -> None:
        self._device = device
        self._port = port
        self._write = write
        self._resync = resync
        self._deaf = deaf
        self._seq = 0
        self._lock = asyncio.Lock()
        self._waiting: tuple[int, str, int, asyncio.Future[AnswerFrame], OnAnswer | None] | None = None
        self._dead: Exception | None = None
        self.needs_hello = True
        self.heard_ns = 0

    async def hello(self, timeout_s: float, on_answer: OnAnswer) -> None:
        """Line end and HELLO every 250 ms until the device answers; what came before it counts for nothing.

        Raises:
            NoAnswer: it did not within `timeout_s`.
        """
        async with self._lock:
            await self._hello(timeout_s, on_answer)

    async def _hello(self, timeout_s: float, on_answer: OnAnswer) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            # a new number each time: the same one would ask for the last answer again
            self._seq = (self._seq + 1) % 65536
            try:
                while self._deaf():
                    if time.monotonic() >= deadline:
                        raise TimeoutError
                    await asyncio.sleep(LISTEN_AGAIN_S)  # a look at the reader, bounded by the deadline
                await self._exchange("HELLO", HELLO_EVERY_S, on_answer, prefix=b"\n")
            except (TimeoutError, Refused):
                if time.monotonic() >= deadline:
                    raise NoAnswer(
                        f"does not answer HELLO within {timeout_s:g} s.", device=self._device, port=self._port
                    ) from None
            else:
                self.needs_hello = False
                return

    async def command(self, text: str, on_answer: OnAnswer | None = None) -> Answer:
        """Send a command and wait for its acknowledgement; repeated once with the same number.

        `on_answer` is called at the moment the acknowledgement is read, before anything that came after it.

        Raises:
            Refused: the device answered with an error code; nothing changed.
            NoAnswer: two times 300 ms without an answer, or the device restarted before it answered.
        """
        async with self._lock:
            if self.needs_hello and not self._deaf():
                await self._resync()
            return await self.locked_command(text, on_answer)

    async def locked_command(self, text: str, on_answer: OnAnswer | None = None) -> Answer:
        """`command` for whoever is called by `resync`."""
        self._seq = (self._seq + 1) % 65536
        sent_ns = time.monotonic_ns()
        tries = 0
        for _ in range(2):
            tries += 1
            try:
                return await self._exchange(text, ANSWER_TIMEOUT_S, on_answer, sent_ns=sent_ns)
            except TimeoutError:
                if self._deaf():
                    break
            except Refused as error:
                if error.code == 1:
                    continue  # it arrived damaged: the repeat is safe
                if error.code == 4:
                    self.needs_hello = True
                raise
        self.needs_hello = True
        raise NoAnswer(
            f"did not acknowledge within {tries} x {ANSWER_TIMEOUT_S * 1000:g} ms; the command may have taken effect.",
            device=self._device,
            port=self._port,
            sent=text,
        )

    async def locked_hello(self, timeout_s: float, on_answer: OnAnswer) -> None:
        """`hello` for whoever is called by `resync`."""
        await self._hello(timeout_s, on_answer)

    async def _exchange(
        self,
        text: str,
        timeout_s: float,
        on_answer: OnAnswer | None,
        *,
        prefix: bytes = b"",
        sent_ns: int | None = None,
    ) -> Answer:
        if self._dead is not None:
            raise self._dead
        try:
            line = seal(f"${self._seq} {text}")
        except FrameError as error:
            raise Refused(f"cannot be sent: {error}.", 2, device=self._device, port=self._port, sent=text) from error
        began_ns = time.monotonic_ns() if sent_ns is None else sent_ns
        future: asyncio.Future[AnswerFrame] = asyncio.get_running_loop().create_future()
        self._waiting = (self._seq, text, began_ns, future, on_answer)
        try:
            self._write(prefix + line)
            async with asyncio.timeout(timeout_s):
                answer = await future
        finally:
            self._waiting = None
            if not future.cancel() and not future.cancelled():
                future.exception()  # the write failed, and with it what nobody waits for any more
        if not answer.ok:
            reason = ERRORS.get(answer.code, "unknown error code")
            raise Refused(
                f"refused with error {answer.code} ({reason}).",
                answer.code,
                device=self._device,
                port=self._port,
                sent=text,
                received=" ".join(answer.words),
            )
        return Answer(answer.words, began_ns, self.heard_ns, text)

    def take(self, frame: AnswerFrame, at_ns: int) -> None:
        """An answer was read at `at_ns`; one that nobody waits for is an old repeat and is left alone."""
        if self._waiting is None:
            return
        seq, text, sent_ns, future, on_answer = self._waiting
        if future.done() or frame.seq not in (seq, None) or (frame.seq is None and frame.ok):
            return
        if text == "HELLO" and frame.ok and not _is_identity(frame.words):
            return
        self.heard_ns = at_ns
        if frame.ok and on_answer is not None:
            on_answer(Answer(frame.words, sent_ns, at_ns, text))
        if not future.done():
            future.set_result(frame)

    def restarted(self, why: str) -> None:
        """The device restarted: whatever it was asked is gone, and it wants a HELLO."""
        self.needs_hello = True
        if self._waiting is not None and self._waiting[1] != "HELLO":
            self._fail(NoAnswer(f"{why} before it acknowledged.", device=self._device, port=self._port))

    def refuse(self, error: Exception) -> None:
        """What was answered is no answer: the command in flight ends with `error`."""
        self._fail(error)

    def dead(self, error: Exception) -> None:
        """The port is gone: every command fails with `error` from now on."""
        self._dead = error
        self._fail(error)

    def _fail(self, error: Exception) -> None:
        if self._waiting is not None and not self._waiting[3].done():
            self._waiting[3].set_exception(error)


def _is_identity(words: Sequence[str]) -> bool:
    return any(word.startswith("proto=") for word in words)
