"""TransactionEvent: Started, Updated, Ended (2.x use cases E01 to E12).

A transaction begins at the first of TxStartPoint and ends at the first of TxStopPoint. It may so be older than the
session that is authorised in it, and last longer. What is told only once: EVSE and connector as soon as the vehicle is
there (E01.FR.16), the token when it is authorised (E03.FR.01) and when it ends the authorisation (E07.FR.02).

Of 2.1: it may outlive a power loss and a reset (E17, B13), and have a limit (E16), at which its energy is suspended.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..clock import StationClock, text_of
from ..faults import Knobs
from ..iec61851 import CpState
from ..link import Link
from ..messages import Message, Payload, member
from ..meter import Sample
from ..place import Place
from ..session import Session, Token
from ..speech import Status
from ..story import Interrupted, Running, Stage
from ..transaction import TransactionQueue
from .device_model import DeviceModel
from .dialect import Dialect2x, connector_of, id_token
from .limits import TransactionLimits
from .measured import meter_value

__all__ = ["Story2x"]

_WHY: dict[str, tuple[str, str]] = {
    "Local": ("StopAuthorized", "Local"),
    "Remote": ("RemoteStop", "Remote"),
    "EVDisconnected": ("EVCommunicationLost", "EVDisconnected"),
    "ImmediateReset": ("ResetCommand", "ImmediateReset"),
    "DeAuthorized": ("Deauthorized", "DeAuthorized"),
    "Timeout": ("EVConnectTimeout", "Timeout"),
    "PowerLoss": ("AbnormalCondition", "PowerLoss"),
    "UnlockCommand": ("UnlockCommand", "Other"),
    "GroundFault": ("AbnormalCondition", "GroundFault"),
    "Other": ("AbnormalCondition", "Other"),
}
"""Why a session ends -> triggerReason and stoppedReason."""
_ENDS_ANYWAY = frozenset({"EVDisconnected", "GroundFault", "ImmediateReset", "Timeout", "PowerLoss", "Other"})
_BAY = "ParkingBayOccupancy"
_STATES = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})
_LOOK_S = 1.5
_RESUMED_S = 4.0
"""What is taken up again is told between these two times: when it has come to its state from before, if it does."""


@dataclass(frozen=True)
class _Lost:
    """The supply went: when, by both clocks, and what was going on."""

    at: datetime
    loop_s: float
    sample: Sample
    session: Session | None


@dataclass(frozen=True)
class _Resumption:
    """A transaction is taken up: the state that it should have, and from when to when to wait for it (loop time)."""

    state: str | None
    from_s: float
    until_s: float


@dataclass
class _Transaction(Running):
    seq_no: int = 0
    state: str | None = None
    place_told: bool = False
    remote_start_id: int | None = None
    left: str | None = None  # why the authorisation ended, while the transaction goes on
    before: str | None = None  # its state before the interruption that it outlives
    resumption: _Resumption | None = None  # nothing is told before this is
    limits: TransactionLimits = field(default_factory=TransactionLimits)
    limited: bool = False
    limit_next: str | None = None  # of the limit that the next change of state tells


class Story2x:
    """Implements `story.Story`."""

    def __init__(
        self,
        evse: int,
        queue: TransactionQueue,
        link: Link,
        speech: Dialect2x,
        model: DeviceModel,
        clock: StationClock,
        knobs: Knobs,
    ) -> None:
        self._evse = evse
        self._queue = queue
        self._link = link
        self._speech = speech
        self._model = model
        self._clock = clock
        self._knobs = knobs
        self._tx: _Transaction | None = None
        self._outlet: Place
        self._plugged = False
        self._status = Status("Available")
        self._lost: _Lost | None = None

    @property
    def running(self) -> Running | None:
        return self._tx

    def attach(self, outlet: Place) -> None:
        self._outlet = outlet

    # what happens

    def noticed(self, status: Status) -> None:
        self._status = status
        if self._outlet.plugged != self._plugged:
            self._plugged = self._outlet.plugged
            self._plug_moved()
        tx, session = self._tx, self._outlet.session
        # a session that is being stopped is told of when the register stands still
        if tx is None or (session is not None and session.stopped):
            return
        if self._plugged and self._outlet.control.state is CpState.A:
            return  # it is about to be seen as unplugged
        if tx.resumption is not None:
            self._resume(tx, tx.resumption)
            return
        self._mind_limits(tx, session)
        if self._state() != tx.state:
            trigger, tx.limit_next = tx.limit_next or "ChargingStateChanged", None
            self._updated(tx, trigger, state=True)

    def reached(self, session: Session, stage: Stage) -> None:
        tx, points = self._tx, self._model.names("TxCtrlr.TxStartPoint")
        if session.stopped:
            return
        if tx is not None:
            if stage == "authorised" and self._knobs.card_starts_another:
                self._start(self._authorised_by(session), session, self._outlet.meter.sample)
            elif stage == "authorised" and tx.resumption is None:
                tx.left = None
                self._updated(tx, self._authorised_by(session), session=session, state=True)
        elif (stage == "authorised" and "Authorized" in points) or (
            stage == "locked" and ("PowerPathClosed" in points or "EVConnected" in points)
        ):
            self._start(self._authorised_by(session), session, self._outlet.meter.sample)
        elif stage == "current":
            self._start(self._authorised_by(session), session, self._outlet.last_idle)

    def sampled(self) -> None:
        names = self._model.names("SampledDataCtrlr.TxUpdatedMeasurands")
        if self._tx is not None and self._tx.resumption is None and names:
            self._updated(self._tx, "MeterValuePeriodic", values=("Sample.Periodic", names))

    def aligned(self, measurands: list[str]) -> None:
        """The moment of clock-aligned values has come in a transaction (J01)."""
        if self._tx is not None and self._tx.resumption is None and measurands:
            self._updated(self._tx, "MeterValueClock", values=("Sample.Clock", measurands))

    def settled(self, session: Session, at: datetime, end: Sample) -> None:
        return

    def ended(self, session: Session, at: datetime, end: Sample) -> None:
        reason = session.stop_reason or "Other"
        self._finish(reason, at, end, session.stop_token)

    def power_lost(self, session: Session | None) -> None:
        going = session is None or not session.stopped
        if self._tx is not None and self._model.resumption_s and going:
            loop_s = asyncio.get_running_loop().time()
            self._lost = self._lost or _Lost(self._clock.now(), loop_s, self._outlet.meter.sample, session)
            resumption, self._tx.resumption = self._tx.resumption, None
            self._tx.before = self._tx.state if resumption is None else resumption.state
            return
        self._finish("PowerLoss", self._clock.now(), self._outlet.meter.sample, None)
        self._plugged = False

    def interrupt(self) -> bool:
        if self._tx is None:
            return False
        self._updated(self._tx, "ResetCommand", state=True)  # B13.FR.04
        self._tx.before = self._tx.state
        return True

    def take_up(self) -> Interrupted | None:
        now, lost, self._lost = asyncio.get_running_loop().time(), self._lost, None
        tx, session = self._tx, self._outlet.session if lost is None else lost.session
        if lost is not None and now - lost.loop_s > self._model.resumption_s:  # E17.FR.20, FR.21
            self._finish("PowerLoss", lost.at, lost.sample, None, anyway=True)
            tx = None
        if lost is not None:
            self._plugged = False
        if tx is None or tx.before is None:
            return None
        state, tx.before = tx.before, None
        energy = self._model.resumes_energy or self._knobs.resumes_energy_anyway
        if not energy and state in ("Charging", "SuspendedEV"):  # E17.FR.12, B13.FR.25
            state = "SuspendedEVSE"
        if session is not None:
            session.held = not energy and state == "SuspendedEVSE"
            if lost is not None:
                session.locks = session.powers = session.offers = False
                session.delay_s = random.uniform(0.0, self._model.resumption_random_s)  # E17.FR.18
        tx.resumption = _Resumption(state, now + _LOOK_S, now + _RESUMED_S)
        return Interrupted(session)

    def abandon(self, reason: str) -> None:
        """End a transaction in which nobody is authorised."""
        self._finish(reason, self._clock.now(), self._outlet.meter.sample, None, anyway=True)

    def triggered(self) -> None:
        """The back end asks for the state of the transaction (F06.FR.07)."""
        if self._tx is not None and self._tx.resumption is None:
            names = self._model.names("SampledDataCtrlr.TxUpdatedMeasurands")
            self._updated(self._tx, "Trigger", values=("Trigger", names), state=True)

    def _resume(self, tx: _Transaction, wanted: _Resumption) -> None:
        """Tell that it goes on, in the state from before once that is there (E17.FR.14, B13.FR.30)."""
        now = asyncio.get_running_loop().time()
        if now >= wanted.until_s or (now >= wanted.from_s and self._state() == wanted.state):
            tx.resumption = None
            self._updated(tx, "TxResumed", state=True)

    def _mind_limits(self, tx: _Transaction, session: Session | None) -> None:
        """Suspend the energy at a limit, and let it go on when the limit is raised (E16.FR.05, E16.FR.14)."""
        age_s = (self._clock.now() - tx.started_at).total_seconds()
        why = tx.limits.reached(self._outlet.meter.sample.energy_wh, age_s)
        if session is not None and session.limited != (why is not None) and self._knobs.obeys_limits:
            session.limited = why is not None
            asyncio.get_running_loop().call_soon(self._outlet.step)
        if tx.limited == (why is not None):
            return
        tx.limited = why is not None
        if why is None or (self._knobs.obeys_limits and self._state() != "SuspendedEVSE"):
            tx.limit_next = why  # the change of state tells it
        else:
            self._updated(tx, why, suspended=True)

    def _limit_set(self, tx: _Transaction, said: Payload) -> None:
        """The back end has limited it: say which of its limits hold from now on (E16.FR.03)."""
        taken = tx.limits.take(said)
        if taken and tx is self._tx:
            self._updated(tx, "LimitSet", limits=taken)

    # how it is told

    def _plug_moved(self) -> None:
        tx, session = self._tx, self._outlet.session
        if tx is not None and tx.resumption is not None and (self._plugged or session is not None):
            return
        if self._plugged:
            if tx is not None:
                self._updated(tx, "CablePluggedIn", state=True)
            elif self._starts_with_plug() and self._outlet.operative:
                trigger = "CablePluggedIn" if session is None else self._authorised_by(session, "CablePluggedIn")
                self._start(trigger, session, self._outlet.meter.sample)
        elif tx is not None:
            if session is None or session.ended:
                self._finish("EVDisconnected", self._clock.now(), self._outlet.meter.sample, None)
            elif not session.stopped:
                self._updated(tx, "EVCommunicationLost", state=True)

    def _starts_with_plug(self) -> bool:
        return self._knobs.plug_starts and "EVConnected" in self._model.names("TxCtrlr.TxStartPoint")

    def _start(self, trigger: str, session: Session | None, begin: Sample) -> None:
        self._outlet.meter.begin()
        limits = TransactionLimits(begin.energy_wh, self._knobs.limit_early_wh)
        tx = self._tx = _Transaction(self._clock.now(), str(uuid.uuid4()), limits=limits)
        payload = self._event("Started", tx, trigger, tx.started_at, session, state=True)
        names = self._model.names("SampledDataCtrlr.TxStartedMeasurands")
        self._measure(payload, begin, "Transaction.Begin", names)
        if session is not None and session.reservation is not None:
            payload["reservationId"] = session.reservation
        self._put(tx, payload, session)

    def _updated(
        self,
        tx: _Transaction,
        trigger: str,
        *,
        session: Session | None = None,
        values: tuple[str, list[str]] | None = None,
        limits: dict[str, Any] | None = None,
        suspended: bool = False,
        state: bool = False,
    ) -> None:
        payload = self._event("Updated", tx, trigger, self._clock.now(), session, state=state)
        if limits:
            payload["transactionInfo"]["transactionLimit"] = limits
        if suspended:
            payload["transactionInfo"]["chargingState"] = "SuspendedEVSE"
        if values is not None:
            self._measure(payload, self._outlet.meter.sample, *values)
        self._put(tx, payload, session)

    def _finish(self, why: str, at: datetime, end: Sample, token: Token | None, *, anyway: bool = False) -> None:
        tx = self._tx
        if tx is None:
            return
        trigger, reason = _WHY.get(why, _WHY["Other"])
        points = self._model.names("TxCtrlr.TxStopPoint")
        ends = anyway or why in _ENDS_ANYWAY or not self._plugged or {"Authorized", "PowerPathClosed"} & set(points)
        if why == "Timeout" and _BAY in points:
            ends = False  # E03.FR.15, F02.FR.08; the next unplug is what the station sees of a bay that was left
        payload = self._event("Ended" if ends else "Updated", tx, trigger, at, None, state=False)
        tx.state = "EVConnected" if self._plugged else "Idle"
        payload["transactionInfo"]["chargingState"] = tx.state
        if token is not None:
            payload["idToken"] = id_token(token)
        if ends:
            payload["transactionInfo"]["stoppedReason"] = reason if anyway else tx.left or reason
            names = self._model.names("SampledDataCtrlr.TxEndedMeasurands")
            self._measure(payload, end, "Transaction.End", names, self._knobs.meter_stop_offset_wh)
            self._tx = None
        else:
            tx.left = reason
        self._put(tx, payload, None)

    def _event(
        self, kind: str, tx: _Transaction, trigger: str, at: datetime, session: Session | None, *, state: bool
    ) -> dict[str, Any]:
        info: dict[str, Any] = {"transactionId": tx.id}
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": text_of(at),
            "triggerReason": trigger,
            "seqNo": tx.seq_no,
            "transactionInfo": info,
        }
        tx.seq_no += 1
        if not self._link.ready:
            payload["offline"] = True
        if state:
            tx.state = info["chargingState"] = self._state()
        if self._plugged and not tx.place_told:
            tx.place_told = True
            payload["evse"] = connector_of(self._evse)
            if self._outlet.has_lock and self._outlet.rating_a is not None:
                payload["cableMaxCurrent"] = round(self._outlet.rating_a)
        if session is not None:
            payload["idToken"] = id_token(session.token)
            if session.remote_start_id is not None:
                info["remoteStartId"] = session.remote_start_id
        return payload

    def _measure(
        self, payload: dict[str, Any], sample: Sample, context: str, names: list[str], offset_wh: int = 0
    ) -> None:
        values = meter_value(payload["timestamp"], sample, names, context, self._outlet.offered_a or 0.0)
        for one in values[0]["sampledValue"] if values and offset_wh else ():
            if one["measurand"] == "Energy.Active.Import.Register":
                one["value"] += offset_wh
        if values:
            payload["meterValue"] = values

    def _put(self, tx: _Transaction, payload: dict[str, Any], session: Session | None) -> None:
        def answered(answer: dict[str, Any]) -> None:
            self._limit_set(tx, member(answer, "transactionLimit"))
            said = self._speech.token_answer(answer)
            if said is None or session is None:
                return
            session.group = said.group or session.group
            if not said.accepted and not session.stopped:
                self._refused(session)

        self._queue.put(lambda: Message("TransactionEvent", payload), answered, of=tx.id)

    def _refused(self, session: Session) -> None:
        session.barred = True
        if self._model.refusal_stops:
            self._outlet.request_stop("DeAuthorized")
        self._outlet.step()

    def _authorised_by(self, session: Session, otherwise: str = "Authorized") -> str:
        return otherwise if session.remote_start_id is None else "RemoteStart"

    def _state(self) -> str:
        if not self._plugged:
            return "Idle"
        return self._status.status if self._status.status in _STATES else "EVConnected"
