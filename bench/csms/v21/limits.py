"""Limits of transactions in cost, energy, time and state of charge (OCPP 2.1 E16)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ..checks import breach
from ..dialect import Payload
from ..fields import member
from ..service import Answers, Asked
from ..settings import Desk
from ..tokens import TransactionLimit
from ..v2x.device_model import DeviceModel
from ..v2x.transaction import KnownTransaction, transaction_id
from ..v2x.transaction_book import TransactionBook

__all__ = ["TransactionBook21", "limit_payload"]

FIELDS = {
    "max_cost": "maxCost",
    "max_energy_wh": "maxEnergy",
    "max_time_s": "maxTime",
    "max_soc_pct": "maxSoC",
}
SUPPORTED = "TxCtrlr.SupportedLimits"


class TransactionBook21(TransactionBook):
    """Transactions with limits.

    A limit is given once, in the first answer that can carry it (E16.FR.02): to an event that is not offline, as those
    are of the past (E16.FR.18). It comes from `limit`, else from the token (C17.FR.03), else from the policy.
    """

    def __init__(self, station: str, desk: Desk, model: DeviceModel) -> None:
        super().__init__(station, desk)
        self._model = model
        self._wanted: dict[str, TransactionLimit] = {}

    def limit(self, tx: str, limit: TransactionLimit) -> None:
        """Give a transaction this limit with the next answer, also in place of one that was given before."""
        self._wanted[tx] = limit

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"TransactionEvent": self._checked}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """See `TransactionBook.settled`. A limit that went out, or came too late, is no longer waiting."""
        notes = super().settled(action, payload, reply)
        if action == "TransactionEvent" and ("transactionLimit" in reply or payload.get("eventType") == "Ended"):
            self._wanted.pop(transaction_id(payload), None)
        return notes

    def extras(self, payload: Payload, known: KnownTransaction | None) -> Payload:
        """The limit, where there is one to give; or that an ad hoc payment that came to nothing costs nothing."""
        if payload.get("eventType") == "Ended":
            return {"totalCost": 0.0} if _came_to_nothing(payload, known) else {}
        if payload.get("offline") is True:
            return {}
        said = {} if known is None else known.limit
        reported: Payload = {**said, **member(member(payload, "transactionInfo"), "transactionLimit")}
        limit = limit_payload(self._limit_for(payload, known))
        given = {} if known is None else known.limit_sent
        known_words = self._model.members(SUPPORTED)
        supported = {word.casefold() for word in (limit if known_words is None else known_words)}
        fitting = {
            name: value
            for name, value in limit.items()
            # E16.FR.12: only what the station supports.
            if name.casefold() in supported and not _needless(value, reported.get(name), given.get(name))
        }
        return {"transactionLimit": fitting} if fitting else {}

    def _checked(self, payload: Payload, how: Asked) -> Payload:
        known = self._known.get(transaction_id(payload))
        said = member(member(payload, "transactionInfo"), "transactionLimit")
        if known is not None and known.reply_to(payload) is None and payload.get("offline") is not True:
            for name, value in said.items():
                given = known.limit_sent.get(name)
                if given is not None and not _at_most(value, given):
                    why = f"{name} {value} of transaction {known.id} is above {given}, which the back end has set"
                    breach(self.desk, self.station, "TransactionEvent", "LimitRaised", why, "E16.FR.04", how.stamp)
        return self._answer(payload, how)

    def _limit_for(self, payload: Payload, known: KnownTransaction | None) -> TransactionLimit | None:
        asked = self._wanted.get(transaction_id(payload))
        if asked is not None:
            return asked
        if known is not None and known.limit_sent:
            return None
        own = self._token_limit(payload)
        if own is not None:
            return own
        return self.desk.settings.policy.transaction_limit

    def _token_limit(self, payload: Payload) -> TransactionLimit | None:
        if "idToken" not in payload:
            return None
        token = member(payload, "idToken")
        known = self.desk.tokens.find(str(token.get("idToken")), str(token.get("type")))
        return None if known is None else known.limit


def limit_payload(limit: TransactionLimit | None) -> dict[str, Any]:
    """A limit as TransactionLimitType; empty for none."""
    values = {name: getattr(limit, ours, None) for ours, name in FIELDS.items()}
    return {name: value for name, value in values.items() if value is not None}


def _came_to_nothing(payload: Payload, known: KnownTransaction | None) -> bool:
    """Whether an ad hoc payment can be released: its transaction ends before it charged (C20.FR.03)."""
    if known is None or known.kept.id_type != "DirectPayment" or known.charged:
        return False
    if payload.get("triggerReason") not in ("StopAuthorized", "EVConnectTimeout"):
        return False
    return not known.cost(payload, Decimal(1000))


def _needless(wanted: Any, reported: Any, given: Any) -> bool:
    """Whether a limit is in place: as it is wanted, or the driver has a lower one (E16.FR.08). One that the station
    only confirms may be raised (E16.FR.14)."""
    return reported == wanted or (reported != given and _at_most(reported, wanted))


def _at_most(reported: Any, wanted: Any) -> bool:
    return isinstance(reported, int | float) and isinstance(wanted, int | float) and reported <= wanted
