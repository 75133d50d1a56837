"""Remote start and stop, unlocking, availability, triggers and what else is asked of the outlet (blocks E, F, G, P)."""

from __future__ import annotations

from typing import Any

from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply, member
from ..parts import Parts
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
        story: Story2x,
        smart: SmartCharging2x,
        certificates: Certificates,
        files: Files2x,
    ) -> None:
        self._parts = parts
        self._model = model
        self._story = story
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
        outlet, data, profile = self._parts.outlet, payload["idToken"], payload.get("chargingProfile")
        group = member(payload, "groupIdToken").get("idToken")
        accepted = self._parts.link.ready and payload.get("evseId", 1) == 1 and outlet.startable
        accepted = accepted and outlet.reservations.admits(data["idToken"], group)
        if accepted and profile is not None:
            accepted = self._smart.install(1, profile, starting=True)
        if not accepted:
            return Reply({"status": "Rejected"})
        running = outlet.transaction
        start = self._parts.reader.remote_start
        token, number = Token(data["idToken"], data["type"]), payload["remoteStartId"]
        return Reply(
            {"status": "Accepted", **({"transactionId": running.id} if running else {})},
            lambda: outlet.spawn(start(token, group, number), "station.remote_start"),
        )

    def _stop(self, payload: Payload) -> Reply:
        outlet = self._parts.outlet
        running = outlet.transaction
        if not self._parts.link.ready or running is None or running.id != payload["transactionId"]:
            return Reply({"status": "Rejected"})

        def stop() -> None:
            if outlet.session is None:
                self._story.abandon("Remote")
            else:
                outlet.request_stop("Remote")

        return Reply({"status": "Accepted"}, stop)

    def _transaction_status(self, payload: Payload) -> Reply:
        """E14: without an id only whether anything is in the queue."""
        wanted = payload.get("transactionId")
        if wanted is None:
            return Reply({"messagesInQueue": not self._parts.queue.empty})
        running = self._parts.outlet.transaction
        ongoing = running is not None and running.id == wanted
        return Reply({"ongoingIndicator": ongoing, "messagesInQueue": self._parts.queue.holds(wanted)})

    # the outlet

    async def _unlock(self, payload: Payload) -> Reply:
        if (payload["evseId"], payload["connectorId"]) != (1, 1):
            return Reply({"status": "UnknownConnector"})
        outlet = self._parts.outlet
        if outlet.session is not None:
            return Reply({"status": "OngoingAuthorizedTransaction"})
        status = await outlet.unlock()
        return Reply({"status": "UnlockFailed" if status == "NotSupported" else status})

    def _change_availability(self, payload: Payload) -> Reply:
        place, operative = payload.get("evse"), payload["operationalStatus"] == "Operative"
        if place is not None and (place["id"] != 1 or place.get("connectorId", 1) != 1):
            return Reply({"status": "Rejected"})

        def make_it_so() -> None:
            if place is None:
                self._parts.reporter.publish(0, Status("Available" if operative else "Unavailable"))
            self._parts.outlet.take_over_availability()

        return Reply({"status": self._parts.outlet.ask_availability(operative)}, make_it_so)

    # triggers

    def _trigger(self, payload: Payload) -> Reply:
        message, place = str(payload["requestedMessage"]), member(payload, "evse")
        status = "Accepted"
        if message not in _TRIGGERS:
            status = "NotImplemented"
        elif place.get("id", 1) != 1 or place.get("connectorId", 1) != 1:
            status = "Rejected"
        elif message == "StatusNotification" and "connectorId" not in place:
            status = "Rejected"  # F06.FR.12
        elif message == "TransactionEvent" and self._parts.outlet.transaction is None:
            status = "Rejected"
        if status != "Accepted":
            return Reply({"status": status})
        return Reply({"status": status}, lambda: self._parts.spawn(self._triggered(message), "station.trigger"))

    async def _triggered(self, message: str) -> None:
        link = self._parts.link
        try:
            if message == "BootNotification":
                if link.boot_status == "Accepted":
                    await link.boot("triggered")
                else:
                    link.boot_soon()
            elif message == "Heartbeat":
                await link.heartbeat(before_accepted=True)
            elif message == "StatusNotification":
                for one in self._parts.reporter.messages(1):
                    await link.call(one, before_accepted=True)
            elif message == "TransactionEvent":
                self._story.triggered()
            elif message.startswith("Sign"):
                await self._certificates.sign(message)
            elif message == "MeterValues":
                await link.call(self.meter_values("Trigger"), before_accepted=True)
            else:
                await link.call(self._files.state(message), before_accepted=True)
        except (Offline, CallFailed):
            return

    def meter_values(self, context: str) -> Message:
        """MeterValues of the outlet (F06.FR.06, J01)."""
        names = self._model.names("AlignedDataCtrlr.Measurands") or ["Energy.Active.Import.Register"]
        sample = self._parts.outlet.meter.sample
        values: list[dict[str, Any]] = meter_value(self._parts.clock.stamp(), sample, names, context)
        return Message("MeterValues", {"evseId": 1, "meterValue": values})
