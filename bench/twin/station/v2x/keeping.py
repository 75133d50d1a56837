"""The local list and reservations (use cases D01, D02, H01 to H04)."""

from __future__ import annotations

from functools import partial

from ..clock import parse_time
from ..local_list import Entry
from ..messages import Answers, Message, Payload, Reply, member
from ..parts import Parts
from ..posts import Post
from ..reservations import Reservation
from .device_model import DeviceModel

__all__ = ["Keeping"]


class Keeping:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts, model: DeviceModel) -> None:
        self._parts = parts
        self._model = model
        for post in parts.posts:
            post.outlet.reservations.expired = self._expired
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
        post, expires = self._wanted(payload), parse_time(payload["expiryDateTime"])
        if post is None or expires <= self._parts.clock.now():
            return Reply({"status": "Rejected"})
        outlet, status = post.outlet, self._parts.reporter.shown(post.number).status
        held = outlet.reservations.current
        if status in ("Faulted", "Unavailable"):
            return Reply({"status": status})
        if status not in ("Available", "Reserved") or (held is not None and held.number != payload["id"]):
            return Reply({"status": "Occupied"})
        group = member(payload, "groupIdToken").get("idToken")
        wanted = Reservation(payload["id"], payload["idToken"]["idToken"], group, expires)
        return Reply({"status": "Accepted"}, lambda: outlet.reservations.reserve(wanted))

    def _wanted(self, payload: Payload) -> Post | None:
        """The EVSE that is asked for; of any (H01) the one with this reservation, or the first that is free."""
        posts = self._parts.posts
        if "evseId" in payload:
            return posts.at(payload["evseId"])
        for post in posts:
            held = post.outlet.reservations.current
            if held is not None and held.number == payload["id"]:
                return post
        free = [post for post in posts if self._parts.reporter.shown(post.number).status == "Available"]
        return (free or list(posts))[0]

    def _cancel(self, payload: Payload) -> Reply:
        number = payload["reservationId"]
        for post in self._parts.posts:
            held = post.outlet.reservations.current
            if held is not None and held.number == number:
                return Reply({"status": "Accepted"}, partial(self._cancelled, post, number))
        return Reply({"status": "Rejected"})

    def _cancelled(self, post: Post, number: int) -> None:
        post.outlet.reservations.cancel(number)

    def _expired(self, number: int) -> None:
        update = {"reservationId": number, "reservationUpdateStatus": "Expired"}
        self._parts.send_soon(Message("ReservationStatusUpdate", update))
