"""The course of a charging session: plug, lock, transaction, energy, stop, messages. It reads like the use case."""

from __future__ import annotations

import asyncio

from .clock import StationClock
from .faults import Knobs
from .place import Place
from .session import Session
from .settings import Settings
from .speech import Status
from .story import Interrupted, Story

__all__ = ["Course"]

_LOCK_S = 3.0
_LOOK_S = 1.0
"""So long a station that comes up looks for a vehicle that was there."""
_STOP_S = 8.0
_METER_SETTLES_US = 900_000
"""So long the register stands still before it is read; a back end that knows our clock to half a second can use it."""


class Course:
    """Takes the sessions of one outlet through their stages."""

    def __init__(self, outlet: Place, story: Story, settings: Settings, clock: StationClock, knobs: Knobs) -> None:
        self._outlet = outlet
        self._story = story
        self._settings = settings
        self._clock = clock
        self._knobs = knobs

    async def run(self, session: Session) -> None:
        """Everything from the authorisation to the last message."""
        try:
            self._outlet.step()
            if not await self._prepare(session):
                return
            await self._deliver_energy(session)
            await self._wind_down(session)
        finally:
            self._outlet.release(session)

    async def resume(self, left: Interrupted) -> None:
        """What an interruption left open, from the return of the supply to its last message (2.1 E17)."""
        outlet, session = self._outlet, left.session
        await outlet.until(lambda: outlet.plugged, _LOOK_S)
        if session is None:
            return
        try:
            if outlet.plugged:
                await self._hold_cable(session)
            elif self._settings.unplug_stops:
                session.stop_reason = session.stop_reason or "EVDisconnected"
            if session.stopped:
                self._end(session)
                return
            session.locks = True
            await self._deliver_energy(session)
            await self._wind_down(session)
        finally:
            outlet.release(session)

    async def _prepare(self, session: Session) -> bool:
        self._story.reached(session, "authorised")
        timeout_s = self._settings.connection_timeout_s + self._knobs.vehicle_wait_s
        await self._outlet.until(lambda: self._outlet.plugged or session.stopped, timeout_s)
        if not (session.stopped or self._outlet.plugged):
            session.stop_reason = "Timeout"
        if not session.stopped:
            await self._hold_cable(session)
        if not session.stopped:
            return True
        self._end(session)
        return False

    async def _hold_cable(self, session: Session) -> None:
        self._story.reached(session, "connected")
        if self._outlet.rating_a is None:
            self._outlet.trouble = Status("Faulted", "OtherError", "coding of the cable is out of range")
        session.locks = True
        self._outlet.step()
        if self._outlet.has_lock and self._outlet.trouble is None:
            await self._outlet.until(lambda: self._outlet.locked or session.stopped, _LOCK_S)
            if not self._outlet.locked and not session.stopped:
                self._outlet.trouble = Status("Faulted", "ConnectorLockFailure")
        if self._outlet.trouble is not None and not session.stopped:
            session.stop_reason = "Other"

    async def _deliver_energy(self, session: Session) -> None:
        # a transaction begins with a dead outlet; a clean station has no other here
        await self._outlet.until(lambda: not self._outlet.control.live and self._outlet.meter.sample.idle, _STOP_S)
        self._story.reached(session, "locked")
        session.powers = True
        self._outlet.step()
        wait_s = self._knobs.pwm_delay_s + session.delay_s
        if wait_s:
            await self._outlet.until(lambda: session.stopped, wait_s)
        session.offers = True
        session.offered_at_s = asyncio.get_running_loop().time()
        self._outlet.step()
        await self._outlet.until(lambda: session.stopped or not self._outlet.meter.sample.idle, None)
        if not session.stopped or not self._outlet.meter.sample.idle:
            await self._outlet.until(lambda: session.stopped, self._knobs.notices_current_s)
            self._story.reached(session, "current")
        await self._outlet.until(lambda: session.stopped, None)

    async def _wind_down(self, session: Session) -> None:
        if self._knobs.welds_at_stop:
            self._outlet.control.weld()
        if session.stop_reason in ("HardReset", "ImmediateReset", "EmergencyStop", "Other"):
            self._outlet.control.open_now()
        self._outlet.step()
        await self._outlet.until(lambda: not self._outlet.control.closed, _STOP_S)
        await self._outlet.until(lambda: not self._outlet.control.live, 1.0)
        meter = self._outlet.meter
        settled_us = meter.sample.t_us + _METER_SETTLES_US
        await self._outlet.until(lambda: meter.sample.t_us >= settled_us and meter.sample.idle, 3.0)
        end, at = meter.sample, self._clock.now()
        info = "EV side disconnected" if session.stop_reason == "EVDisconnected" else None
        self._outlet.finishing = Status("Finishing", info=info)
        releases = self._settings.unplug_unlocks and not self._knobs.unplug_holds
        unplugged = session.stop_reason == "EVDisconnected"
        self._outlet.keeps_lock = unplugged and self._outlet.cable_in() and not releases
        self._story.settled(session, at, end)
        session.ended = True
        self._outlet.step()
        await asyncio.sleep(self._knobs.stop_delay_s)
        self._story.ended(session, at, end)

    def _end(self, session: Session) -> None:
        session.ended = True
        self._story.ended(session, self._clock.now(), self._outlet.meter.sample)
