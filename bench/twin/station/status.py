"""Statuses: what was last said about each connector, and one task that says what is new, in order."""

from __future__ import annotations

import asyncio

from .clock import StationClock
from .faults import Knobs
from .link import CallFailed, Link, Offline
from .messages import Message
from .settings import Settings
from .speech import Speech, Status

__all__ = ["StatusReporter"]


class StatusReporter:
    """Publishes statuses; while there is no connection only the newest one survives (1.6 section 4.9, 2.x B04)."""

    def __init__(self, link: Link, speech: Speech, clock: StationClock, settings: Settings, knobs: Knobs) -> None:
        self._link = link
        self._speech = speech
        self._clock = clock
        self._settings = settings
        self._knobs = knobs
        self._now: dict[int, Status] = {number: Status("Available") for number in (0, *speech.connectors)}
        self._told: dict[int, Status] = {}
        self._queue: asyncio.Queue[tuple[float, int, Status, str]] = asyncio.Queue()

    def current(self, connector: int) -> Status:
        return self._now[connector]

    def shown(self, connector: int) -> Status:
        """The present status as the back end gets to see it."""
        return self._speech.shown(self._now[connector])

    def publish(self, connector: int, status: Status) -> None:
        """The connector has this status now; sent if the back end sees another one than before."""
        shown = self._speech.shown
        before, self._now[connector] = self._now[connector], status
        if shown(before) != shown(status) and self._link.ready:
            self._enqueue(connector)

    @property
    def quiet(self) -> bool:
        """The back end has been told every status."""
        told = {connector: self._told.get(connector) for connector in self._speech.connectors}
        return all(status == self.shown(connector) for connector, status in told.items())

    def tell_all(self) -> None:
        """Send the current status of every connector (after a boot, or a long time offline)."""
        self._drop()
        for connector in self._speech.connectors:
            self._enqueue(connector)

    def tell_changes(self) -> None:
        """Send what changed while there was no connection."""
        self._drop()
        for connector in self._speech.connectors:
            if self._told.get(connector) != self._speech.shown(self._now[connector]):
                self._enqueue(connector)

    def assume_told(self) -> None:
        """The back end knows the current statuses."""
        self._told = {connector: self._speech.shown(status) for connector, status in self._now.items()}

    def messages(self, connector: int) -> list[Message]:
        """What tells the present status of a connector."""
        return self._speech.status(connector, self._now[connector], self._clock.stamp())

    async def run(self) -> None:
        """Send what is queued, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due, connector, status, stamp = await self._queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            hold = self._settings.status_hold_s
            if hold:
                await asyncio.sleep(hold)
                if self._speech.shown(self._now[connector]) != self._speech.shown(status):
                    continue
            await self._send(connector, status, stamp)

    async def _send(self, connector: int, status: Status, stamp: str) -> None:
        shown, muted = self._speech.shown(status), self._knobs.muted_status
        if muted is not None and shown.status == self._speech.shown(Status(muted)).status:
            return
        for _ in range(self._knobs.status_copies):
            for message in self._speech.status(connector, status, stamp):
                try:
                    await self._link.call(message)
                except (Offline, CallFailed):
                    return
        self._told[connector] = shown

    def _enqueue(self, connector: int) -> None:
        if connector not in self._speech.connectors:
            return
        status = self._now[connector]
        delay = self._knobs.status_delay_s
        if self._speech.shown(status).status == "Finishing":
            delay += self._knobs.finishing_delay_s
        due = asyncio.get_running_loop().time() + delay
        self._queue.put_nowait((due, connector, status, self._clock.stamp()))

    def _drop(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()
