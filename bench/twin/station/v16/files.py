"""Firmware, diagnostics and logs of OCPP 1.6 (sections 6.25, 6.41; whitepaper: GetLog, SignedUpdateFirmware)."""

from __future__ import annotations

from typing import Any

from ..clock import parse_time
from ..file_jobs import FileJobs, Tell
from ..link import CallFailed, Offline
from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts

__all__ = ["Files16"]

_DIAGNOSTICS = {"Uploading": "Uploading", "Uploaded": "Uploaded", "UploadFailure": "UploadFailed", "Idle": "Idle"}
_PLAIN = frozenset(
    {"Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"}
)


class Files16:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._jobs: FileJobs = parts.jobs
        self.answers: Answers = {
            "UpdateFirmware": self._update,
            "SignedUpdateFirmware": self._update_signed,
            "GetDiagnostics": self._diagnostics,
            "GetLog": self._log,
        }

    def state(self, message: str) -> Message:
        """The present state, for a trigger."""
        if message == "DiagnosticsStatusNotification":
            return Message(message, {"status": _DIAGNOSTICS[self._jobs.log_status]})
        if message == "LogStatusNotification":
            return Message(message, {"status": self._jobs.log_status})
        status = self._jobs.firmware_status
        return Message("FirmwareStatusNotification", {"status": status if status in _PLAIN else "Idle"})

    def _teller(self, action: str, words: dict[str, str] | None = None, **more: Any) -> Tell:
        async def tell(status: str) -> None:
            word = status if words is None else words.get(status)
            if word is not None:
                try:
                    await self._parts.link.call(Message(action, {"status": word, **more}))
                except (Offline, CallFailed):
                    return

        return tell

    def _update(self, payload: Payload) -> Reply:
        def work() -> None:
            self._jobs.update(
                payload["location"],
                parse_time(payload["retrieveDate"]),
                None,
                payload.get("retries", 1),
                payload.get("retryInterval", 1),
                self._teller("FirmwareStatusNotification", {word: word for word in _PLAIN}),
                lambda: self._parts.restart("firmware"),
                signed=False,
            )

        return Reply({}, work)

    def _update_signed(self, payload: Payload) -> Reply:
        firmware, busy, number = payload["firmware"], self._jobs.updating, payload["requestId"]
        if not self._parts.keys.is_certificate(firmware["signingCertificate"]):
            return Reply({"status": "InvalidCertificate"})
        install = firmware.get("installDateTime")

        def work() -> None:
            self._jobs.update(
                firmware["location"],
                parse_time(firmware["retrieveDateTime"]),
                parse_time(install) if install else None,
                payload.get("retries", 1),
                payload.get("retryInterval", 1),
                self._teller("SignedFirmwareStatusNotification", requestId=number),
                lambda: self._parts.restart("firmware"),
                signed=True,
            )

        return Reply({"status": "AcceptedCanceled" if busy else "Accepted"}, work)

    def _diagnostics(self, payload: Payload) -> Reply:
        tell = self._teller("DiagnosticsStatusNotification", _DIAGNOSTICS)
        return Reply(
            {"fileName": "diagnostics.log"},
            lambda: self._jobs.send_log(
                payload["location"], "diagnostics.log", payload.get("retries", 1), payload.get("retryInterval", 1), tell
            ),
        )

    def _log(self, payload: Payload) -> Reply:
        busy, tell = self._jobs.uploading, self._teller("LogStatusNotification", requestId=payload["requestId"])
        name = "security.log" if payload["logType"] == "SecurityLog" else "diagnostics.log"
        return Reply(
            {"status": "AcceptedCanceled" if busy else "Accepted", "filename": name},
            lambda: self._jobs.send_log(
                payload["log"]["remoteLocation"],
                name,
                payload.get("retries", 1),
                payload.get("retryInterval", 1),
                tell,
            ),
        )
