"""Firmware updates and logs (use cases L01, L02, N01)."""

from __future__ import annotations

from typing import Any

from ..clock import parse_time
from ..file_jobs import FileJobs, Tell
from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts

__all__ = ["Files2x"]


class Files2x:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._jobs: FileJobs = parts.jobs
        self._firmware_request: int | None = None
        self._log_request: int | None = None
        self.answers: Answers = {"UpdateFirmware": self._update, "GetLog": self._log}

    def state(self, message: str) -> Message:
        """The present state, for a trigger; without a request nothing is under way (L01.FR.20, N01.FR.13)."""
        firmware = message == "FirmwareStatusNotification"
        status = self._jobs.firmware_status if firmware else self._jobs.log_status
        number = self._firmware_request if firmware else self._log_request
        payload: dict[str, Any] = {"status": status}
        if status != "Idle" and number is not None:
            payload["requestId"] = number
        return Message(message, payload)

    def _teller(self, action: str, number: int) -> Tell:
        async def tell(status: str) -> None:
            try:
                await self._parts.link.call(Message(action, {"status": status, "requestId": number}))
            except (Offline, CallFailed):
                return

        return tell

    def _update(self, payload: Payload) -> Reply:
        firmware, number, busy = payload["firmware"], payload["requestId"], self._jobs.updating
        signer, install = firmware.get("signingCertificate"), firmware.get("installDateTime")
        if signer is not None and not self._parts.keys.is_certificate(signer):
            event = {"type": "InvalidFirmwareSigningCertificate", "timestamp": self._parts.clock.stamp()}
            tell = Message("SecurityEventNotification", event)
            return Reply({"status": "InvalidCertificate"}, lambda: self._parts.send_soon(tell))

        def work() -> None:
            self._firmware_request = number
            self._jobs.update(
                firmware["location"],
                parse_time(firmware["retrieveDateTime"]),
                parse_time(install) if install else None,
                payload.get("retries", 0) + 1,
                payload.get("retryInterval", 1),
                self._teller("FirmwareStatusNotification", number),
                lambda: self._parts.restart("firmware"),
                signed=signer is not None,
            )

        return Reply({"status": "AcceptedCanceled" if busy else "Accepted"}, work)

    def _log(self, payload: Payload) -> Reply:
        number, before, busy = payload["requestId"], self._log_request, self._jobs.uploading
        name = "security.log" if payload["logType"] == "SecurityLog" else "diagnostics.log"

        def work() -> None:
            self._log_request = number
            if busy and before is not None:
                cancelled = {"status": "AcceptedCanceled", "requestId": before}
                self._parts.send_soon(Message("LogStatusNotification", cancelled))
            self._jobs.send_log(
                payload["log"]["remoteLocation"],
                name,
                payload.get("retries", 0) + 1,
                payload.get("retryInterval", 1),
                self._teller("LogStatusNotification", number),
            )

        return Reply({"status": "AcceptedCanceled" if busy else "Accepted", "filename": name}, work)
