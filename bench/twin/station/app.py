"""The station as a whole: supply, connection, outlet, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection

from .authorisation import Reader
from .charging import Outlet
from .clock import StationClock
from .config import Config
from .faults import Knobs
from .link import Link, Peer
from .ocpp16 import StationChargePoint
from .port import DutPort, Message, PortFile, wait_for_port_file
from .status import StatusReporter
from .transaction import TransactionQueue

__all__ = ["Station", "run_station"]

T = TypeVar("T")

_PORT_FILE_S = 15.0
_RESET_S = 10.0


class Station:
    """Owns the parts; a mains cut or a reset takes some of them down and up again."""

    def __init__(
        self, file: PortFile, port: DutPort, welcome: Message, knobs: Knobs, seed: int, *, boots: bool
    ) -> None:
        self.config = Config()
        self.clock = StationClock()
        self.link = Link(file, self.config, self.clock, knobs, seed)
        self.reporter = StatusReporter(self.link, self.clock, self.config, knobs)
        self.queue = TransactionQueue(self.link, self.config, knobs)
        self.outlet = Outlet(port, welcome, self.link, self.reporter, self.queue, self.config, self.clock, knobs)
        self.reader = Reader(self.outlet, self.link, self.config, knobs)
        self._file = file
        self._knobs = knobs
        self._attached = not boots
        self._tasks: set[asyncio.Task[None]] = set()
        self.link.make_peer = self._make_peer
        self.link.on_accepted = self._on_accepted
        self.link.on_back = self._on_back
        self.link.early_status = lambda: self.reporter.message(1)
        if self._attached:
            self.link.attach()

    # supply

    def power_on(self) -> None:
        """The supply is there: outputs to rest, connect, boot."""
        self.outlet.supply_on()
        for work, name in (
            (self.reporter.run(), "station.status"),
            (self.queue.run(), "station.queue"),
            (self.link.run(), "station.link"),
        ):
            self.spawn(work, name)

    def power_off(self) -> None:
        """The supply is gone: no goodbye to anybody."""
        self.link.abort()
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        self.outlet.supply_off()

    # PortEvents

    def on_state(self, message: Message) -> None:
        self.outlet.on_state(message)

    def on_token(self, message: Message) -> None:
        self.reader.present_token(str(message["id"])[:20])

    def on_mains(self, on: bool) -> None:
        self.power_off()
        if on:
            self.power_on()

    # the link

    def _make_peer(self, connection: ClientConnection) -> Peer:
        return StationChargePoint(self._file.station, connection, self)

    def _on_accepted(self) -> None:
        self.reporter.tell_all()
        self.queue.wake()

    def _on_back(self) -> None:
        if self._attached:
            self._attached = False
            self.reporter.assume_told()
        self.reporter.tell_changes()
        self.queue.wake()

    async def reset(self, kind: str) -> None:
        """End the transaction, leave, and boot anew (OCPP 1.6 section 5.14)."""
        await self.outlet.stop_and_wait("HardReset" if kind == "Hard" else "SoftReset", _RESET_S)
        await self.link.restart()

    # tasks

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task of the station; one that dies is reported."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": f"{task.get_name()} died", "exception": task.exception()})

    async def leave(self) -> None:
        """Say goodbye within half a second."""
        try:
            async with asyncio.timeout(0.5):
                await self.link.restart()
        except TimeoutError:
            pass
        self.power_off()


async def run_station(port_file: Path, knobs: Knobs, seed: int, *, boots: bool) -> None:
    """Run until the model closes the DUT port or stdin ends.

    Raises:
        StationError: the port file or the port is not usable.
    """
    ended = _lifeline()
    file = await _first_of(wait_for_port_file(port_file, _PORT_FILE_S), ended)
    if file is None:
        return
    port = await DutPort.connect(file)
    welcome = port.welcome.result()
    station = Station(file, port, welcome, knobs, seed, boots=boots)
    if welcome["mains"]:
        station.power_on()
    port.listen(station)
    gc.collect()
    gc.freeze()
    await asyncio.wait({ended, port.closed}, return_when="FIRST_COMPLETED")
    await station.leave()
    port.close()
    if port.closed.done():
        port.closed.result()


async def _first_of(work: Coroutine[Any, Any, T], ended: asyncio.Future[None]) -> T | None:
    """The result of `work`, or None when whoever started us is gone before."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, ended}, return_when="FIRST_COMPLETED")
    if not task.done():
        task.cancel()
        return None
    return task.result()


def _lifeline() -> asyncio.Future[None]:
    """Done when stdin ends: whoever started us is gone."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        if not ended.done():
            ended.set_result(None)

    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError as error:
            print(f"station: stdin: {error}", file=sys.stderr, flush=True)
        try:
            loop.call_soon_threadsafe(finish)
        except RuntimeError:  # the loop has ended before us
            return

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return ended
