"""A bench on a thread and loop of its own, behind plain functions.

pytest, the command line and the screen hold one of these. Every call has a deadline, takes and
returns plain data, and may come from any thread but the bench's own.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BenchError, ConfigError
from . import lifecycle, powering
from .assembly import Bench, RunOptions, build
from .config import BenchFile, load_bench_file, virtual_bench
from .correlation import Report
from .facades import CsmsFacade, TimelineFacade, VehicleFacade
from .live import Snapshot
from .overdue import watch_faults
from .owner import Ownership
from .permission import is_real
from .safety.danger import PLAIN
from .stop import signals_held
from .timeline import new_loop, parse_quantity
from .twin_control import TwinFacade

__all__ = ["BenchHost"]

T = TypeVar("T")

START_WITHIN_S = 30.0
START_CEASES_S = 8.0
CLOSE_WITHIN_S = 90.0
CLEAR_WITHIN_S = 120.0


class BenchHost:
    """One bench, up and running between `start()` and `close()`; also a context manager.

    `progress` is called with a line of text while the host waits for the station.
    """

    def __init__(
        self,
        bench_file: Path | BenchFile | None = None,
        *,
        options: RunOptions,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        file = bench_file if isinstance(bench_file, BenchFile) else load_bench_file(bench_file or virtual_bench())
        needs_twin = options.station_fault or options.oddity or options.external_station or options.twin_faults
        if (file.twin is None or is_real(file)) and needs_twin:
            _leave_nothing(options.directory)
            raise ConfigError(
                "a station fault, a twin fault or an external station needs the twin; this bench is real. "
                "Leave the option out, or use the virtual bench.",
                file=str(file.path),
            )
        self.file = file
        self.options = options
        self._progress = progress or _unseen
        self._owner: Ownership | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._bench: Bench | None = None
        self._watch: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[Any] | None = None
        self.started_s: float | None = None
        self.vehicle = VehicleFacade(self)
        self.csms = CsmsFacade(self)
        self.timeline = TimelineFacade(self)
        self.twin = TwinFacade(self)

    def __enter__(self) -> BenchHost:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.close(finished=kind is None or issubclass(kind, Exception))

    @property
    def bench(self) -> Bench:
        """The parts. Only for the bench's own loop and for reading what is immutable.

        Raises:
            BenchError: the bench is not up.
        """
        if self._bench is None:
            raise BenchError("the bench is not up: call start() first, or use it as a context manager.")
        return self._bench

    @property
    def running(self) -> bool:
        return self._thread is not None

    @property
    def snapshot(self) -> Snapshot:
        """The bench at this instant, for people to look at."""
        return self._bench.live.snapshot if self._bench is not None else Snapshot()

    @property
    def report(self) -> Report | None:
        """The verdicts, once the bench is closed."""
        return self._bench.report if self._bench is not None else None

    @property
    def outcome_text(self) -> str:
        """How making safe ended, and what the guardian did after it, in one line; empty before it was tried."""
        if self._bench is None:
            return ""
        outcome, acted = self._bench.outcome, self._bench.acted
        told = [outcome.text if outcome is not None else "", f"The guardian then: {acted}" if acted else ""]
        return " ".join(text for text in told if text)

    def start(self) -> None:
        """Take the bench, bring it up, apply the safe state, and wait for the station.

        Raises:
            BenchError: somebody else owns it, a part did not start, or the station did not come. The
                bench is made safe and closed before this is raised. When nothing was begun, no empty folder is left.
        """
        began = time.monotonic()
        try:
            self._owner = Ownership(self.file.path)
        except BenchError:
            _leave_nothing(self.options.directory)
            raise
        try:
            self._start_thread()
            self._on_loop(self._build)
            self.call(self._bring_up(), START_WITHIN_S)
            self._tell_arming()
            self._await_station()
            for left in self.call(lifecycle.clear_left_overs(self.bench), CLEAR_WITHIN_S):
                self._progress(left)
            self._on_loop(self._start_watch)
        except BaseException as error:
            try:
                self.close(finished=False)
            except ExceptionGroup as more:
                error.add_note(f"Closing what was up failed too: {'; '.join(str(one) for one in more.exceptions)}")
            raise
        self.started_s = time.monotonic() - began

    def call(self, work: Coroutine[Any, Any, T], timeout_s: float = 10.0) -> T:
        """Run `work` on the bench loop and wait for its result.

        Raises:
            BenchError: it did not end within `timeout_s` seconds, or the bench is not up.
        """
        loop = self._loop
        if loop is None or not loop.is_running():
            work.close()
            raise BenchError("the bench is not up: call start() first, or use it as a context manager.")
        if threading.current_thread() is self._thread:
            work.close()
            raise BenchError("called from the bench's own loop, which would wait for itself; await the work instead.")
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result(timeout_s)
        except concurrent.futures.TimeoutError:
            if future.done():
                raise
            future.cancel()
            raise BenchError(f"{work.__qualname__} did not end within {timeout_s:g} s.") from None
        except BaseException:
            future.cancel()
            raise

    def vehicle_at(self, evse: int) -> VehicleFacade:
        """The car at an outlet, from 1."""
        return VehicleFacade(self, evse)

    def phase(self, name: str, case: str = "") -> None:
        """Mark on the timeline that a step of a case begins."""
        self._on_loop(lambda: self.bench.timeline.bench.note("phase", {"name": name, "case": case}))

    def cut_supply(self, for_: str) -> bool:
        """Take the station's supply away for so long ("2 s"), and give it back.

        False on a bench of which nothing switches the mains: neither a relay, nor the model of a virtual bench.
        """
        for_s = parse_quantity(for_, "time") / 1e9
        return self.call(powering.cut_supply(self.bench, for_s), for_s + 10)

    def settle(self, timeout_s: float = 20.0) -> bool:
        """Wait until every open obligation of the rules is decided; False when some were not in time."""
        return self.call(lifecycle.settle(self.bench, timeout_s), timeout_s + 2)

    def back_to_idle(self) -> None:
        """Stop what charges and pull the plug, so that the next test starts from state A."""
        self.call(lifecycle.back_to_idle(self.bench), 90.0)

    def abandon(self, why: str) -> None:
        """Make safe now: the run was asked to stop, and what still follows may take its time.

        From now on only steps to the safe state pass. `close` must follow. No stop signal cuts it short.

        Raises:
            BenchError: the safe state was not reached, or is not proven.
        """
        if self._bench is None or self._bench.report is not None or self._thread is None:
            return
        with signals_held():
            self.call(lifecycle.abandon(self._bench, why), lifecycle.SAFE_WITHIN_S)

    def close(self, *, finished: bool = True) -> Report | None:
        """Make safe, close, complete the recording; safe to call twice. No stop signal cuts it short.

        Raises:
            ExceptionGroup: of everything that went wrong on the way; all steps were tried.
        """
        with signals_held():
            atexit.unregister(self._at_exit)
            try:
                if self._bench is not None and self._thread is not None and self._bench.report is None:
                    self.call(self._bring_down(self._bench, finished=finished), CLOSE_WITHIN_S)
            finally:
                self._stop_thread()
                if self._owner is not None:
                    self._owner.release()
                    self._owner = None
        return self.report

    async def _bring_up(self) -> None:
        self._starting = asyncio.current_task()
        await lifecycle.start(self.bench)

    async def _station_up(self) -> None:
        self._starting = asyncio.current_task()
        await lifecycle.wait_for_station(self.bench)

    async def _bring_down(self, bench: Bench, *, finished: bool) -> None:
        starting = self._starting
        if starting is not None and not starting.done():
            # A start that was given up must have let go of what it held before anything is closed.
            if not starting.cancelling():
                starting.cancel()  # once: a second time would cut short what it cleans up
            await asyncio.wait([starting], timeout=START_CEASES_S)
        if self._watch is not None:
            self._watch.cancel()
        await lifecycle.close(bench, finished=finished)

    def _start_thread(self) -> None:
        loop, self._poll = new_loop()
        self._loop = loop
        up = threading.Event()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(up.set)
            try:
                loop.run_forever()
            finally:
                loop.run_until_complete(_cancel_all(loop))
                loop.run_until_complete(loop.shutdown_asyncgens())
                loop.run_until_complete(loop.shutdown_default_executor())
                loop.close()

        self._thread = threading.Thread(target=run, name="bench", daemon=True)
        self._thread.start()
        atexit.register(self._at_exit)
        up.wait()

    def _stop_thread(self) -> None:
        if self._thread is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._thread = None
            self._loop = None

    def _at_exit(self) -> None:
        self.close(finished=False)

    def _build(self) -> None:
        work = self.options.directory / "twin"
        work.mkdir(parents=True, exist_ok=True)
        self._bench = build(self.file, self.options, self._poll, work)

    def _tell_arming(self) -> None:
        """Whoever waits for the station may know at once that nothing will be energised."""
        if self.bench.gate.permission is not None:
            why = self.bench.gate.permission.refusal(PLAIN)
            self._progress(why or "armed by a person, with [envelope] of the bench file")

    def _start_watch(self) -> None:
        self._watch = asyncio.ensure_future(watch_faults(self.bench))
        self._watch.set_name("envelope: overdue faults")

    def _on_loop(self, act: Callable[[], T]) -> T:
        async def run() -> T:
            return act()

        return self.call(run())

    def _await_station(self) -> None:
        loop = self._loop
        assert loop is not None
        deadline = time.monotonic() + lifecycle.patience_s(self.bench)
        if lifecycle.external_station(self.bench):
            self._progress(
                f"start your station now: DUT port in {self.options.directory / 'dut-port.json'}, "
                f"back end at {self.bench.csms.url(self.file.station.id)}"
            )
        future = asyncio.run_coroutine_threadsafe(self._station_up(), loop)
        try:
            while True:
                try:
                    future.result(1.0)
                    return
                except concurrent.futures.TimeoutError:
                    if future.done():
                        raise
                left_s = max(0.0, deadline - time.monotonic())
                self._progress(
                    f"waiting for station {self.file.station.id}: {left_s:.0f} s left; {self._last_attempt()}"
                )
        except BaseException:
            future.cancel()
            raise

    def _last_attempt(self) -> str:
        attempt = self.bench.csms.last_attempt
        if attempt is None:
            return "no connection attempt seen"
        ago_s = (time.monotonic_ns() - attempt.at_ns) / 1e9
        how = f"refused: {attempt.refused}" if attempt.refused else "let in, but neither booted nor answered"
        return f"last connection attempt {ago_s:.0f} s ago by {attempt.station} from {attempt.peer}, {how}"


def _leave_nothing(folder: Path) -> None:
    """Nothing was run: its folder goes, unless something was in it before."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _unseen(text: str) -> None:
    """Where progress goes when nobody looks."""


async def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    own = asyncio.current_task(loop)
    tasks = [task for task in asyncio.all_tasks(loop) if task is not own]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
