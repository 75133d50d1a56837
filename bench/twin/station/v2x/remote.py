"""Remote start and stop, unlocking, availability, triggers and what else is asked of the outlet (blocks E, F, G, P)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ..faults import Knobs
from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply, member
from ..parts import Parts
from ..posts import Post
from ..session import Token
from ..speech import Status
from .certificates import Certificates
from .device_model import DeviceModel
from .files import Files2x
from .measured import meter_value
from .smart_charging import SmartCharging2x
from .story import Story2x

__all__ = ["Remote"]

_TRIGGERS = frozenset(
    {
        "BootNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SignChargingStationCertificate",
        "SignV2GCertificate",
        "SignCombinedCertificate",
        "StatusNotification",
        "TransactionEvent",
    }
)


class Remote:
    """Answers requests; `answers` says which."""

    def __init__(
        self,
        parts: Parts,
        model: DeviceModel,
        stories: Mapping[int, Story2x],
        smart: SmartCharging2x,
        certificates: Certificates,
        files: Files2x,
        knobs: Knobs,
    ) -> None:
        self._parts = parts
        self._knobs = knobs
        self._model = model
        self._stories = stories
        self._smart = smart
        self._certificates = certificates
        self._files = files
        self.answers: Answers = {
            "RequestStartTransaction": self._start,
            "RequestStopTransaction": self._stop,
            "GetTransactionStatus": self._transaction_status,
            "UnlockConnector": self._unlock,
            "ChangeAvailability": self._change_availability,
            "TriggerMessage": self._trigger,
            "ClearCache": lambda _: Reply({"status": "Rejected"}),  # there is none (C11.FR.04)
            "DataTransfer": lambda _: Reply({"status": "UnknownVendorId"}),
        }

    # transactions

    def _start(self, payload: Payload) -> Reply:
        data, profile, evse = payload["idToken"], payload.get("chargingProfile"), payload.get("evseId")
        group = member(payload, "groupIdToken").get("idToken")
        post = self._parts.posts.for_start(evse, data["idToken"], group)
        accepted = post is not None and self._parts.link.ready and evse != 0
        if accepted and post is not None and profile is not None:
            accepted = self._smart.install(post.number, profile, starting=True)
        if not accepted or post is None:
            return Reply({"status": "Rejected"})
        outlet, start = post.outlet, post.reader.remote_start
        running = outlet.transaction
        token, number = Token(data["idToken"], data["type"]), payload["remoteStartId"]
        return Reply(
            {"status": "Accepted", **({"transactionId": running.id} if running else {})},
            lambda: outlet.spawn(start(token, group, number), "station.remote_start"),
        )

    def _stop(self, payload: Payload) -> Reply:
        post = self._parts.posts.running(payload["transactionId"])
        if not self._parts.link.ready or post is None:
            return Reply({"status": "Rejected"})

        def stop() -> None:
            if post.outlet.session is None:
                post.story.abandon("Remote")
            else:
                post.outlet.request_stop("Remote")

        return Reply({"status": "Accepted"}, stop)

    def _transaction_status(self, payload: Payload) -> Reply:
        """E14: without an id only whether anything is in the queue."""
        wanted = payload.get("transactionId")
        if wanted is None:
            return Reply({"messagesInQueue": not self._parts.queue.empty})
        ongoing = self._parts.posts.running(wanted) is not None
        return Reply({"ongoingIndicator": ongoing, "messagesInQueue": self._parts.queue.holds(wanted)})

    # the outlet

    async def _unlock(self, payload: Payload) -> Reply:
        post = self._parts.posts.at(payload["evseId"])
        if post is None or payload["connectorId"] != 1:
            return Reply({"status": "UnknownConnector"})
        outlet = post.outlet
        if outlet.session is not None:
            return Reply({"status": "OngoingAuthorizedTransaction"})
        status = await outlet.unlock()
        return Reply({"status": "UnlockFailed" if status == "NotSupported" else status})

    def _change_availability(self, payload: Payload) -> Reply:
        place, operative = payload.get("evse"), payload["operationalStatus"] == "Operative"
        posts = self._parts.posts.named(None if place is None else place["id"])
        if not posts or (place is not None and (place["id"] == 0 or place.get("connectorId", 1) != 1)):
            return Reply({"status": "Rejected"})

        def make_it_so() -> None:
            if place is None:
                self._parts.reporter.publish(0, Status("Available" if operative else "Unavailable"))
            for post in posts:
                post.outlet.take_over_availability()

        answers = {post.outlet.ask_availability(operative) for post in posts}
        return Reply({"status": "Scheduled" if "Scheduled" in answers else "Accepted"}, make_it_so)

    # triggers

    def _trigger(self, payload: Payload) -> Reply:
        message, place = str(payload["requestedMessage"]), member(payload, "evse")
        posts = self._parts.posts.named(place.get("id"))
        status = "Accepted"
        if message not in _TRIGGERS:
            status = "NotImplemented"
        elif not posts or place.get("id", 1) == 0 or place.get("connectorId", 1) != 1:
            status = "Rejected"
        elif message == "StatusNotification" and "connectorId" not in place:
            status = "Rejected"  # F06.FR.12
        elif message == "BootNotification" and self._parts.link.boot_status == "Accepted":
            status = "Rejected"  # F06.FR.17
        elif message == "TransactionEvent" and all(post.outlet.transaction is None for post in posts):
            status = "Rejected"
        if status != "Accepted":
            return Reply({"status": status})
        return Reply({"status": status}, lambda: self._parts.spawn(self._triggered(message, posts), "station.trigger"))

    async def _triggered(self, message: str, posts: list[Post]) -> None:
        link = self._parts.link
        await asyncio.sleep(self._knobs.trigger_delay_s)
        try:
            if message == "BootNotification":
                link.boot_soon()
            elif message == "Heartbeat":
                await link.heartbeat(before_accepted=True)
            elif message == "StatusNotification":
                for post in posts:
                    for one in self._parts.reporter.messages(post.number):
                        await link.call(one, before_accepted=True)
            elif message == "TransactionEvent":
                for post in posts:
                    self._stories[post.number].triggered()
            elif message.startswith("Sign"):
                await self._certificates.sign(message)
            elif message == "MeterValues":
                for post in posts:
                    await link.call(self.meter_values(post, "Trigger"), before_accepted=True)
            else:
                await link.call(self._files.state(message), before_accepted=True)
        except (Offline, CallFailed):
            return

    def meter_values(self, post: Post, context: str) -> Message:
        """MeterValues of an outlet (F06.FR.06, J01)."""
        names = self._model.names("AlignedDataCtrlr.Measurands") or ["Energy.Active.Import.Register"]
        sample = post.outlet.meter.sample
        values: list[dict[str, Any]] = meter_value(self._parts.clock.stamp(), sample, names, context)
        return Message("MeterValues", {"evseId": post.number, "meterValue": values})
