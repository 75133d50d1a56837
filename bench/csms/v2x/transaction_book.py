"""Transactions of a station of OCPP 2.0.1 and 2.1 as the back end keeps them, and the answers to their events.

Every event is answered by a result, whatever it says (J02.FR.19, E13): also of a transaction that is not known, out of
order, or after its end. An event that repeats another is answered as that was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal

from ..checks import breach
from ..dialect import Payload
from ..fields import instance_id, integer, member, string
from ..service import Answers, Asked, Service
from ..settings import Desk
from ..state import KEEP_RUNNING, KeptTransaction
from .id_token_info import decide, id_token_info
from .transaction import KnownTransaction, stops, transaction_id
from .transaction_checks import check_event

__all__ = ["TransactionBook"]

MOST_ENDED = 100
"""Transactions that have ended, kept in memory; the oldest is forgotten first."""
MOST_REMOTE = 256
"""Accepted remote starts that are remembered."""


class TransactionBook(Service):
    """The transactions of one station, by the station's own ids."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self._known: OrderedDict[str, KnownTransaction] = OrderedDict()
        self._remote: dict[int, Payload] = {}
        for tx, kept in desk.state.running(station).items():
            self._known[tx] = _restored(tx, kept)

    @property
    def transactions(self) -> Mapping[str, KnownTransaction]:
        """All that run, and those that ended of late."""
        return self._known

    @property
    def running(self) -> list[KnownTransaction]:
        """Those whose end has not come, the oldest first."""
        return [one for one in self._known.values() if one.running]

    def of(self, tx: str) -> KnownTransaction | None:
        """A transaction by its id."""
        return self._known.get(tx)

    def on(self, evse: int) -> KnownTransaction | None:
        """The newest transaction that runs on an outlet."""
        return next((one for one in reversed(self.running) if one.kept.evse == evse), None)

    def remote_start(self, number: int) -> Payload | None:
        """The accepted request with this remoteStartId."""
        return self._remote.get(number)

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"TransactionEvent": self._answer}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Keep the books; notes: `repeated`, and `orphan` for the end of a transaction that is not known."""
        if action != "TransactionEvent":
            return {}
        tx = transaction_id(payload)
        known = self._known.get(tx)
        if known is not None and known.reply_to(payload) is not None:
            return {"repeated": True}
        orphan = known is None and self.desk.state.ended(self.station, tx) is None
        fresh = known is None
        if known is None:
            known = self._known[tx] = self._met(tx)
        self._known.move_to_end(tx)
        number = integer(payload.get("seqNo"))
        if known.restored and known.events == 0 and number is not None and known.numbers.highest is not None:
            # What came between the last writing of the state and the end of the earlier run is not on record.
            known.numbers.cover(known.numbers.highest, max(number - 1, known.numbers.highest))
        if known.take(payload, reply):
            self.desk.state.keep(self.station, tx, known.kept)
        if fresh or not known.running:
            self._forget_old()
        return {"orphan": True} if orphan and not known.running else {}

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """A remote start that the station accepted: its transaction names it (F01.FR.25, F02.FR.01)."""
        number = integer(payload.get("remoteStartId"))
        if action == "RequestStartTransaction" and answer.get("status") == "Accepted" and number is not None:
            self._remote[number] = payload
            if len(self._remote) > MOST_REMOTE:
                self._remote.pop(next(iter(self._remote)))
            tx = string(answer.get("transactionId"))
            known = None if tx is None else self._known.get(tx)
            if known is not None:
                known.kept.remote_start_id = number

    def extras(self, payload: Payload, known: KnownTransaction | None) -> Payload:
        """What a version adds to an answer."""
        return {}

    def _answer(self, payload: Payload, how: Asked) -> Payload:
        tx = transaction_id(payload)
        known = self._known.get(tx)
        before = None if known is None else known.reply_to(payload)
        if before is not None:
            return before
        if known is None and self.desk.state.ended(self.station, tx) is not None:
            known = self._met(tx)
        for found in check_event(known, payload):
            breach(self.desk, self.station, "TransactionEvent", found.code, found.text, found.ref, how.stamp)
        reply: Payload = {}
        if "idToken" in payload:
            # An answer has idTokenInfo only for a token that the event brings (E01.FR.12, E03.FR.02, C12.FR.03).
            reply["idTokenInfo"] = self._info(payload, known)
        return reply | self._told(payload, known) | self.extras(payload, known)

    def _info(self, payload: Payload, known: KnownTransaction | None) -> Payload:
        store, token, tx = self.desk.tokens, member(payload, "idToken"), transaction_id(payload)
        evse = instance_id(member(payload, "evse").get("id"))
        if evse is None and known is not None:
            evse = known.kept.evse
        if stops(payload):
            # Whoever ends his transaction needs to be no more than valid.
            return id_token_info(store, decide(store, token))
        holders = self.desk.state.holders(string(token.get("idToken")) or "")
        busy = any((station, other) != (self.station, tx) for station, other, _ in holders)
        return id_token_info(store, decide(store, token, evse=evse, busy=busy))

    def _told(self, payload: Payload, known: KnownTransaction | None) -> Payload:
        """Cost and message, as the policy wants them; neither in the answer to a start."""
        policy, told = self.desk.settings.policy, Payload()
        if payload.get("eventType") == "Started" or known is None:
            return told
        if policy.price_per_kwh is not None:
            cost = known.cost(payload, Decimal(str(policy.price_per_kwh)))
            if cost is not None:
                told["totalCost"] = cost
        if policy.message is not None and not known.message_sent and payload.get("eventType") == "Updated":
            told["updatedPersonalMessage"] = {"format": "UTF8", "content": policy.message}
        return told

    def _met(self, tx: str) -> KnownTransaction:
        """A transaction that is not in memory: one that ended in an earlier run, or a new one."""
        ended = self.desk.state.ended(self.station, tx)
        return KnownTransaction(tx, KeptTransaction()) if ended is None else _restored(tx, ended)

    def _forget_old(self) -> None:
        ended = [tx for tx, one in self._known.items() if not one.running]
        running = [tx for tx, one in self._known.items() if one.running]
        for tx in (*ended[: max(len(ended) - MOST_ENDED, 0)], *running[: max(len(running) - KEEP_RUNNING, 0)]):
            del self._known[tx]


def _restored(tx: str, kept: KeptTransaction) -> KnownTransaction:
    known = KnownTransaction(tx, kept, restored=True)
    known.numbers.first = kept.first
    if kept.seq is not None:
        known.numbers.cover(kept.seq if kept.first is None else min(kept.first, kept.seq), kept.seq)
        if kept.ended is not None:
            known.numbers.last = kept.seq
    return known
