"""Certificates as the security whitepaper for OCPP 1.6 asks for them."""

from __future__ import annotations

import asyncio
from typing import Any

from ..messages import Answers, Message, Payload, Reply
from ..parts import Parts
from .config import Config

__all__ = ["Security16"]


class Security16:
    """Answers requests; `answers` says which."""

    def __init__(self, parts: Parts, config: Config) -> None:
        self._parts = parts
        self._config = config
        self.answers: Answers = {
            "CertificateSigned": self._signed,
            "InstallCertificate": self._install,
            "GetInstalledCertificateIds": self._installed,
            "DeleteCertificate": self._delete,
        }

    async def sign(self) -> None:
        """Ask for a certificate."""
        csr, _ = await asyncio.to_thread(self._parts.keys.request, "ChargePointCertificate", numbered=False)
        await self._parts.link.call(Message("SignCertificate", {"csr": csr}), before_accepted=True)

    def _signed(self, payload: Payload) -> Reply:
        chain = payload["certificateChain"]
        taken = self._parts.keys.accept(chain, None)
        if isinstance(taken, str):
            return Reply({"status": "Rejected"}, lambda: self._report("InvalidChargePointCertificate", taken))
        return Reply({"status": "Accepted"}, lambda: self._parts.renew_certificate(chain, taken[1]))

    def _install(self, payload: Payload) -> Reply:
        kind, pem = payload["certificateType"], payload["certificate"]
        accepted = self._parts.keys.install(kind, pem)
        if accepted and kind == "CentralSystemRootCertificate":
            self._parts.link.trust.more_roots.append(pem)
        return Reply({"status": "Accepted" if accepted else "Rejected"})

    def _installed(self, payload: Payload) -> Reply:
        found = [data for _, data in self._parts.keys.installed([payload["certificateType"]])]
        more: dict[str, Any] = {"certificateHashData": found} if found else {}
        return Reply({"status": "Accepted" if found else "NotFound", **more})

    def _delete(self, payload: Payload) -> Reply:
        deleted = self._parts.keys.delete(payload["certificateHashData"])
        return Reply({"status": "Accepted" if deleted else "NotFound"})

    def _report(self, kind: str, why: str) -> None:
        event = {"type": kind, "timestamp": self._parts.clock.stamp(), "techInfo": why[:255]}
        self._parts.send_soon(Message("SecurityEventNotification", event))
