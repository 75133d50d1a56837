"""What a back end of OCPP 1.6 may ask of the core profile and its neighbours."""

from __future__ import annotations

import asyncio
from typing import Any

from ..clock import parse_time
from ..faults import Knobs
from ..link import CallFailed, Offline
from ..local_list import Entry
from ..messages import Answers, Message, Payload, Reply, member
from ..meter import sampled_values
from ..parts import Parts
from ..posts import Post
from ..reservations import Reservation
from ..session import Token
from ..speech import Status
from .config import Config
from .files import Files16
from .security import Security16
from .smart_charging import SmartCharging16

__all__ = ["Requests16"]

_TRIGGERS = ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification")
_FILE_TRIGGERS = ("DiagnosticsStatusNotification", "FirmwareStatusNotification", "LogStatusNotification")
_EXTENDED = ("SignChargePointCertificate",)


class Requests16:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts, config: Config, knobs: Knobs) -> None:
        self._parts = parts
        self._knobs = knobs
        self._config = config
        self._smart = SmartCharging16(parts)
        self._security = Security16(parts, config)
        self._files = Files16(parts)
        self.answers: Answers = {
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "GetConfiguration": self._get_configuration,
            "ChangeConfiguration": self._change_configuration,
            "ChangeAvailability": self._change_availability,
            "UnlockConnector": self._unlock,
            "Reset": self._reset,
            "ClearCache": lambda _: Reply({"status": "Rejected"}),
            "DataTransfer": lambda _: Reply({"status": "UnknownVendorId"}),
            "TriggerMessage": self._trigger,
            "ExtendedTriggerMessage": self._trigger_extended,
            "SendLocalList": self._send_local_list,
            "GetLocalListVersion": self._local_list_version,
            "ReserveNow": self._reserve,
            "CancelReservation": self._cancel_reservation,
            **self._smart.answers,
            **self._security.answers,
            **self._files.answers,
        }

    # remote start and stop

    def _remote_start(self, payload: Payload) -> Reply:
        connector, profile = payload.get("connectorId"), payload.get("chargingProfile")
        post = self._parts.posts.for_start(connector, payload["idTag"], None)
        accepted = post is not None and self._parts.link.ready and connector != 0
        if accepted and post is not None and profile is not None:
            accepted = self._smart.install(post.number, profile, starting=True)
        if not accepted or post is None:
            return Reply({"status": "Rejected"})
        outlet, start = post.outlet, post.reader.remote_start
        token = Token(payload["idTag"], "Central")
        return Reply({"status": "Accepted"}, lambda: outlet.spawn(start(token), "station.remote_start"))

    def _remote_stop(self, payload: Payload) -> Reply:
        post = self._parts.posts.running(payload["transactionId"])
        if not self._parts.link.ready or post is None:
            return Reply({"status": "Rejected"})
        return Reply({"status": "Accepted"}, lambda: post.outlet.request_stop("Remote"))

    # configuration and the rest of the core profile

    def _get_configuration(self, payload: Payload) -> Reply:
        known, unknown = self._config.report(payload.get("key"))
        return Reply({"configurationKey": known, **({"unknownKey": unknown} if unknown else {})})

    def _change_configuration(self, payload: Payload) -> Reply:
        key = payload["key"]
        if key == "AuthorizationKey":
            return self._change_password(payload["value"])
        status = self._config.change(key, payload["value"])
        return Reply({"status": status}, self._parts.link.config_changed if key == "HeartbeatInterval" else None)

    def _change_password(self, text: str) -> Reply:
        """Whitepaper A01: 16 to 20 bytes in hexadecimal digits; used at once, by connecting again."""
        try:
            password = bytes.fromhex(text)
        except ValueError:
            password = b""
        if not 16 <= len(password) <= 20:
            return Reply({"status": "Rejected"})

        def use() -> None:
            self._parts.link.change_password(password)
            self._parts.spawn(self._parts.link.reconnect(), "station.reconnect")

        return Reply({"status": "Accepted"}, use)

    def _change_availability(self, payload: Payload) -> Reply:
        connector, operative = payload["connectorId"], payload["type"] == "Operative"
        posts = self._parts.posts.named(connector)
        if not posts:
            return Reply({"status": "Rejected"})

        def make_it_so() -> None:
            if connector == 0:
                self._parts.reporter.publish(0, Status("Available" if operative else "Unavailable"))
            for post in posts:
                post.outlet.take_over_availability()

        answers = {post.outlet.ask_availability(operative) for post in posts}
        return Reply({"status": "Scheduled" if "Scheduled" in answers else "Accepted"}, make_it_so)

    async def _unlock(self, payload: Payload) -> Reply:
        post = self._parts.posts.at(payload["connectorId"])
        known = post is not None and post.outlet.has_lock
        return Reply({"status": await post.outlet.unlock() if post is not None and known else "NotSupported"})

    def _reset(self, payload: Payload) -> Reply:
        kind = str(payload["type"])
        return Reply(
            {"status": "Accepted"}, lambda: self._parts.spawn(self._parts.reset(f"{kind}Reset"), "station.reset")
        )

    # local list and reservation

    def _send_local_list(self, payload: Payload) -> Reply:
        if not self._config.flag("LocalAuthListEnabled"):
            return Reply({"status": "NotSupported"})
        entries: list[Entry] = []
        for data in payload.get("localAuthorizationList", []):
            info = member(data, "idTagInfo")
            entries.append(Entry(data["idTag"], info.get("status"), info.get("parentIdTag")))
        full = payload["updateType"] == "Full"
        return Reply({"status": self._parts.local_list.update(payload["listVersion"], entries, full=full)})

    def _local_list_version(self, _payload: Payload) -> Reply:
        return Reply(
            {"listVersion": self._parts.local_list.version if self._config.flag("LocalAuthListEnabled") else -1}
        )

    def _reserve(self, payload: Payload) -> Reply:
        post = self._parts.posts.at(payload["connectorId"])
        expires = parse_time(payload["expiryDate"])
        if post is None or expires <= self._parts.clock.now():
            return Reply({"status": "Rejected"})
        outlet, status = post.outlet, self._parts.reporter.current(post.number).status
        held = outlet.reservations.current
        if status in ("Faulted", "Unavailable"):
            return Reply({"status": status})
        if status not in ("Available", "Reserved") or (held and held.number != payload["reservationId"]):
            return Reply({"status": "Occupied"})
        group = payload.get("parentIdTag")
        wanted = Reservation(payload["reservationId"], payload["idTag"], group, expires)
        return Reply({"status": "Accepted"}, lambda: outlet.reservations.reserve(wanted))

    def _cancel_reservation(self, payload: Payload) -> Reply:
        number = payload["reservationId"]
        cancelled = [post.outlet.reservations.cancel(number) for post in self._parts.posts]
        return Reply({"status": "Accepted" if any(cancelled) else "Rejected"})

    # triggers

    def _trigger(self, payload: Payload) -> Reply:
        message, connector = str(payload["requestedMessage"]), payload.get("connectorId")
        if message not in _TRIGGERS + _FILE_TRIGGERS + _EXTENDED:
            return Reply({"status": "NotImplemented"})
        if connector and self._parts.posts.at(connector) is None:
            return Reply({"status": "Rejected"})
        return Reply(
            {"status": "Accepted"}, lambda: self._parts.spawn(self._triggered(message, connector), "station.trigger")
        )

    def _trigger_extended(self, payload: Payload) -> Reply:
        return self._trigger(payload)

    async def _triggered(self, message: str, connector: int | None) -> None:
        parts, link = self._parts, self._parts.link
        await asyncio.sleep(self._knobs.trigger_delay_s)
        try:
            if message == "BootNotification":
                if link.boot_status == "Accepted":
                    await link.boot("triggered")
                else:
                    link.boot_soon()
            elif message == "Heartbeat":
                await link.heartbeat(before_accepted=True)
            elif message == "StatusNotification":
                for number in range(len(parts.posts) + 1) if connector is None else (connector,):
                    for one in parts.reporter.messages(number):
                        await link.call(one, before_accepted=True)
            elif message == "SignChargePointCertificate":
                await self._security.sign()
            elif message in _FILE_TRIGGERS:
                await link.call(self._files.state(message), before_accepted=True)
            else:
                for post in parts.posts.named(connector):
                    await link.call(self._meter_values(post), before_accepted=True)
        except (Offline, CallFailed):
            return

    def _meter_values(self, post: Post) -> Message:
        running = post.outlet.transaction
        names = self._config.names("MeterValuesSampledData") or ["Energy.Active.Import.Register"]
        values = sampled_values(post.outlet.meter.sample, names, "Trigger", None)
        entry = {"timestamp": self._parts.clock.stamp(), "sampledValue": values}
        payload: dict[str, Any] = {"connectorId": post.number, "meterValue": [entry]}
        if running and running.id is not None:
            payload["transactionId"] = running.id
        return Message("MeterValues", payload)
