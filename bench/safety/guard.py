"""The bench's end of the guardian: starts it, feeds its heartbeat, and notices when it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from ...drivers.emergency import EmergencyRecipe
from ...errors import SafetyError

__all__ = ["DEAD_MS", "HEARTBEAT_S", "Guard", "Guarded"]

HEARTBEAT_S = 0.2
DEAD_MS = 600
READY_WITHIN_S = 10.0
ENDS_WITHIN_S = 3.0
ACTS_WITHIN_S = 22.0
"""Longer than the guardian lets itself take."""


class Guard:
    """One guardian process. All methods are for the bench loop and do not block it.

    Args:
        log: takes its standard error.
        tell: called on the loop with each word of the guardian, a message with a `type`.
        lost: called on the loop when it ended although nobody told it to.

    Raises:
        SafetyError: it cannot be started.
    """

    def __init__(self, log: Path, tell: Callable[[dict[str, Any]], None], lost: Callable[[str], None]) -> None:
        self._tell = tell
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._gone = asyncio.Event()
        self._let_go = False
        self._log = log
        command = [sys.executable, "-m", "pilotbench.bench.safety.guardian"]
        self._mouth = _standard_error()
        try:
            with log.open("ab") as stderr:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    start_new_session=True,
                    close_fds=True,
                    pass_fds=[] if self._mouth is None else [self._mouth],
                )
        except OSError as error:
            raise SafetyError(f"the guardian ({' '.join(command)}) could not be started: {error}.") from error
        finally:
            if self._mouth is not None:
                os.close(self._mouth)
        threading.Thread(target=self._listen, name="guardian output", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None and not self._let_go

    async def take(self, recipes: Sequence[EmergencyRecipe], report: Path, permission: Path | None = None) -> None:
        """Hand it the recipes and wait until it watches; nothing may be opened before. It works in this folder, too.

        `permission`: a person's, which it takes away when it acts.

        Raises:
            SafetyError: it did not get ready.
        """
        plan = {
            "owner": os.getpid(),
            "dead_ms": DEAD_MS,
            "report": str(report),
            "permission": "" if permission is None else str(permission),
            "recipes": msgspec.to_builtins(list(recipes)),
            "mouth": self._mouth,
        }
        pipe = cast("IO[bytes]", self._process.stdin)
        try:
            # A plan is a few kilobytes and its reader waits for it; a pipe holds 64.
            await asyncio.to_thread(self._write_plan, pipe, json.dumps(plan).encode() + b"\n")
            async with asyncio.timeout(READY_WITHIN_S):
                await self._ready
        except (OSError, TimeoutError) as error:
            self._let_go = True
            self._process.kill()
            raise SafetyError(
                f"the guardian did not get ready: {error or 'no answer'}. {self._last_words()}"
            ) from error
        os.set_blocking(pipe.fileno(), False)

    def _write_plan(self, pipe: IO[bytes], data: bytes) -> None:
        pipe.write(data)
        pipe.flush()

    def beat(self, age_ns: int) -> None:
        """The heartbeat: the slowest part of the bench moved `age_ns` ago."""
        self._say({"age_ns": age_ns})

    def closely(self) -> None:
        """From now on the bench may energise, and a missed heartbeat counts at once."""
        self._say({"watch": "closely"})

    async def end(self, act: str = "") -> None:
        """Let it go: the bench is closed, and its ports are free. `act`: it is to make safe first, and this is why.

        Raises:
            SafetyError: it did not end; it was killed then.
        """
        if not self.running:
            return
        self._let_go = True
        self._say({"end": "act", "why": act} if act else {"end": "done"})
        within_s = ACTS_WITHIN_S if act else ENDS_WITHIN_S
        try:
            async with asyncio.timeout(within_s):
                await self._gone.wait()
            await asyncio.to_thread(self._process.wait, 1.0)
        except (TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
            raise SafetyError(f"the guardian did not end within {within_s:g} s and was killed.") from None
        finally:
            cast("IO[bytes]", self._process.stdin).close()

    def _say(self, message: dict[str, Any]) -> None:
        try:
            os.write(cast("IO[bytes]", self._process.stdin).fileno(), json.dumps(message).encode() + b"\n")
        except (OSError, ValueError):
            return  # it is gone, or hangs: told by its output, which ends or falls silent

    def _listen(self) -> None:
        with cast("IO[bytes]", self._process.stdout) as pipe:
            for line in pipe:
                try:
                    message = json.loads(line)
                except ValueError:
                    continue
                self._on_loop(self._take, message)
        self._on_loop(self._ended)

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") == "ready" and not self._ready.done():
            self._ready.set_result(None)
        self._tell(message)

    def _ended(self) -> None:
        self._gone.set()
        if not self._ready.done():
            self._ready.set_exception(OSError("it ended before it was ready"))
            self._ready.exception()  # read here: nobody may wait for it any more
        elif not self._let_go:
            self._let_go = True
            code = self._process.poll()
            how = f"killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit code {code}"
            self._lost(f"the guardian ended during the run ({how}). {self._last_words()}".strip())

    def _on_loop(self, act: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(act, *args)
        except RuntimeError:
            return  # the loop is closed: the run is over

    def _last_words(self) -> str:
        try:
            return " | ".join(self._log.read_text(errors="replace").strip().splitlines()[-3:])
        except OSError:
            return ""


def _standard_error() -> int | None:
    """A descriptor of our standard error, to be handed on; None without one."""
    try:
        return os.dup(2)
    except OSError:
        return None


@dataclass(slots=True)
class Guarded:
    """The guardian of one bench. `trouble`: why the run must end as an ERROR."""

    guard: Guard
    heard_s: float
    beat: asyncio.Task[None] | None = None
    trouble: SafetyError | None = None
    acted: str = ""
