"""StartTransaction, MeterValues and StopTransaction (OCPP 1.6 sections 4.7, 4.8 and 4.10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..clock import StationClock, text_of
from ..faults import Knobs
from ..messages import Message
from ..meter import Sample, SampledValue, sampled_values
from ..place import Place
from ..session import Session
from ..speech import Status
from ..story import Interrupted, Running, Stage
from ..transaction import TransactionQueue
from .config import Config
from .dialect import Dialect16

__all__ = ["Story16"]

_NO_ID = -1
"""Transaction id when StartTransaction was never answered (errata sheet of OCPP 1.6, StartTransaction)."""
_START_AT: dict[str, Stage] = {"authorised": "connected", "locked": "locked", "current": "current"}
_REASONS = frozenset(
    {
        "DeAuthorized",
        "EVDisconnected",
        "EmergencyStop",
        "HardReset",
        "Local",
        "PowerLoss",
        "Remote",
        "SoftReset",
        "UnlockCommand",
    }
)


@dataclass
class _Transaction(Running):
    id_tag: str = ""
    settled: bool = False  # its last value has been told
    data: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


class Story16:
    """Implements `story.Story`. The knob `start_at` says at which stage the transaction starts."""

    def __init__(
        self, evse: int, queue: TransactionQueue, speech: Dialect16, config: Config, clock: StationClock, knobs: Knobs
    ) -> None:
        self._connector = evse
        self._queue = queue
        self._speech = speech
        self._config = config
        self._clock = clock
        self._knobs = knobs
        self._tx: _Transaction | None = None
        self._outlet: Place
        self._start_at = _START_AT[knobs.start_at]

    @property
    def running(self) -> Running | None:
        return self._tx

    def attach(self, outlet: Place) -> None:
        self._outlet = outlet

    def noticed(self, status: Status) -> None:
        return

    def reached(self, session: Session, stage: Stage) -> None:
        if stage == self._start_at and self._tx is None and not session.stopped:
            meter = self._outlet.meter
            self._start(session, self._outlet.last_idle if stage == "current" else meter.sample)

    def sampled(self) -> None:
        if self._tx is not None and not self._tx.settled:
            offered_a = self._outlet.offered_a or 0.0
            self._values(self._tx, self._clock.now(), self._outlet.meter.sample, "Sample.Periodic", offered_a)

    def aligned(self) -> None:
        """The moment of clock-aligned values has come in a transaction (section 3.16.2)."""
        if self._tx is not None and not self._tx.settled:
            now, sample = self._clock.now(), self._outlet.meter.sample
            self._values(self._tx, now, sample, "Sample.Clock", None, "MeterValuesAlignedData")

    def settled(self, session: Session, at: datetime, end: Sample) -> None:
        if self._tx is not None:
            self._tx.settled = True
            self._values(self._tx, at, end, "Transaction.End", None)

    def ended(self, session: Session, at: datetime, end: Sample) -> None:
        self._stop(at, end, session.stop_reason or "Other", session.stop_token.id if session.stop_token else None)

    def power_lost(self, session: Session | None) -> None:
        self._stop(self._clock.now(), self._outlet.meter.sample, "PowerLoss", None)

    def interrupt(self) -> bool:
        return False

    def take_up(self) -> Interrupted | None:
        return None

    def abandon(self, reason: str) -> None:
        self._stop(self._clock.now(), self._outlet.meter.sample, reason, None)

    def _start(self, session: Session, begin: Sample) -> None:
        self._outlet.meter.begin()
        self._tx = tx = _Transaction(self._clock.now(), id_tag=session.token.id)
        payload: dict[str, Any] = {
            "connectorId": self._connector,
            "idTag": tx.id_tag,
            "meterStart": round(begin.energy_wh),
            "timestamp": text_of(tx.started_at),
        }
        if session.reservation is not None:
            payload["reservationId"] = session.reservation

        def answered(answer: dict[str, Any]) -> None:
            tx.id = int(answer["transactionId"])
            said = self._speech.token_answer(answer)
            if said is not None:
                session.group = said.group or session.group
                if not said.accepted:
                    self._refused(session)

        def given_up() -> None:
            tx.id = _NO_ID

        tx.data.append(self._entry(tx.started_at, begin, "Transaction.Begin", "StopTxnSampledData", None))
        self._queue.put(lambda: Message("StartTransaction", payload), answered, given_up, tx)
        self._values(tx, tx.started_at, begin, "Transaction.Begin", None)

    def _refused(self, session: Session) -> None:
        if self._config.refusal_stops:
            self._outlet.request_stop("DeAuthorized")
        session.barred = True
        self._outlet.step()

    def _values(
        self,
        tx: _Transaction,
        at: datetime,
        sample: Sample,
        context: str,
        offered_a: float | None,
        key: str = "MeterValuesSampledData",
    ) -> None:
        entry = self._entry(at, sample, context, key, offered_a)

        def build() -> Message:
            payload: dict[str, Any] = {"connectorId": self._connector, "meterValue": [entry]}
            return Message("MeterValues", payload if tx.id is None else {**payload, "transactionId": tx.id})

        if entry["sampledValue"]:
            self._queue.put(build, of=tx)

    def _stop(self, at: datetime, end: Sample, reason: str, id_tag: str | None) -> None:
        tx, self._tx = self._tx, None
        if tx is None:
            return
        tx.data.append(self._entry(at, end, "Transaction.End", "StopTxnSampledData", None))
        data = [entry for entry in tx.data if entry["sampledValue"]]

        def build() -> Message:
            payload: dict[str, Any] = {
                "meterStop": round(end.energy_wh) + self._knobs.meter_stop_offset_wh,
                "timestamp": text_of(at),
                "transactionId": _NO_ID if tx.id is None else tx.id,
                "reason": reason if reason in _REASONS else "Other",
            }
            if id_tag is not None:
                payload["idTag"] = id_tag
            if data:
                payload["transactionData"] = data
            return Message("StopTransaction", payload)

        self._queue.put(build, of=tx)

    def _entry(self, at: datetime, sample: Sample, context: str, key: str, offered_a: float | None) -> dict[str, Any]:
        values: list[SampledValue] = sampled_values(sample, self._config.names(key), context, offered_a)
        return {"timestamp": text_of(at), "sampledValue": values}
