"""The processes of the virtual bench: the emulators with the model, and the simulated station.

Each runs in a session of its own, so that the terminal's signals do not reach it, holds the read
end of a pipe as its lifeline, and ends by itself when that pipe closes, however the bench dies.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any, cast

from ..errors import TwinError
from .timeline import Source, Stamp

__all__ = ["Child", "start_station", "start_twin", "watch_twin"]

READY_WITHIN_S = 10.0
ANSWER_WITHIN_S = 5.0
END_WITHIN_S = 3.0


class Child:
    """One process of the twin. `name` is for messages; `log` takes its standard error.

    Raises:
        TwinError: the process cannot be started.
    """

    def __init__(self, name: str, module: str, args: Sequence[str], log: Path) -> None:
        self.name = name
        self.log = log
        command = [sys.executable, "-X", "faulthandler", "-m", module, *args]
        try:
            with log.open("ab") as stderr:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stderr,
                    start_new_session=True,
                    close_fds=True,
                )
        except OSError as error:
            raise TwinError(f"{name}: {' '.join(command)} could not be started: {error}.") from error
        self._write_lock = threading.Lock()
        self._let_go = False
        self._ended_by_us = False
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last_id = 0

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def say(self, message: dict[str, Any]) -> None:
        """Send one control line. A process that has ended does not hear it, which is no error here."""
        pipe = cast("IO[bytes]", self.process.stdin)
        with self._write_lock:
            try:
                pipe.write(json.dumps(message).encode() + b"\n")
                pipe.flush()
            except (OSError, ValueError):
                return

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a control line and wait for its answer; on the bench's loop.

        Raises:
            TwinError: refused, with the reason, or not answered.
        """
        self._last_id += 1
        number = self._last_id
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self.say({**message, "id": number})
            async with asyncio.timeout(ANSWER_WITHIN_S):
                told = await answer
        except TimeoutError:
            raise TwinError(f"{self.name}: no answer to {message} within {ANSWER_WITHIN_S:g} s.") from None
        finally:
            del self._asked[number]
        if told["type"] == "refused":
            raise TwinError(f"{self.name}: {told['message']}.")
        return told

    def answered(self, message: dict[str, Any]) -> None:
        """Hand an answer to whoever asked; on the bench's loop."""
        asked = self._asked.get(message.get("id") or 0)
        if asked is not None and not asked.done():
            asked.set_result(message)

    def read_lines(self, take: Callable[[dict[str, Any]], None], ended: Callable[[], None]) -> None:
        """Hand every JSON line the process prints to `take`, from a thread; `ended` when there are no more."""

        def pump() -> None:
            with cast("IO[bytes]", self.process.stdout) as pipe:
                for line in pipe:
                    try:
                        message = json.loads(line)
                    except ValueError:
                        message = {"type": "note", "text": line.decode(errors="replace").rstrip()}
                    take(message)
            ended()

        threading.Thread(target=pump, name=f"{self.name} output", daemon=True).start()

    def let_go(self) -> None:
        """Close the lifeline; the process ends by itself."""
        self._let_go = True
        pipe = cast("IO[bytes]", self.process.stdin)
        with self._write_lock:
            try:
                pipe.close()
            except OSError:
                return

    def end(self) -> None:
        """Close the lifeline and see the process gone, killing it when it does not go; blocks some seconds at most."""
        self.let_go()
        try:
            self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._ended_by_us = True
            self.process.kill()
            self.process.wait()

    def death(self) -> TwinError | None:
        """What to tell of a process that ended although nobody let it go; None while it runs.

        After `end` it still tells of one that a signal had ended before: its connections may be seen to go first.
        """
        code = self.process.poll()
        if code is None or self._ended_by_us or (self._let_go and code >= 0):
            return None
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return TwinError(
            f"{self.name}: the process ended during the run ({how}), so what came after it is not the station's "
            f"doing. {self.last_words() or f'It left no word in {self.log}.'} Run again."
        )

    def last_words(self) -> str:
        """The last lines of its standard error, for a message."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return " | ".join(lines[-3:])


async def start_twin(config: dict[str, Any], directory: Path, source: Source) -> tuple[Child, dict[str, str]]:
    """Start the emulators and the model; returns the process and its port names.

    The answer has the keys `pilot`, `meter`, `can` and `dut_port`, all paths.

    Raises:
        TwinError: it did not get ready in time, or ended.
    """
    config_file = directory / "twin.json"
    config_file.write_text(json.dumps(config))
    child = Child("twin", "pilotbench.bench.twin.emulators", [str(config_file)], directory / "twin.log")
    ready = watch_twin(child, source)
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            message = await ready
    except TimeoutError:
        words = await asyncio.to_thread(_end_and_quote, child)
        raise TwinError(f"twin: not ready within {READY_WITHIN_S:g} s. {words}") from None
    except BaseException:
        # also when the start is given up: nobody else knows this child
        child.say({"type": "stop"})
        await asyncio.to_thread(child.end)
        raise
    return child, {key: str(value) for key, value in message.items() if key != "type"}


def watch_twin(child: Child, source: Source) -> asyncio.Future[dict[str, Any]]:
    """Publish what the twin reports; the future is done with its `ready` message."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[dict[str, Any]] = loop.create_future()
    # A child that nobody waits for may end without being ready; its note on the timeline says so.
    ready.add_done_callback(lambda done: done.cancelled() or done.exception())

    def publish(message: dict[str, Any]) -> None:
        kind = message.get("type")
        if kind == "ready":
            if not ready.done():
                ready.set_result(message)
        elif kind == "overrun":
            now_ns = time.monotonic_ns()
            lo_ns = min(int(message["from_ns"]), now_ns)
            source.emit(
                "twin.overrun",
                Stamp(now_ns, lo_ns, max(lo_ns, min(int(message["to_ns"]), now_ns))),
                {key: message[key] for key in ("who", "from_ns", "to_ns")},
            )
        elif kind in ("fault", "waits", "refused", "faults"):
            if kind == "fault":
                at_ns = min(int(message["t_ns"]), time.monotonic_ns())
                data = {key: message.get(key) for key in ("name", "on", "device", "args")}
                source.emit("twin.fault", Stamp(time.monotonic_ns(), at_ns, at_ns), data, evse=message.get("evse"))
            child.answered(message)
        elif kind == "alive_without_mains":
            source.note("dut.alive_without_mains", {"station": message.get("station")})
        else:
            source.note("twin.note", {"text": str(message.get("text", message))})

    def ended() -> None:
        words = child.last_words()
        source.note("twin.note", {"text": f"{child.name} ended" + (f": {words}" if words else "")})
        if not ready.done():
            ready.set_exception(TwinError(f"{child.name}: it ended before it was ready. {words}"))

    def on_loop(act: Callable[..., None], *args: Any) -> None:
        try:
            loop.call_soon_threadsafe(act, *args)
        except RuntimeError:
            return  # the loop is closed: the run is over

    child.read_lines(lambda message: on_loop(publish, message), lambda: on_loop(ended))
    return ready


def start_station(
    directory: Path, source: Source, *, fault: str | None, oddity: str | None, seed: int, boot: bool = True
) -> Child:
    """Start the simulated station; it waits for the twin's port file by itself.

    `boot=False` lets it connect as if it had booted long ago.

    Raises:
        TwinError: it cannot be started.
    """
    args = ["--port-file", str(directory / "dut-port.json"), "--seed", str(seed)]
    if fault is not None:
        args += ["--fault", fault]
    if oddity is not None:
        args += ["--oddity", oddity]
    if not boot:
        args.append("--no-boot-on-start")
    child = Child("station", "pilotbench.bench.twin.station", args, directory / "station.log")
    watch_twin(child, source)
    return child


def _end_and_quote(child: Child) -> str:
    child.end()
    return child.last_words()
