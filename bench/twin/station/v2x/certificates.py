"""Certificates (use cases A02, A03, M03 to M05)."""

from __future__ import annotations

import asyncio
from typing import Any

from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts

__all__ = ["Certificates"]

_KINDS = {
    "SignChargingStationCertificate": "ChargingStationCertificate",
    "SignV2GCertificate": "V2GCertificate",
    "SignCombinedCertificate": None,
}


class Certificates:
    """Answers requests; `answers` says which. In 2.1 every request for a certificate has a number (A02.FR.24)."""

    def __init__(self, version: str, parts: Parts) -> None:
        self._version = version
        self._parts = parts
        self.answers: Answers = {
            "CertificateSigned": self._signed,
            "InstallCertificate": self._install,
            "GetInstalledCertificateIds": self._installed,
            "DeleteCertificate": self._delete,
        }

    async def sign(self, trigger: str) -> None:
        """Ask for the certificate that a trigger names."""
        kind = _KINDS[trigger]
        make = self._parts.keys.request
        csr, number = await asyncio.to_thread(
            make, kind or "ChargingStationCertificate", numbered=self._version == "2.1"
        )
        payload: dict[str, Any] = {"csr": csr}
        if kind is not None:
            payload["certificateType"] = kind
        if number is not None:
            payload["requestId"] = number
        await self._parts.link.call(Message("SignCertificate", payload), before_accepted=True)

    def _signed(self, payload: Payload) -> Reply:
        chain = payload["certificateChain"]
        taken = self._parts.keys.accept(chain, payload.get("requestId"))
        if isinstance(taken, str):
            reason = {"reasonCode": "InvalidCertificate"[:20], "additionalInfo": taken[:512]}
            return Reply(
                {"status": "Rejected", "statusInfo": reason},
                lambda: self._report("InvalidChargingStationCertificate", taken),
            )
        kind, key = taken
        if kind != "ChargingStationCertificate":
            return Reply({"status": "Accepted"})
        return Reply({"status": "Accepted"}, lambda: self._parts.renew_certificate(chain, key))

    def _install(self, payload: Payload) -> Reply:
        kind, pem = payload["certificateType"], payload["certificate"]
        if not self._parts.keys.install(kind, pem):
            return Reply({"status": "Rejected"})
        if kind == "CSMSRootCertificate":
            self._parts.link.trust.more_roots.append(pem)
        return Reply({"status": "Accepted"})

    def _installed(self, payload: Payload) -> Reply:
        found = [
            {"certificateType": kind, "certificateHashData": data}
            for kind, data in self._parts.keys.installed(payload.get("certificateType"))
        ]
        return Reply({"status": "Accepted", "certificateHashDataChain": found} if found else {"status": "NotFound"})

    def _delete(self, payload: Payload) -> Reply:
        deleted = self._parts.keys.delete(payload["certificateHashData"])
        return Reply({"status": "Accepted" if deleted else "NotFound"})

    def _report(self, kind: str, why: str) -> None:
        event = {"type": kind, "timestamp": self._parts.clock.stamp(), "techInfo": why[:255]}
        self._parts.send_soon(Message("SecurityEventNotification", event))
