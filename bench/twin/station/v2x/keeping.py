"""The local list and reservations (use cases D01, D02, H01 to H04)."""

from __future__ import annotations

from ..clock import parse_time
from ..local_list import Entry
from ..messages import Answers, Message, Payload, Reply, member
from ..parts import Parts
from ..reservations import Reservation
from .device_model import DeviceModel

__all__ = ["Keeping"]


class Keeping:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts, model: DeviceModel) -> None:
        self._parts = parts
        self._model = model
        parts.outlet.reservations.expired = self._expired
        self.answers: Answers = {
            "SendLocalList": self._send_local_list,
            "GetLocalListVersion": self._local_list_version,
            "ReserveNow": self._reserve,
            "CancelReservation": self._cancel,
        }

    def _send_local_list(self, payload: Payload) -> Reply:
        if not self._model.list_enabled:
            return Reply({"status": "Failed"})
        entries: list[Entry] = []
        for data in payload.get("localAuthorizationList", []):
            info = member(data, "idTokenInfo")
            group = member(info, "groupIdToken").get("idToken")
            entries.append(Entry(data["idToken"]["idToken"], info.get("status"), group))
        full = payload["updateType"] == "Full"
        return Reply({"status": self._parts.local_list.update(payload["versionNumber"], entries, full=full)})

    def _local_list_version(self, _payload: Payload) -> Reply:
        return Reply({"versionNumber": self._parts.local_list.version if self._model.list_enabled else 0})

    def _reserve(self, payload: Payload) -> Reply:
        outlet, held = self._parts.outlet, self._parts.outlet.reservations.current
        status = self._parts.reporter.shown(1).status
        expires = parse_time(payload["expiryDateTime"])
        if payload.get("evseId", 1) != 1 or expires <= self._parts.clock.now():
            return Reply({"status": "Rejected"})
        if status in ("Faulted", "Unavailable"):
            return Reply({"status": status})
        if status not in ("Available", "Reserved") or (held is not None and held.number != payload["id"]):
            return Reply({"status": "Occupied"})
        group = member(payload, "groupIdToken").get("idToken")
        wanted = Reservation(payload["id"], payload["idToken"]["idToken"], group, expires)
        return Reply({"status": "Accepted"}, lambda: outlet.reservations.reserve(wanted))

    def _cancel(self, payload: Payload) -> Reply:
        held, number = self._parts.outlet.reservations.current, payload["reservationId"]
        if held is None or held.number != number:
            return Reply({"status": "Rejected"})
        return Reply({"status": "Accepted"}, lambda: self._cancelled(number))

    def _cancelled(self, number: int) -> None:
        self._parts.outlet.reservations.cancel(number)

    def _expired(self, number: int) -> None:
        update = {"reservationId": number, "reservationUpdateStatus": "Expired"}
        self._parts.send_soon(Message("ReservationStatusUpdate", update))
