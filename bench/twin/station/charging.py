"""One outlet: what it measures, what it drives, what it reports, and what may be asked of it.

`step` is its heart: it runs on every reading of the DUT port and whenever the controller wants to be woken. A session
(`course.py`) waits for what `step` brings about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from .clock import StationClock
from .control import Drive, PilotControl, Reading, Wish
from .course import Course
from .faults import Knobs
from .iec61851 import MIN_OFFER_A, CpState, cable_rating_a
from .meter import OwnMeter, Sample
from .port import DutPort, Message
from .profiles import Profiles
from .reservations import Reservations
from .session import Session, Token
from .settings import Settings
from .speech import Status
from .states import status_of
from .status import StatusReporter
from .story import Running, Story
from .transaction import TransactionQueue

__all__ = ["Outlet"]

_LIVE_V = 50.0
_LOCK_S = 3.0
_STOP_S = 8.0
_LARGEST_CABLE_A = 63.0


class Outlet:
    """One outlet of the station.

    `evse`: its number, from 1. `made`: what the model says of it (`outlet`, `rated_a`, `phases`, `ventilation`).
    """

    def __init__(
        self,
        evse: int,
        port: DutPort,
        made: Message,
        reporter: StatusReporter,
        queue: TransactionQueue,
        story: Story,
        settings: Settings,
        clock: StationClock,
        knobs: Knobs,
    ) -> None:
        self.evse = evse
        self._port = port
        self._reporter = reporter
        self._queue = queue
        self._story = story
        self._settings = settings
        self._clock = clock
        self._knobs = knobs
        self._loop = asyncio.get_running_loop()
        self.has_lock = made["outlet"] == "socket"
        self.rated_a = float(made["rated_a"])
        self.phases = int(made["phases"])
        self._ventilated = bool(made.get("ventilation"))
        self.profiles = Profiles()
        self.reservations = Reservations(clock)
        self.reservations.changed = self.step
        self.on_idle: Callable[[], None] = lambda: None
        self.meter = OwnMeter(knobs)
        self.session: Session | None = None
        self.operative = True
        self._operative_next: bool | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._supplied = False
        self._limited_since_s: float | None = None
        self._course = Course(self, story, settings, clock, knobs)
        self._power_up()
        story.attach(self)

    def _power_up(self) -> None:
        self.control = PilotControl(self._knobs, has_lock=self.has_lock, ventilated=self._ventilated)
        self._reading: Reading | None = None
        self._driven: Drive | None = None
        self._plugged = False
        self.rating_a: float | None = None
        self.finishing: Status | None = None
        self.keeps_lock = False
        self.trouble: Status | None = None
        self.last_idle: Sample = self.meter.sample

    # supply

    def supply_on(self) -> None:
        """The supply is there: drive the outputs to their rest position."""
        self._power_up()
        self._supplied = True
        self._apply(Drive())
        left = self._story.take_up()
        if left is None:
            self.profiles.end_transaction()
            return
        self.session = left.session
        self.spawn(self._course.resume(left), "station.session")

    def supply_off(self) -> None:
        """The supply is gone. What is stored survives: an open transaction is closed after the boot, or goes on."""
        self._supplied = False
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        session, self.session = self.session, None
        self._story.power_lost(session)

    # what the port says

    def on_state(self, message: Message) -> None:
        """A new state of the outlet."""
        sample = self.meter.update(int(message["t_us"]), message["meter"])
        if sample.idle:
            self.last_idle = sample
        self._reading = Reading(
            cp_high_v=float(message["cp_high_v"]),
            cp_low_v=float(message["cp_low_v"]),
            pp_ohm=message["pp_ohm"],
            live=any(abs(float(volt)) > _LIVE_V for volt in message["output_v"]),
            locked=bool(message["lock"]) or self._knobs.believes_lock,
            rcd=bool(message.get("rcd")),
        )
        self.step()

    def step(self) -> None:
        """One turn of the controller; also after anything that changes what is wished."""
        if not self._supplied or self._reading is None:
            return
        now = self._loop.time()
        self._apply(self.control.step(now, self._reading, self._wish()))
        if self._timer is not None:
            self._timer.cancel()
        wake = self.control.wake_at_s
        self._timer = None if wake is None else self._loop.call_at(max(wake, now + 0.0005), self.step)
        self._notice(now)
        status = status_of(self, now, self._knobs, self._reporter.current(self.evse))
        self._reporter.publish(self.evse, status)
        self._story.noticed(status)
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _apply(self, drive: Drive) -> None:
        old = self._driven
        keys: dict[str, float | bool] = {}
        if old is None or abs(old.pwm_pct - drive.pwm_pct) > 1e-6:
            keys["pwm_pct"] = round(drive.pwm_pct, 4)
        if old is None or old.contactor != drive.contactor:
            keys["contactor"] = drive.contactor
        if self.has_lock and (old is None or old.lock != drive.lock):
            keys["lock"] = drive.lock
        if keys:
            self._port.drive(self.evse, **keys)
        self._driven = drive

    def _notice(self, now: float) -> None:
        state = self.control.state
        was = self._plugged
        if state in (CpState.B, CpState.C, CpState.D):
            self._plugged = True
        elif state is CpState.A and now >= self.control.state_since_s + self._knobs.unplug_wait_s:
            self._plugged = False
        if self._plugged and not was:
            self.finishing = None
        if not self._plugged:
            self.trouble = None
            if not self.cable_in():
                self.finishing, self.keeps_lock = None, False
            self._unplugged()
        session = self.session
        if session is None or not session.powers:
            reading = self._reading or Reading()
            coded = self.has_lock and self._knobs.reads_cable
            self.rating_a = self._cable_a(reading.pp_ohm) if coded else self.rated_a
        if session and self.control.closed and self.control.live:
            session.charged = True
        if self.control.fault in ("welded", "no-close"):
            self.request_stop("Other")
        elif self.control.fault == "rcd":
            self.request_stop("GroundFault")

    def _cable_a(self, pp_ohm: float | None) -> float | None:
        if pp_ohm is None:
            return self._knobs.uncoded_a
        if self._knobs.cable_63_a is not None and cable_rating_a(pp_ohm) == _LARGEST_CABLE_A:
            return self._knobs.cable_63_a
        return cable_rating_a(pp_ohm)

    def _unplugged(self) -> None:
        session = self.session
        if session and session.powers and (self._settings.unplug_stops or self._knobs.unplug_ends):
            self.request_stop("EVDisconnected")

    # what it wishes and what it says

    @property
    def plugged(self) -> bool:
        """A vehicle is connected."""
        return self._plugged

    @property
    def locked(self) -> bool:
        """The lock's feedback contact."""
        return self._reading is not None and self._reading.locked

    @property
    def offered_a(self) -> float | None:
        """What is offered to the running session now, ampere; None = nothing."""
        return self._wish().offer_a

    @property
    def transaction(self) -> Running | None:
        """The running transaction."""
        return self._story.running

    @property
    def ceiling_a(self) -> float:
        """What rating and cable allow, ampere."""
        return min(self.rated_a, self.rating_a or 0.0)

    def _offer_a(self) -> float | None:
        limit = None
        if self._knobs.applies_profiles:
            tx = self.transaction
            limit = self._remembered(self.profiles.limit_a(self._clock.now(), tx.started_at if tx else None))
        amps = self.ceiling_a if limit is None else min(limit, self.ceiling_a)
        return amps if amps >= MIN_OFFER_A else None

    def _remembered(self, limit_a: float | None) -> float | None:
        """Of the fault forgets-profile: a limit is none any more when it has held for so long."""
        if limit_a is None:
            self._limited_since_s = None
        elif self._limited_since_s is None:
            self._limited_since_s = self._loop.time()
        forgets_s, since_s = self._knobs.forgets_profile_s, self._limited_since_s
        if forgets_s is not None and since_s is not None and self._loop.time() >= since_s + forgets_s:
            return None
        return limit_a

    def _wish(self) -> Wish:
        session = self.session
        if session and not session.ended:
            barred = session.barred and self._knobs.minds_refusal
            waits = session.held or session.limited
            offering = session.offers and not session.stopped and not barred and not waits
            locks = session.locks and (self._plugged or not self._knobs.unplug_frees)
            return Wish(self._offer_a() if offering else None, locks, session.powers and not session.stopped)
        if self._knobs.serves_anyone and self._plugged and self.finishing is None:
            return Wish(self._offer_a(), True, True)
        # a plug is never released under voltage
        return Wish(lock=self.keeps_lock or (self.control.live and self._driven is not None and self._driven.lock))

    def cable_in(self) -> bool:
        return self._plugged or (self.has_lock and self._reading is not None and self._reading.pp_ohm is not None)

    # sessions

    @property
    def startable(self) -> bool:
        """A new session may begin."""
        return (
            self._supplied
            and self.operative
            and self.session is None
            and self.trouble is None
            and self.control.fault is None
            and self.control.state not in (CpState.E, CpState.F)
        )

    def begin(self, token: Token, group: str | None, remote_start_id: int | None = None) -> None:
        """The session is authorised."""
        self.session = session = Session(token, group, remote_start_id, self.reservations.use())
        self.finishing = None
        self.spawn(self._course.run(session), "station.session")

    def release(self, session: Session) -> None:
        """The session is over: forget its profiles, take over what had to wait for its end."""
        if self.session is session:
            self.session = None
            self.profiles.end_transaction()
            self.take_over_availability()
            self.step()
            self.on_idle()

    def request_stop(self, reason: str, token: Token | None = None) -> None:
        """End the session if there is one; the first reason counts."""
        session = self.session
        if session and not session.stopped and reason not in self._knobs.deaf_to:
            session.stop_reason, session.stop_token = reason, token
            self._loop.call_soon(self.step)

    async def stop_and_wait(self, reason: str, timeout_s: float) -> None:
        """End the session and wait until its messages are delivered, at most `timeout_s` seconds."""
        if self.session is None:
            self._story.abandon(reason)
        self.request_stop(reason)
        await self.until(lambda: self.session is None and self._queue.empty, timeout_s)

    async def interrupt(self, reason: str, timeout_s: float) -> None:
        """Stop the energy of a transaction that outlives a reset, and open the lock (2.1 B13.FR.20).

        Without a transaction a session ends with this reason. Waits for the delivery, at most `timeout_s` seconds.
        """
        if not self._story.interrupt():
            await self.stop_and_wait(reason, timeout_s)
            return
        session = self.session
        if session is not None:
            session.held = True
            self.step()
            await self.until(lambda: not self.control.closed and not self.control.live, _STOP_S)
            session.locks = False
            self.step()
        await self.until(lambda: self._queue.empty, timeout_s)

    async def take_up(self) -> None:
        """Go on after that reset: the lock first, then the energy if it may (2.1 B13.FR.22 to FR.25)."""
        left = self._story.take_up()
        if left is None or left.session is None:
            return
        left.session.locks = True
        self.step()
        if self.has_lock:
            await self.until(lambda: self.locked, _LOCK_S)
        self.step()

    # what the back end asks

    def schedule(self, now: datetime, duration_s: int) -> list[tuple[int, float]]:
        """The composite schedule as (second from `now`, ampere per phase)."""
        tx = self.transaction
        ceiling_a = self.ceiling_a if self.plugged else self.rated_a
        return self.profiles.schedule(now, duration_s, tx.started_at if tx else None, ceiling_a)

    def ask_availability(self, operative: bool) -> str:
        """Take note of what is wished; returns Accepted, or Scheduled while a transaction runs.

        `take_over_availability` makes it so, once the answer has been sent.
        """
        waits = self.transaction is not None
        self._operative_next = operative if self._knobs.keeps_schedule or not waits else None
        return "Scheduled" if waits else "Accepted"

    def take_over_availability(self) -> None:
        """Make it so, if no transaction runs."""
        if self._operative_next is None or self.transaction is not None:
            return
        self.operative, self._operative_next = self._operative_next, None
        if not self.operative:
            self.request_stop("Other")
        self.step()

    async def unlock(self) -> str:
        """Release the plug, ending the session first. Returns the UnlockStatus."""
        if not self.has_lock:
            return "NotSupported"
        self.request_stop("UnlockCommand")
        await self.until(lambda: self.session is None, _STOP_S + 4.0)
        self.keeps_lock = False
        self.step()
        opened = await self.until(lambda: not self.locked, _LOCK_S)
        return "Unlocked" if opened else "UnlockFailed"

    # plumbing

    async def until(self, holds: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until `holds()`, looked at after every step; False after `timeout_s` seconds (None = never)."""
        try:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    waiter: asyncio.Future[None] = self._loop.create_future()
                    self._waiters.append(waiter)
                    await waiter
        except TimeoutError:
            return holds()
        return True

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task that dies with the supply."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._loop.call_exception_handler({"message": f"{task.get_name()} died", "exception": task.exception()})
