"""The course of a charging session: plug, lock, transaction, energy, stop, messages. It reads like the use case."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from .clock import StationClock
from .config import Config
from .faults import Knobs
from .meter import Sample
from .place import Place
from .session import Session
from .status import Status
from .transaction import Transaction, TransactionQueue

__all__ = ["Course"]

_LOCK_S = 3.0
_STOP_S = 8.0
_METER_SETTLES_US = 450_000


class Course:
    """Takes the sessions of one outlet through their stages."""

    def __init__(
        self, outlet: Place, queue: TransactionQueue, config: Config, clock: StationClock, knobs: Knobs
    ) -> None:
        self._outlet = outlet
        self._queue = queue
        self._config = config
        self._clock = clock
        self._knobs = knobs

    async def run(self, session: Session) -> None:
        """Everything from the authorisation to the last message."""
        sampler: asyncio.Task[None] | None = None
        try:
            self._outlet.step()
            if not await self._prepare(session):
                return
            sampler = asyncio.create_task(self._sample(session), name="station.sampler")
            await self._deliver_energy(session)
            await self._wind_down(session)
        finally:
            if sampler is not None:
                sampler.cancel()
            self._outlet.release(session)

    async def _prepare(self, session: Session) -> bool:
        timeout = self._config.whole("ConnectionTimeOut")
        await self._outlet.until(lambda: self._outlet.plugged or session.stopped, timeout)
        if session.stopped or not self._outlet.plugged:
            return False
        if self._knobs.start_at == "authorised":
            self._start_transaction(session, self._outlet.meter.sample)
        if self._outlet.rating_a is None:
            self._outlet.trouble = Status("Faulted", "OtherError", "coding of the cable is out of range")
        session.locks = True
        self._outlet.step()
        if self._outlet.has_lock and self._outlet.trouble is None:
            await self._outlet.until(lambda: self._outlet.locked or session.stopped, _LOCK_S)
            if not self._outlet.locked and not session.stopped:
                self._outlet.trouble = Status("Faulted", "ConnectorLockFailure")
        if self._outlet.trouble is None and not session.stopped:
            return True
        if session.tx:
            self._stop_transaction(session, session.tx)
        return False

    async def _deliver_energy(self, session: Session) -> None:
        # a transaction begins with a dead outlet; a clean station has no other here
        await self._outlet.until(lambda: not self._outlet.control.live and self._outlet.meter.sample.idle, _STOP_S)
        if self._knobs.start_at == "locked":
            self._start_transaction(session, self._outlet.meter.sample)
        session.powers = True
        self._outlet.step()
        if self._knobs.pwm_delay_s:
            await self._outlet.until(lambda: session.stopped, self._knobs.pwm_delay_s)
        session.offers = True
        session.offered_at_s = asyncio.get_running_loop().time()
        self._outlet.step()
        if self._knobs.start_at == "current":
            await self._outlet.until(lambda: session.stopped or not self._outlet.meter.sample.idle, None)
            self._start_transaction(session, self._outlet.last_idle)
        await self._outlet.until(lambda: session.stopped, None)

    async def _wind_down(self, session: Session) -> None:
        if self._knobs.welds_at_stop:
            self._outlet.control.weld()
        if session.stop_reason in ("HardReset", "EmergencyStop", "Other"):
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
        self._outlet.keeps_lock = (
            session.stop_reason == "EVDisconnected"
            and self._outlet.cable_in()
            and not self._config.flag("UnlockConnectorOnEVSideDisconnect")
        )
        if session.tx:
            self._queue.values(session.tx, at, end, "Transaction.End", None)
            session.ended = True
            self._outlet.step()
            await asyncio.sleep(self._knobs.stop_delay_s)
            self._stop_transaction(session, session.tx, at, end)
        session.ended = True

    def _start_transaction(self, session: Session, begin: Sample) -> None:
        if self._knobs.energy_gain != 1.0:
            self._outlet.meter.begin()
        session.tx = tx = Transaction(session.id_tag, self._clock.now(), begin)

        def answered(answer: Any) -> None:
            info: dict[str, Any] = answer.id_tag_info
            session.parent = info.get("parent_id_tag") or session.parent
            if info["status"] != "Accepted":
                if self._config.flag("StopTransactionOnInvalidId"):
                    self._outlet.request_stop("DeAuthorized")
                session.barred = True
                self._outlet.step()

        self._queue.start(tx, answered)

    def _stop_transaction(
        self, session: Session, tx: Transaction, at: datetime | None = None, end: Sample | None = None
    ) -> None:
        session.ended = True
        reason = session.stop_reason or "Other"
        self._queue.stop(tx, at or self._clock.now(), end or self._outlet.meter.sample, reason, session.stop_tag)

    async def _sample(self, session: Session) -> None:
        while self._knobs.periodic_values:
            interval = self._config.whole("MeterValueSampleInterval")
            await asyncio.sleep(interval or 1.0)
            if interval and session.tx and not session.stopped:
                offered = self._outlet.offered_a or 0.0
                self._queue.values(session.tx, self._clock.now(), self._outlet.meter.sample, "Sample.Periodic", offered)
