"""How the back end answers a station of OCPP 1.6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..defaults import now_text
from ..dialect import Payload
from ..service import Answers, Asked, Service
from ..settings import Desk
from ..state import OpenTransaction
from .actions import text

__all__ = ["Core16"]


class Core16(Service):
    """Registration, authorisation and transactions. Sources: 1.6 sections 4.1-4.10."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self._station = station
        self._state = desk.state
        self._settings = desk.settings
        self._boots: Iterator[str] = iter(desk.settings.boots)

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {
            "Authorize": self._authorize,
            "BootNotification": self._boot,
            "DataTransfer": self._data_transfer,
            "Heartbeat": lambda _, __: {"currentTime": now_text()},
            "StartTransaction": self._start,
            "StopTransaction": self._stop,
        }

    def _boot(self, payload: Payload, how: Asked) -> Payload:
        # A triggered boot of a station that is served already is no new registration.
        status = "Accepted" if how.asked and how.registered else next(self._boots, "Accepted")
        interval = self._settings.heartbeat_s if status == "Accepted" else self._settings.boot_retry_s
        return {"status": status, "currentTime": now_text(), "interval": interval}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the books on transactions, by the id that was really answered."""
        if action == "StartTransaction":
            start = self._start_of(payload)
            tx = reply.get("transactionId")
            if type(tx) is not int:
                return {}
            known = self._state.open_transactions.get(str(tx))
            if known == start:
                return {"repeated": True}
            self._state.begin(tx, start)
        if action == "StopTransaction":
            tx = payload.get("transactionId")
            known, repeated = self._state.end(text(tx), text(payload.get("timestamp")))
            return {
                "orphan": known is None or known.station != self._station,
                "repeated": repeated,
                "connector": known.connector if known else None,
            }
        return {}

    def _id_tag_info(self, id_tag: Any) -> Payload:
        return {"status": "Accepted" if self._settings.accepts(text(id_tag)) else "Invalid"}

    def _authorize(self, payload: Payload, _how: Asked) -> Payload:
        return {"idTagInfo": self._id_tag_info(payload.get("idTag"))}

    def _data_transfer(self, _payload: Payload, _how: Asked) -> Payload:
        # 1.6 section 4.3: no implementation for the vendor.
        return {"status": "UnknownVendorId"}

    def _start_of(self, payload: Payload) -> OpenTransaction:
        return OpenTransaction(
            self._station,
            int(payload.get("connectorId") or 0),
            text(payload.get("idTag")),
            text(payload.get("meterStart")),
            text(payload.get("timestamp")),
        )

    def _start(self, payload: Payload, _how: Asked) -> Payload:
        # 1.6 section 4.8: the transaction gets its id also when the identifier is not valid.
        # Section 3.7.1: a station repeats the message until it is answered; a repetition keeps its id.
        known = self._state.same_start(self._start_of(payload))
        tx = self._state.next_transaction_id() if known is None else known
        return {"transactionId": tx, "idTagInfo": self._id_tag_info(payload.get("idTag"))}

    def _stop(self, payload: Payload, _how: Asked) -> Payload:
        # 1.6 section 4.10: the central system cannot prevent a stop, and idTagInfo belongs to a given idTag only.
        id_tag = payload.get("idTag")
        return {} if id_tag is None else {"idTagInfo": self._id_tag_info(id_tag)}
