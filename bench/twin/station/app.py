"""The station as a whole: supply, connection, outlet, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection

from .authorisation import Reader
from .charging import Outlet
from .clock import StationClock
from .faults import Knobs, knobs_of, meaningless
from .file_jobs import FileJobs
from .keys import Keys
from .link import CallFailed, Link, Offline, Peer
from .local_list import LocalList
from .messages import Message as Request
from .ocpp_lib import Peer as OcppPeer
from .port import DutPort, Message, PortFile, StationError, wait_for_port_file
from .posts import Post, Posts
from .sampler import sample_transactions
from .session import Token
from .slips import Slips
from .speech import BootCause
from .status import StatusReporter
from .transaction import TransactionQueue
from .versions import version_of

__all__ = ["Station", "run_station"]

T = TypeVar("T")

_PORT_FILE_S = 15.0
LINGER_S = 6
"""How long it outlives an owner that was killed, at most: the model goes after 3 s."""
_RESET_S = 10.0


class Station:
    """Owns the parts; a mains cut or a reset takes some of them down and up again."""

    def __init__(
        self,
        file: PortFile,
        port: DutPort,
        welcome: Message,
        knobs: Knobs,
        seed: int,
        *,
        boots: bool,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.name = file.station
        self.clock = StationClock(knobs.clock_offset_s)
        self.keys = Keys(file.station)
        self.local_list = LocalList()
        version = version_of(file.ocpp, file.station, knobs, file.evses)
        speech, settings = version.speech, version.settings
        self.link = Link(file, speech, settings, self.clock, knobs, seed)
        self.jobs = FileJobs(self.link, self.clock)
        self.reporter = StatusReporter(self.link, speech, self.clock, settings, knobs)
        self.queue = TransactionQueue(self.link, settings, knobs)
        made: list[Message] = welcome.get("outlets") or [welcome]
        posts: list[Post] = []
        for number, one in enumerate(made[: file.evses], start=1):
            story = version.story(number, self.queue, self.link, self.clock)
            outlet = Outlet(number, port, one, self.reporter, self.queue, story, settings, self.clock, knobs)
            reader = Reader(outlet, self.link, speech, settings, self.local_list, knobs)
            posts.append(Post(number, outlet, story, reader))
        self.posts = Posts(posts)
        self._file = file
        self._knobs = knobs
        self._slips = Slips(knobs.slips, knobs.message_ids)
        self._tell = tell
        self._settings = settings
        self._attached = not boots
        self._accepted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers = version.answers(self)
        self._work = version.work
        self.link.make_peer = self._make_peer
        self.link.on_accepted = self._on_accepted
        self.link.on_back = self._on_back
        self.link.early_status = lambda: self.reporter.messages(1)[0]
        if tell is not None:
            self.link.on_disconnected = tell
        if self._attached:
            self.link.attach()

    # supply

    def power_on(self) -> None:
        """The supply is there: outputs to rest, connect, boot."""
        for post in self.posts:
            post.outlet.supply_on()
            sampling = sample_transactions(post.outlet, post.story, self._settings, self._knobs)
            self.spawn(sampling, f"station.sampler.{post.number}")
        for work, name in (
            (self.reporter.run(), "station.status"),
            (self.queue.run(), "station.queue"),
            (self.link.run(), "station.link"),
            (self._work(self), "station.work"),
        ):
            self.spawn(work, name)

    def power_off(self) -> None:
        """The supply is gone: no goodbye to anybody."""
        self.link.abort()
        self.jobs.cancel()
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        for post in self.posts:
            post.outlet.supply_off()

    # PortEvents

    def on_state(self, message: Message) -> None:
        post = self.posts.at(message["evse"])
        if post is not None:
            post.outlet.on_state(message)

    def on_token(self, message: Message) -> None:
        identifier = str(message["id"])[: 20 if self._file.ocpp == "1.6" else 36]
        post = self.posts.at(message.get("evse", 1)) or self.posts[1]
        post.reader.present_token(Token(identifier, str(message.get("kind") or "ISO14443")))

    def on_mains(self, on: bool) -> None:
        self.power_off()
        if on:
            self.power_on()

    # the link

    def _make_peer(self, connection: ClientConnection) -> Peer:
        return OcppPeer(
            self.name,
            connection,
            self._file.ocpp,
            self._answers,
            self._deaf,
            self._tell,
            slips=self._slips,
            answer_delay_s=self._knobs.answer_delay_s,
        )

    def _deaf(self) -> bool:
        """A station of 1.6 that was rejected answers nothing (section 4.2)."""
        return self._file.ocpp == "1.6" and self.link.boot_status == "Rejected"

    def _on_accepted(self) -> None:
        self._accepted.set()
        if self._knobs.forgets_availability:
            for post in self.posts:
                post.outlet.operative = True
            self.posts.step()
        wait_s = self._knobs.boot_status_s
        if wait_s == 0.0:
            self.reporter.tell_all()
        elif wait_s is not None:
            asyncio.get_running_loop().call_later(wait_s, self.reporter.tell_all)
        self.queue.wake()

    def _on_back(self, offline_s: float) -> None:
        if self._attached:
            self._attached = False
            self.reporter.assume_told()
        if offline_s > self._settings.offline_threshold_s:
            self.reporter.tell_all()
        elif self._knobs.tells_after_offline:
            self.reporter.tell_changes()
        self.queue.wake()

    # what requests may set off

    def send_soon(self, message: Request) -> None:
        """Send a request whose answer does not matter; it is dropped when there is no connection."""

        async def send() -> None:
            try:
                await self.link.call(message)
            except (Offline, CallFailed) as error:
                print(f"station: {message.action}: {error!r}", file=sys.stderr, flush=True)

        self.spawn(send(), f"station.{message.action}")

    def renew_certificate(self, chain_pem: str, key_pem: str) -> None:
        """Show this certificate from now on; over TLS by connecting again (2.x A02.FR.08)."""
        self.link.trust.renew(chain_pem, key_pem)
        if self.link.secured:
            self.spawn(self.link.reconnect(), "station.reconnect")

    async def reset(self, reason: str, *, idle: bool = False) -> None:
        """End what runs with this reason, leave, and boot anew (1.6 section 5.14, 2.x B11 and B12)."""
        await asyncio.gather(*(post.outlet.stop_and_wait(reason, _RESET_S) for post in self.posts))
        await self.link.restart("idle-reset" if idle else "reset")

    async def reset_and_resume(self) -> None:
        """Interrupt what runs, boot anew, and take it up again (2.1 B13)."""
        await asyncio.gather(*(post.outlet.interrupt("ImmediateReset", _RESET_S) for post in self.posts))
        self._accepted.clear()
        await self.link.restart("reset")
        await self._accepted.wait()
        await asyncio.gather(*(post.outlet.take_up() for post in self.posts))

    async def restart(self, cause: BootCause) -> None:
        """Leave once no session runs, and boot anew; returns when the boot has been accepted."""
        for post in self.posts:
            await post.outlet.until(lambda post=post: post.outlet.session is None, None)
        self._accepted.clear()
        await self.link.restart(cause)
        await self._accepted.wait()

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


async def run_station(port_file: Path, odd: Sequence[str], seed: int, *, boots: bool, ocpp: str | None = None) -> None:
    """Run until the model closes the DUT port or stdin ends.

    `odd` names faults and oddities; `ocpp` overrules the version in the port file.

    Raises:
        StationError: the port file or the port is not usable.
    """
    ended = _lifeline()
    file = await _first_of(wait_for_port_file(port_file, _PORT_FILE_S), ended)
    if file is None:
        return
    if ocpp is not None:
        file = replace(file, ocpp=ocpp)
    why = meaningless(odd, file.ocpp)
    if why is not None:
        raise StationError(why)
    version_of(file.ocpp, file.station, Knobs())  # loads its modules while nobody waits for our pings
    port = await DutPort.connect(file)
    welcome = port.welcome.result()
    station = Station(file, port, welcome, knobs_of(*odd), seed, boots=boots)
    if welcome["mains"]:
        station.power_on()
    port.listen(station)
    gc.collect()
    gc.freeze()
    await asyncio.wait({ended, port.closed}, return_when="FIRST_COMPLETED")
    if ended.done() and not ended.result():
        # A station does not end with the bench that tests it. It ends with the model, which lingers for a moment.
        signal.alarm(2 * LINGER_S)
        await asyncio.wait({port.closed}, timeout=LINGER_S)
    await station.leave()
    port.close()
    if port.closed.done():
        port.closed.result()


async def _first_of(work: Coroutine[Any, Any, T], ended: asyncio.Future[bool]) -> T | None:
    """The result of `work`, or None when whoever started us is gone before."""
    task = asyncio.create_task(work)
    await asyncio.wait({task, ended}, return_when="FIRST_COMPLETED")
    if not task.done():
        task.cancel()
        return None
    return task.result()


def _lifeline() -> asyncio.Future[bool]:
    """Done when stdin ends: whoever started us is gone. True when it had said so before, with any line."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[bool] = loop.create_future()

    def finish(told: bool) -> None:
        if not ended.done():
            ended.set_result(told)

    def watch() -> None:
        told = False
        try:
            while os.read(0, 4096):
                told = True
        except OSError as error:
            print(f"station: stdin: {error}", file=sys.stderr, flush=True)
        try:
            loop.call_soon_threadsafe(finish, told)
        except RuntimeError:  # the loop has ended before us
            return

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    return ended
