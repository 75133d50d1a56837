"""One outlet: from a token or a remote start over the transaction to the unplugged cable.

A session is one coroutine that reads like the use case; everything it waits for (plug, lock, contactor, meter) comes
from `step`, which runs on every reading of the DUT port and whenever the controller wants to be woken.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .clock import StationClock
from .config import Config
from .control import Drive, PilotControl, Reading, Wish
from .faults import Knobs
from .iec61851 import MIN_OFFER_A, CpState, cable_rating_a
from .link import CallFailed, Link, Offline
from .meter import OwnMeter, Sample
from .ocpp_lib import call
from .port import DutPort, Message
from .profiles import Profiles
from .status import Status, StatusReporter
from .transaction import Transaction, TransactionQueue

__all__ = ["Outlet", "Session"]

_LIVE_V = 50.0
_UNPLUG_S = 0.1
_LOCK_S = 3.0
_STOP_S = 8.0
_FRESH_S = 3.0
_METER_SETTLES_US = 450_000


@dataclass
class Session:
    """An authorised use of the outlet."""

    id_tag: str
    parent: str | None = None
    tx: Transaction | None = None
    locks: bool = False  # the cable shall be locked
    powers: bool = False  # the contactor may close
    offers: bool = False  # current may be offered
    offered_at_s: float | None = None
    charged: bool = False
    barred: bool = False  # the back end refused the identifier after the start
    stop_reason: str | None = None
    stop_tag: str | None = None
    ended: bool = False

    @property
    def stopped(self) -> bool:
        """Someone wants it to end."""
        return self.stop_reason is not None


class Outlet:
    """Connector 1 of the station."""

    def __init__(
        self,
        port: DutPort,
        welcome: Message,
        link: Link,
        reporter: StatusReporter,
        queue: TransactionQueue,
        config: Config,
        clock: StationClock,
        knobs: Knobs,
    ) -> None:
        self._port = port
        self._link = link
        self._reporter = reporter
        self._queue = queue
        self._config = config
        self._clock = clock
        self._knobs = knobs
        self._loop = asyncio.get_running_loop()
        self.has_lock = welcome["outlet"] == "socket"
        self.rated_a = float(welcome["rated_a"])
        self.phases = int(welcome["phases"])
        self.profiles = Profiles()
        self.meter = OwnMeter(knobs)
        self.session: Session | None = None
        self.operative = True
        self._operative_next: bool | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._supplied = False
        self._authorising = False
        self._power_up()

    def _power_up(self) -> None:
        self.control = PilotControl(self._knobs, has_lock=self.has_lock)
        self._reading: Reading | None = None
        self._driven: Drive | None = None
        self._plugged = False
        self._rating_a: float | None = None
        self._finishing: Status | None = None
        self._keeps_lock = False
        self._trouble: Status | None = None
        self._last_idle: Sample = self.meter.sample

    # supply

    def supply_on(self) -> None:
        """The supply is there: drive the outputs to their rest position."""
        self._power_up()
        self._supplied = True
        self._apply(Drive())

    def supply_off(self) -> None:
        """The supply is gone. What is stored survives: an open transaction is closed as PowerLoss after the boot."""
        self._supplied = False
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        session, self.session = self.session, None
        if session and session.tx and not session.ended:
            self._queue.stop(session.tx, self._clock.now(), self.meter.sample, "PowerLoss", None)
        self.profiles.end_transaction()

    # what the port says

    def on_state(self, message: Message) -> None:
        """A new state of the outlet."""
        sample = self.meter.update(int(message["t_us"]), message["meter"])
        if sample.idle:
            self._last_idle = sample
        self._reading = Reading(
            cp_high_v=float(message["cp_high_v"]),
            cp_low_v=float(message["cp_low_v"]),
            pp_ohm=message["pp_ohm"],
            live=any(abs(float(volt)) > _LIVE_V for volt in message["output_v"]),
            locked=bool(message["lock"]),
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
        self._reporter.publish(1, self._status(now))
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
            self._port.drive(**keys)
        self._driven = drive

    def _notice(self, now: float) -> None:
        state = self.control.state
        was = self._plugged
        if state in (CpState.B, CpState.C, CpState.D):
            self._plugged = True
        elif state is CpState.A and now >= self.control.state_since_s + _UNPLUG_S:
            self._plugged = False
        if self._plugged and not was:
            self._finishing = None
        if not self._plugged:
            self._trouble = None
            if not self._cable_in():
                self._finishing, self._keeps_lock = None, False
            self._unplugged()
        session = self.session
        if session is None or not session.powers:
            reading = self._reading or Reading()
            self._rating_a = cable_rating_a(reading.pp_ohm) if self.has_lock else self.rated_a
        if session and self.control.closed and self.control.live:
            session.charged = True
        if self.control.fault in ("welded", "no-close"):
            self.request_stop("Other")

    def _unplugged(self) -> None:
        session = self.session
        if session and session.powers and self._config.flag("StopTransactionOnEVSideDisconnect"):
            self.request_stop("EVDisconnected")

    # what it wishes and what it says

    @property
    def plugged(self) -> bool:
        """A vehicle is connected."""
        return self._plugged

    @property
    def transaction(self) -> Transaction | None:
        """The running transaction."""
        session = self.session
        return session.tx if session and not session.ended else None

    @property
    def ceiling_a(self) -> float:
        """What rating and cable allow, ampere."""
        return min(self.rated_a, self._rating_a or 0.0)

    def _offer_a(self) -> float | None:
        limit = None
        if self._knobs.applies_profiles:
            tx = self.transaction
            limit = self.profiles.limit_a(self._clock.now(), tx.started_at if tx else None)
        amps = self.ceiling_a if limit is None else min(limit, self.ceiling_a)
        return amps if amps >= MIN_OFFER_A else None

    def _wish(self) -> Wish:
        session = self.session
        if session and not session.ended:
            offering = session.offers and not session.stopped and not session.barred
            return Wish(self._offer_a() if offering else None, session.locks, session.powers and not session.stopped)
        if self._knobs.serves_anyone and self._plugged and self._finishing is None:
            return Wish(self._offer_a(), True, True)
        # a plug is never released under voltage
        return Wish(lock=self._keeps_lock or (self.control.live and self._driven is not None and self._driven.lock))

    def _cable_in(self) -> bool:
        return self._plugged or (self.has_lock and self._reading is not None and self._reading.pp_ohm is not None)

    def _status(self, now: float) -> Status:
        if self.control.fault in ("welded", "no-close"):
            return Status("Faulted", "PowerSwitchFailure", self.control.fault)
        if self.control.state in (CpState.E, CpState.F):
            return Status("Faulted", "OtherError", f"control pilot in state {self.control.state.value}")
        if self._trouble:
            return self._trouble
        session = self.session
        if session and not session.ended:
            return self._session_status(session, now)
        if not self.operative:
            return Status("Unavailable")
        if self._finishing and self._cable_in():
            return self._finishing
        return Status("Preparing") if self._plugged else Status("Available")

    def _session_status(self, session: Session, now: float) -> Status:
        if not session.powers:
            return Status("Preparing")
        if session.stopped:
            if session.stop_reason == "EVDisconnected":
                return Status("Finishing", info="EV side disconnected")
            return self._reporter.current(1)
        if not self._plugged:
            return Status("SuspendedEV", info="EV side disconnected")
        if self.control.fault == "diode":
            return Status("SuspendedEVSE", "EVCommunicationError", "no diode in the control pilot")
        if self.control.state is CpState.D:
            return Status("SuspendedEVSE", info="no ventilation")
        if self.control.state is CpState.C and self.control.live:
            if self.control.pwm_on:
                return Status("Charging")
            return self._reporter.current(1) if session.offers and self._wish().offer_a else Status("SuspendedEVSE")
        began = session.offered_at_s
        if not session.charged and (began is None or now < began + _FRESH_S):
            return Status(self._knobs.fresh_status)
        if self._wish().offer_a is None:
            return Status("SuspendedEVSE")
        return Status("SuspendedEV")

    # authorisation

    def present_token(self, id_tag: str) -> None:
        """A card is held to the reader."""
        self.spawn(self._on_token(id_tag), "station.token")

    async def _on_token(self, id_tag: str) -> None:
        session = self.session
        self._keeps_lock = False
        if session and session.id_tag == id_tag:
            self.request_stop("Local", id_tag)
            return
        if self._authorising or not self._link.ready or (session is None and not self.startable):
            _note(f"token {id_tag} is not accepted now")
            return
        accepted, parent = await self._authorise(id_tag)
        if not accepted:
            return
        session = self.session
        if session is None:
            if self.startable:
                self.begin(id_tag, parent)
        elif parent is not None and parent == session.parent:
            self.request_stop("Local", id_tag)

    async def _authorise(self, id_tag: str) -> tuple[bool, str | None]:
        self._authorising = True
        try:
            answer = await self._link.call(call.Authorize(id_tag))
        except (Offline, CallFailed) as error:
            _note(f"token {id_tag} could not be authorised: {error!r}")
            return False, None
        finally:
            self._authorising = False
        info: dict[str, Any] = answer.id_tag_info
        return info["status"] == "Accepted", info.get("parent_id_tag")

    @property
    def startable(self) -> bool:
        """A new session may begin."""
        return (
            self._supplied
            and self.operative
            and self.session is None
            and self._trouble is None
            and self.control.fault is None
            and self.control.state not in (CpState.E, CpState.F)
        )

    async def remote_start(self, id_tag: str) -> None:
        """Begin on request of the back end, after asking it about the identifier if so configured."""
        if self._config.flag("AuthorizeRemoteTxRequests"):
            accepted, parent = await self._authorise(id_tag)
            if not accepted:
                self.profiles.end_transaction()
                return
        else:
            parent = None
        if self.startable:
            self.begin(id_tag, parent)

    def begin(self, id_tag: str, parent: str | None) -> None:
        """The session is authorised."""
        self.session = session = Session(id_tag, parent)
        self._finishing = None
        self.spawn(self._run(session), "station.session")

    def request_stop(self, reason: str, id_tag: str | None = None) -> None:
        """End the session if there is one; the first reason counts."""
        session = self.session
        if session and not session.stopped:
            session.stop_reason, session.stop_tag = reason, id_tag
            self._loop.call_soon(self.step)

    async def stop_and_wait(self, reason: str, timeout_s: float) -> None:
        """End the session and wait until its messages are delivered, at most `timeout_s` seconds."""
        self.request_stop(reason)
        await self.until(lambda: self.session is None and self._queue.empty, timeout_s)

    # the session

    async def _run(self, session: Session) -> None:
        sampler: asyncio.Task[None] | None = None
        try:
            self.step()
            if not await self._prepare(session):
                return
            sampler = asyncio.create_task(self._sample(session), name="station.sampler")
            await self._deliver_energy(session)
            await self._wind_down(session)
        finally:
            if sampler is not None:
                sampler.cancel()
            if self.session is session:
                self.session = None
                self.profiles.end_transaction()
                self._take_over_availability()
                self.step()

    async def _prepare(self, session: Session) -> bool:
        timeout = self._config.whole("ConnectionTimeOut")
        await self.until(lambda: self._plugged or session.stopped, timeout)
        if session.stopped or not self._plugged:
            return False
        if self._knobs.start_at == "authorised":
            self._start_transaction(session, self.meter.sample)
        if self._rating_a is None:
            self._trouble = Status("Faulted", "OtherError", "coding of the cable is out of range")
        session.locks = True
        self.step()
        if self.has_lock and self._trouble is None:
            await self.until(lambda: (self._reading or Reading()).locked or session.stopped, _LOCK_S)
            if not (self._reading or Reading()).locked and not session.stopped:
                self._trouble = Status("Faulted", "ConnectorLockFailure")
        if self._trouble is None and not session.stopped:
            return True
        if session.tx:
            self._stop_transaction(session, session.tx)
        return False

    async def _deliver_energy(self, session: Session) -> None:
        if self._knobs.start_at == "locked":
            self._start_transaction(session, self.meter.sample)
        session.powers = True
        self.step()
        if self._knobs.pwm_delay_s:
            await self.until(lambda: session.stopped, self._knobs.pwm_delay_s)
        session.offers = True
        session.offered_at_s = self._loop.time()
        self.step()
        if self._knobs.start_at == "current":
            await self.until(lambda: session.stopped or not self.meter.sample.idle, None)
            self._start_transaction(session, self._last_idle)
        await self.until(lambda: session.stopped, None)

    async def _wind_down(self, session: Session) -> None:
        if self._knobs.welds_at_stop:
            self.control.weld()
        if session.stop_reason in ("HardReset", "EmergencyStop", "Other"):
            self.control.open_now()
        self.step()
        await self.until(lambda: not self.control.closed, _STOP_S)
        await self.until(lambda: not self.control.live, 1.0)
        opened_us = self.meter.sample.t_us
        await self.until(
            lambda: self.meter.sample.t_us >= opened_us + _METER_SETTLES_US and self.meter.sample.idle, 3.0
        )
        end, at = self.meter.sample, self._clock.now()
        info = "EV side disconnected" if session.stop_reason == "EVDisconnected" else None
        self._finishing = Status("Finishing", info=info)
        self._keeps_lock = (
            session.stop_reason == "EVDisconnected"
            and self._cable_in()
            and not self._config.flag("UnlockConnectorOnEVSideDisconnect")
        )
        if session.tx:
            self._queue.values(session.tx, at, end, "Transaction.End", None)
            session.ended = True
            self.step()
            await asyncio.sleep(self._knobs.stop_delay_s)
            self._stop_transaction(session, session.tx, at, end)
        session.ended = True

    def _start_transaction(self, session: Session, begin: Sample) -> None:
        if self._knobs.energy_gain != 1.0:
            self.meter.begin()
        session.tx = tx = Transaction(session.id_tag, self._clock.now(), begin)

        def answered(answer: Any) -> None:
            info: dict[str, Any] = answer.id_tag_info
            session.parent = info.get("parent_id_tag") or session.parent
            if info["status"] != "Accepted":
                if self._config.flag("StopTransactionOnInvalidId"):
                    self.request_stop("DeAuthorized")
                session.barred = True
                self.step()

        self._queue.start(tx, answered)

    def _stop_transaction(
        self, session: Session, tx: Transaction, at: datetime | None = None, end: Sample | None = None
    ) -> None:
        session.ended = True
        reason = session.stop_reason or "Other"
        self._queue.stop(tx, at or self._clock.now(), end or self.meter.sample, reason, session.stop_tag)

    async def _sample(self, session: Session) -> None:
        while self._knobs.periodic_values:
            interval = self._config.whole("MeterValueSampleInterval")
            await asyncio.sleep(interval or 1.0)
            if interval and session.tx and not session.stopped:
                offered = self._wish().offer_a or 0.0
                self._queue.values(session.tx, self._clock.now(), self.meter.sample, "Sample.Periodic", offered)

    # what the back end asks

    def change_availability(self, connector: int, operative: bool) -> str:
        """Returns the AvailabilityStatus: Accepted, or Scheduled while a transaction runs."""
        if self.transaction is not None:
            self._operative_next = operative
            return "Scheduled"
        self._operative_next = operative
        if connector == 0:
            self._loop.call_soon(self._reporter.publish, 0, Status("Available" if operative else "Unavailable"))
        self._loop.call_soon(self._take_over_availability)
        return "Accepted"

    def _take_over_availability(self) -> None:
        if self._operative_next is None:
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
        self._keeps_lock = False
        self.step()
        opened = await self.until(lambda: not (self._reading or Reading()).locked, _LOCK_S)
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


def _note(text: str) -> None:
    print(f"station: {text}", file=sys.stderr, flush=True)
