"""Variables, reports, network profiles and resets (use cases B05 to B12)."""

from __future__ import annotations

from typing import Any

from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts
from ..posts import Post
from .device_model import DeviceModel, report_data
from .variables import Variable

__all__ = ["Provisioning"]

_PER_MESSAGE = 8
"""Variables in one NotifyReport: several small messages, as a controller with little memory sends them."""


class Provisioning:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts, model: DeviceModel) -> None:
        self._parts = parts
        self._model = model
        self._password: str | None = None
        self._reset_waits = False
        model.written["SecurityCtrlr.BasicAuthPassword"] = self._take_password
        model.written["TxCtrlr.TxStartPoint"] = bool
        model.written["TxCtrlr.TxStopPoint"] = bool
        model.show("ClockCtrlr.DateTime", parts.clock.stamp)
        model.show("ChargingStation.AvailabilityState", self._station_state)
        model.show("LocalAuthListCtrlr.Entries", lambda: str(len(parts.local_list)))
        model.show("SmartChargingCtrlr.Entries", lambda: str(len(parts.posts.profiles())))
        model.show("SecurityCtrlr.CertificateEntries", lambda: str(len(parts.keys.installed(None))))
        model.show("SecurityCtrlr.SecurityProfile", lambda: str(parts.link.security_profile))
        for post in parts.posts:
            self._show_outlet(post)
            post.outlet.on_idle = self._on_idle
        self.answers: Answers = {
            "GetVariables": self._get,
            "SetVariables": self._set,
            "GetBaseReport": self._base_report,
            "GetReport": self._report,
            "SetNetworkProfile": lambda _: Reply({"status": "Rejected"}),
            "Reset": self._reset,
        }

    # variables

    def _get(self, payload: Payload) -> Reply:
        return Reply({"getVariableResult": [self._model.read(entry) for entry in payload["getVariableData"]]})

    def _set(self, payload: Payload) -> Reply:
        return Reply(
            {"setVariableResult": [self._model.write(entry) for entry in payload["setVariableData"]]}, self._written
        )

    def _take_password(self, text: str) -> bool:
        self._password = text
        return True

    def _written(self) -> None:
        self._parts.link.config_changed()
        password, self._password = self._password, None
        if password is not None:
            self._parts.link.change_password(password.encode())
            self._parts.spawn(self._parts.link.reconnect(), "station.reconnect")

    def _show_outlet(self, post: Post) -> None:
        reporter, evse = self._parts.reporter, post.number

        def state() -> str:
            return reporter.shown(evse).status

        def lock_failed() -> str:
            return str(reporter.current(evse).error == "ConnectorLockFailure").lower()

        self._model.show("Connector.AvailabilityState", state, evse)
        self._model.show("EVSE.AvailabilityState", state, evse)
        self._model.show("EVSE.Power", lambda: f"{post.outlet.meter.sample.power_w:.0f}", evse)
        self._model.show("ConnectorPlugRetentionLock.Problem", lock_failed, evse)

    def _station_state(self) -> str:
        return "Available" if any(post.outlet.operative for post in self._parts.posts) else "Unavailable"

    # reports

    def _base_report(self, payload: Payload) -> Reply:
        found = self._model.base(payload["reportBase"])
        return Reply({"status": "Accepted"}, lambda: self._send_report(payload["requestId"], found))

    def _report(self, payload: Payload) -> Reply:
        found = self._model.chosen(payload.get("componentCriteria", []), payload.get("componentVariable", []))
        if not found:
            return Reply({"status": "EmptyResultSet"})
        return Reply({"status": "Accepted"}, lambda: self._send_report(payload["requestId"], found))

    def _send_report(self, number: int, found: list[Variable]) -> None:
        async def send() -> None:
            chunks = [found[at : at + _PER_MESSAGE] for at in range(0, len(found), _PER_MESSAGE)]
            for seq_no, chunk in enumerate(chunks):
                report: dict[str, Any] = {
                    "requestId": number,
                    "generatedAt": self._parts.clock.stamp(),
                    "seqNo": seq_no,
                    "tbc": seq_no + 1 < len(chunks),
                    "reportData": list(report_data(chunk)),  # what holds now: it may be changed between two messages
                }
                try:
                    await self._parts.link.call(Message("NotifyReport", report), before_accepted=True)
                except (Offline, CallFailed):
                    return

        self._parts.spawn(send(), "station.report")

    # resets

    def _reset(self, payload: Payload) -> Reply:
        """B11, B12, B13. The EVSE alone cannot be reset (AllowReset)."""
        resumes = payload["type"] == "ImmediateAndResume"
        if "evseId" in payload or (resumes and not self._model.resumption_s):  # 2.1 B13.FR.01
            return Reply({"status": "Rejected"})
        if resumes and self._parts.posts.running_any:
            return Reply(
                {"status": "Accepted"}, lambda: self._parts.spawn(self._parts.reset_and_resume(), "station.reset")
            )
        if payload["type"] == "OnIdle" and self._parts.posts.busy:
            self._reset_waits = True
            return Reply({"status": "Scheduled"})
        return Reply(
            {"status": "Accepted"}, lambda: self._parts.spawn(self._parts.reset("ImmediateReset"), "station.reset")
        )

    def _on_idle(self) -> None:
        if self._reset_waits and not self._parts.posts.busy:
            self._reset_waits = False
            self._parts.spawn(self._parts.reset("ImmediateReset", idle=True), "station.reset")
