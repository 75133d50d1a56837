"""Whether a station is served: by an accepted boot, or because it came back without one."""

from __future__ import annotations

import asyncio
import time

from ...errors import BenchError
from ..timeline import Stamp
from .parts import Parent
from .settings import Desk

__all__ = ["Registration"]

SERVED = frozenset({"Accepted", "attached"})
WAITING = frozenset({"Pending", "Rejected"})


class Registration:
    """State of one station: None (just connected, or away), Pending, Rejected, Accepted, or attached.

    A reconnect is no boot (OCPP-J 1.6 section 5.4): a station that says something else first, or
    nothing for a while, is served at once, and asked who it is.
    """

    def __init__(self, link: Parent, desk: Desk) -> None:
        self._link = link
        self._desk = desk
        self._ready: asyncio.Event | None = None
        self._grace: asyncio.TimerHandle | None = None
        self._connection = 0
        self.status: str | None = None

    @property
    def served(self) -> bool:
        """Whether the station may do everything."""
        return self.status in SERVED

    @property
    def waiting(self) -> bool:
        """Whether the station was told to wait."""
        return self.status in WAITING

    async def wait_served(self) -> None:
        """Return when the station is served."""
        if not self.served:
            if self._ready is None:
                self._ready = asyncio.Event()
            await self._ready.wait()

    def connected(self) -> None:
        """A connection begins: give the station a moment to boot."""
        self._set(None)
        self._connection += 1
        after_s = self._desk.settings.attach_after_s
        loop = asyncio.get_running_loop()
        self._grace = loop.call_later(after_s, self._silent, after_s)

    def disconnected(self) -> None:
        """The connection is gone."""
        self._stop_grace()
        self._set(None)

    def heard(self, action: str, *, boot: bool, asked: bool, stamp: Stamp) -> None:
        """The station asks for something; if that is not a boot, and no boot came before, it is attached."""
        self._stop_grace()
        if self.status is None and not boot:
            self._attach(f"first CALL was {action}", stamp)

    def answered(self, status: str, *, asked: bool) -> None:
        """A boot was answered by `status`."""
        was_served = self.served
        self._set(status)
        if self.served and not (was_served and asked) and self._desk.settings.read_back:
            self._link.task(self._read_back(identify=False), "reading the configuration")

    def _silent(self, after_s: float) -> None:
        self._grace = None
        if self.status is None:
            self._attach(f"no CALL within {after_s:g} s of connecting", Stamp.host(time.monotonic_ns()))

    def _attach(self, how: str, stamp: Stamp) -> None:
        self._set("attached")
        self._desk.source.emit("ocpp.attached", stamp, {"station": self._link.station, "how": how})
        if self._desk.settings.read_back:
            self._link.task(self._read_back(identify=True), "reading identity and configuration")

    async def _read_back(self, *, identify: bool) -> None:
        """Ask the station; what it refuses, or the gate, is on the timeline and no reason to stop."""
        connection, verbs = self._connection, self._link.verbs
        for step in (verbs.identify, verbs.read_back) if identify else (verbs.read_back,):
            try:
                await step()
            except BenchError as exc:
                if connection != self._connection or not self._link.connected:
                    return
                why = f"{self._link.station}: {step.__name__} failed: {exc}"
                self._desk.source.note("device.state", {"device": "csms", "state": "ACTIVE", "why": why})

    def _set(self, status: str | None) -> None:
        self.status = status
        if self._ready is None:
            return
        if self.served:
            self._ready.set()
        else:
            self._ready.clear()

    def _stop_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
