"""StatusNotification: what was last said about each connector, and one task that says what is new, in order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from .clock import StationClock
from .config import Config
from .faults import Knobs
from .link import CallFailed, Link, Offline
from .ocpp_lib import call

__all__ = ["Status", "StatusReporter"]


@dataclass(frozen=True)
class Status:
    """A status as OCPP 1.6 knows it."""

    status: str
    error: str = "NoError"
    info: str | None = None


class StatusReporter:
    """Publishes statuses; while there is no connection only the newest one survives (section 4.9, rule 3)."""

    def __init__(self, link: Link, clock: StationClock, config: Config, knobs: Knobs) -> None:
        self._link = link
        self._clock = clock
        self._config = config
        self._knobs = knobs
        self._now: dict[int, Status] = {0: Status("Available"), 1: Status("Available")}
        self._told: dict[int, Status] = {}
        self._queue: asyncio.Queue[tuple[float, int, Status, str]] = asyncio.Queue()

    def current(self, connector: int) -> Status:
        return self._now[connector]

    def publish(self, connector: int, status: Status) -> None:
        """The connector has this status now; sent if it is another one than before."""
        if self._now[connector] != status:
            self._now[connector] = status
            if self._link.ready:
                self._enqueue(connector)

    def tell_all(self) -> None:
        """Send the current status of every connector (after a boot)."""
        self._drop()
        for connector in self._now:
            self._enqueue(connector)

    def tell_changes(self) -> None:
        """Send what changed while there was no connection."""
        self._drop()
        for connector, status in self._now.items():
            if self._told.get(connector) != status:
                self._enqueue(connector)

    def assume_told(self) -> None:
        """The back end knows the current statuses."""
        self._told = dict(self._now)

    def message(self, connector: int, status: Status | None = None, stamp: str | None = None) -> Any:
        """The StatusNotification for a connector."""
        what = status or self._now[connector]
        return call.StatusNotification(
            connector_id=connector,
            error_code=what.error,
            status=what.status,
            timestamp=stamp or self._clock.stamp(),
            info=what.info,
        )

    async def run(self) -> None:
        """Send what is queued, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due, connector, status, stamp = await self._queue.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            hold = self._config.whole("MinimumStatusDuration")
            if hold:
                await asyncio.sleep(hold)
                if self._now[connector] != status:
                    continue
            await self._send(connector, status, stamp)

    async def _send(self, connector: int, status: Status, stamp: str) -> None:
        if status.status == self._knobs.muted_status:
            return
        for _ in range(self._knobs.status_copies):
            try:
                await self._link.call(self.message(connector, status, stamp))
            except (Offline, CallFailed):
                return
        self._told[connector] = status

    def _enqueue(self, connector: int) -> None:
        status = self._now[connector]
        delay = self._knobs.status_delay_s
        if status.status == "Finishing":
            delay += self._knobs.finishing_delay_s
        due = asyncio.get_running_loop().time() + delay
        self._queue.put_nowait((due, connector, status, self._clock.stamp()))

    def _drop(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()
