"""Reservations of one station: made, withdrawn, used, or over (1.6 section 5.13, 2.x H)."""

from __future__ import annotations

import msgspec

from .dialect import Payload
from .fields import instance_id, integer, member, string, text
from .service import Answers, Service
from .settings import Desk
from .state import KeptReservation

__all__ = ["Reservation", "Reservations", "Reservations2x"]

KEEP = 200


class Reservation(msgspec.Struct):
    """One reservation. `state`: Reserved, Cancelled, Used, or the station's word for its end (Expired, ...)."""

    number: int
    evse: int | None
    id_tag: str | None
    expires: str | None
    state: str = "Reserved"
    tx: str | None = None


class Reservations(Service):
    """What a station has accepted to keep free, by the number of the reservation."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.reservations: dict[int, Reservation] = {
            number: Reservation(number, kept.evse, kept.id_tag, kept.expires)
            for number, kept in desk.state.reservations(station).items()
        }

    @property
    def active(self) -> list[Reservation]:
        """Those that hold."""
        return [one for one in self.reservations.values() if one.state == "Reserved"]

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """A reservation that the station took; one with a number that is in use replaces the old (H01.FR.02)."""
        if answer.get("status") != "Accepted":
            return
        if action == "ReserveNow":
            number = integer(payload.get("reservationId", payload.get("id")))
            if number is None:
                return
            evse = instance_id(payload.get("connectorId", payload.get("evseId")))
            id_tag = string(payload.get("idTag")) or string(member(payload, "idToken").get("idToken"))
            expires = string(payload.get("expiryDate", payload.get("expiryDateTime")))
            self.reservations[number] = Reservation(number, evse, id_tag, expires)
            if len(self.reservations) > KEEP:
                self.reservations.pop(next(iter(self.reservations)))
            self._keep()
        elif action == "CancelReservation":
            self._end(integer(payload.get("reservationId")), "Cancelled")

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """A transaction that uses a reservation, or the station's word that it is over (H04.FR.01)."""
        number = integer(payload.get("reservationId"))
        if action == "ReservationStatusUpdate":
            self._end(number, text(payload.get("reservationUpdateStatus")))
        elif action == "StartTransaction":
            self._end(number, "Used", text(reply.get("transactionId")))
        elif action == "TransactionEvent":
            self._end(number, "Used", text(member(payload, "transactionInfo").get("transactionId")))
        return {}

    def _end(self, number: int | None, state: str, tx: str | None = None) -> None:
        known = None if number is None else self.reservations.get(number)
        if known is not None and known.state == "Reserved":
            known.state, known.tx = state, tx
            self._keep()

    def _keep(self) -> None:
        """They outlive the back end, as they outlive a restart of the station."""
        held = {one.number: KeptReservation(one.evse, one.id_tag, one.expires) for one in self.active}
        self.desk.state.keep_reservations(self.station, held)


class Reservations2x(Reservations):
    """2.x beside it: the station says that a reservation is over. 1.6 has no such message."""

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"ReservationStatusUpdate": lambda _, __: {}}
