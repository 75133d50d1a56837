"""Pings of the back end: off unless asked for, so that a station's own are seen undisturbed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .door import DoorConnection

__all__ = ["Pings"]


class Pings:
    """Pings each open connection every so often.

    - `every_s`: for stations that have no setting of their own; None: never.
    - `missed(connection, every_s)`: called when no pong came before the next ping was due; the connection is then cut,
      as it is most likely half-open.

    A pong's frame on the timeline tells the round trip (`rtt_ms`).
    """

    def __init__(self, every_s: float | None, missed: Callable[[DoorConnection, float], None]) -> None:
        self._every_s = every_s
        self._own: dict[str, float | None] = {}
        self._missed = missed
        self._running: dict[DoorConnection, asyncio.Task[None] | None] = {}

    def set(self, station: str, every_s: float | None) -> None:
        """Ping this station every `every_s` seconds from now on; None: never."""
        self._own[station] = every_s
        for connection in tuple(self._running):
            if connection.station == station:
                self.end(connection)
                self.begin(connection)

    def begin(self, connection: DoorConnection) -> None:
        """A station is connected."""
        every_s = self._own.get(connection.station, self._every_s)
        loop = asyncio.get_running_loop()
        self._running[connection] = (
            None if every_s is None else loop.create_task(self._ping(connection, every_s), name="csms ping")
        )

    def end(self, connection: DoorConnection) -> None:
        """It is gone."""
        task = self._running.pop(connection, None)
        if task is not None:
            task.cancel()

    async def _ping(self, connection: DoorConnection, every_s: float) -> None:
        loop = asyncio.get_running_loop()
        while connection.is_open:
            due = loop.time() + every_s
            if await connection.measure(every_s) is None:
                if connection.is_open:
                    self._missed(connection, every_s)
                    connection.transport.abort()
                return
            await asyncio.sleep(due - loop.time())
