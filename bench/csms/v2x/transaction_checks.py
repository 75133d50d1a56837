"""What an event of a transaction shows to be wrong by itself, beyond its schema and beside the rule packs.

Rules judge the course (numbers in order, one end, the first event Started, ...); here stands what is wrong with one
message against those before it. Optional fields are sent once (part 2 section E 1.5).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..dialect import Payload
from ..fields import instance_id, integer, member, text
from .transaction import KnownTransaction, fingerprint

__all__ = ["Finding", "check_event"]

AUTHORISING = frozenset(
    {"Authorized", "Deauthorized", "RemoteStart", "RemoteStop", "StopAuthorized", "TariffNotAccepted", "TxResumed"}
)
"""Triggers with which a token may come although one came before."""

AGAIN = frozenset({"CablePluggedIn", "EVDetected", "TxResumed"})
"""Triggers with which the outlet may be named again: the vehicle was connected anew, or the station restarted."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: a word for it, a sentence, and the requirement."""

    code: str
    text: str
    ref: str


def check_event(known: KnownTransaction | None, payload: Payload) -> Iterator[Finding]:
    """Findings of one event that is no repetition; `known`: the transaction before it, None when it is the first."""
    trigger, info = text(payload.get("triggerReason")), member(payload, "transactionInfo")
    if trigger == "ChargingStateChanged" and "chargingState" not in info:
        yield Finding("ChargingStateMissing", "ChargingStateChanged does not say the new state", "E01.FR.18, E02.FR.13")
    if known is None:
        return
    number = integer(payload.get("seqNo"))
    before = None if number is None else known.replies.get(number)
    if before is not None and before[0] != fingerprint(payload):
        why = f"number {number} was used before for another event of transaction {known.id}"
        yield Finding("SeqNoReused", why, "E01.FR.07, E02.FR.07")
    elif known.numbers.last is not None and number is not None and number > known.numbers.last:
        why = f"event {number} of transaction {known.id}, which ended with number {known.numbers.last}"
        yield Finding("EventAfterEnd", why, "TransactionEventEnumType Ended; E06")
    yield from _said_again(known, payload, trigger)


def _said_again(known: KnownTransaction, payload: Payload, trigger: str) -> Iterator[Finding]:
    """Fields that are sent once; of each transaction each is told once, or a station that repeats all would flood."""
    if (
        "idToken" in payload
        and known.kept.id_type is not None
        and payload.get("eventType") == "Updated"
        and trigger not in AUTHORISING
        and "idToken" not in known.repeated_fields
    ):
        known.repeated_fields.add("idToken")
        why = f"idToken is sent again in transaction {known.id}, and {trigger} authorises nobody"
        yield Finding("IdTokenRepeated", why, "TransactionEventRequest idToken; E03.FR.01, E07.FR.02")
    place = member(payload, "evse")
    same = (known.kept.evse, known.kept.connector) == (
        instance_id(place.get("id")),
        instance_id(place.get("connectorId")),
    )
    if same and known.kept.connector is not None and trigger not in AGAIN and "evse" not in known.repeated_fields:
        known.repeated_fields.add("evse")
        why = f"evse is sent again in transaction {known.id} and is what it was"
        yield Finding("EvseRepeated", why, "E01.FR.16; part 2 section E 1.5")
