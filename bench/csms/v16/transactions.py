"""Transactions of OCPP 1.6: the back end gives the id, and always answers (sections 3.7.1, 4.8, 4.10)."""

from __future__ import annotations

from ..checks import breach
from ..dialect import Payload
from ..fields import integer, text
from ..service import Answers, Asked, Service
from ..state import OpenTransaction
from .authorisation import id_tag_info

__all__ = ["Transactions16"]


class Transactions16(Service):
    """StartTransaction and StopTransaction. Open transactions outlive the back end (`CsmsState`)."""

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"StartTransaction": self._start, "StopTransaction": self._stop}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the books by the id that was really answered; notes: `repeated`, `orphan`, `connector`."""
        state = self.desk.state
        if action == "StartTransaction":
            start, tx = self._start_of(payload), integer(reply.get("transactionId"))
            if tx is None:
                return {}
            if state.open_transactions.get(str(tx)) == start:
                return {"repeated": True}
            state.begin(tx, start)
        elif action == "StopTransaction":
            known, repeated = state.end(
                text(payload.get("transactionId")), text(payload.get("timestamp")), self.station
            )
            return {
                "orphan": known is None or known.station != self.station,
                "repeated": repeated,
                "connector": known.connector if known else None,
            }
        return {}

    def _start(self, payload: Payload, how: Asked) -> Payload:
        # Section 4.8: the transaction gets its id also when the identifier is not valid.
        # Section 3.7.1: a station repeats the message until it is answered; a repetition keeps its id.
        start = self._start_of(payload)
        known = self.desk.state.same_start(start)
        if start.connector < 1:
            self._breach("StartTransaction", "ConnectorZero", "connectorId of a start is not above 0", "6.45", how)
        tx = self.desk.state.next_transaction_id() if known is None else known
        return {"transactionId": tx, "idTagInfo": id_tag_info(self.desk, start.id_tag, busy=self._busy(start))}

    def _stop(self, payload: Payload, how: Asked) -> Payload:
        # Section 4.10: the central system cannot prevent a stop, and idTagInfo belongs to a given idTag only.
        id_tag = payload.get("idTag")
        return {} if id_tag is None else {"idTagInfo": id_tag_info(self.desk, id_tag)}

    def _busy(self, start: OpenTransaction) -> bool:
        """Whether an identifier that may run one transaction runs one on another connector. (One on the same
        connector is over: its end was lost.)"""
        token = self.desk.tokens.find(start.id_tag)
        if token is None or token.concurrent:
            return False
        here = (self.station, start.connector)
        return any((station, place) != here for station, _, place in self.desk.state.holders(start.id_tag))

    def _start_of(self, payload: Payload) -> OpenTransaction:
        return OpenTransaction(
            self.station,
            integer(payload.get("connectorId")) or 0,
            text(payload.get("idTag")),
            text(payload.get("meterStart")),
            text(payload.get("timestamp")),
        )

    def _breach(self, action: str, code: str, what: str, section: str, how: Asked) -> None:
        breach(self.desk, self.station, action, code, what, f"1.6 section {section}", how.stamp)
