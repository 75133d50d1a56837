"""Keep a station of OCPP 2.x up (use cases L01-L04, N01, M03-M05, B09)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import member, objects, text
from ..verbs import Answer, Caller, CertificateUse
from ..verbs.wire import given, hashes, utc_text

__all__ = ["HASH_DATA", "Upkeep2x"]

HASH_DATA = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")
LOGS: Mapping[str, str] = {
    "diagnostics": "DiagnosticsLog",
    "security": "SecurityLog",
    "data-collector": "DataCollectorLog",
}
USES: Mapping[str, str] = {
    "csms": "CSMSRootCertificate",
    "manufacturer": "ManufacturerRootCertificate",
    "v2g": "V2GRootCertificate",
    "mo": "MORootCertificate",
    "oem": "OEMRootCertificate",
}
WORDS = {use: word for word, use in USES.items()}


class Upkeep2x:
    """See `verbs.Files`, `verbs.LocalController`, `verbs.Certificates` and `verbs.Networks`."""

    OCPP_VERSION: str | None = None

    _caller: Caller
    _ids: Iterator[int]

    async def update_firmware(
        self,
        url: str,
        *,
        retrieve_at: str | None = None,
        install_at: str | None = None,
        certificate: str | None = None,
        signature: str | None = None,
        retries: int | None = None,
        retry_s: int | None = None,
    ) -> Answer:
        """UpdateFirmware: signed (L01) when certificate and signature are given, else L02."""
        if (certificate is None) != (signature is None):
            raise CsmsError("signed firmware needs both `certificate` and `signature`; give the other one too.")
        firmware = {
            "location": url,
            "retrieveDateTime": retrieve_at or utc_text(),
            "installDateTime": install_at,
            "signingCertificate": certificate,
            "signature": signature,
        }
        often = {"retries": retries, "retryInterval": retry_s}
        return await self._numbered("UpdateFirmware", {"firmware": given(firmware), **often})

    async def publish_firmware(
        self, url: str, checksum: str, *, retries: int | None = None, retry_s: int | None = None
    ) -> Answer:
        """PublishFirmware (L03)."""
        often = {"retries": retries, "retryInterval": retry_s}
        return await self._numbered("PublishFirmware", {"location": url, "checksum": checksum, **often})

    async def unpublish_firmware(self, checksum: str) -> Answer:
        """UnpublishFirmware (L04)."""
        return await self._caller.ask("UnpublishFirmware", {"checksum": checksum})

    async def get_log(
        self,
        url: str,
        *,
        kind: Literal["diagnostics", "security", "data-collector"] = "diagnostics",
        oldest: str | None = None,
        latest: str | None = None,
        retries: int | None = None,
        retry_s: int | None = None,
    ) -> Answer:
        """GetLog (N01); AcceptedCanceled: another upload was given up for it."""
        log = given({"remoteLocation": url, "oldestTimestamp": oldest, "latestTimestamp": latest})
        often = {"retries": retries, "retryInterval": retry_s}
        return await self._numbered("GetLog", {"log": log, "logType": LOGS.get(kind, kind), **often})

    async def get_diagnostics(
        self,
        url: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        retries: int | None = None,
        retry_s: int | None = None,
    ) -> Answer:
        """GetLog of the DiagnosticsLog."""
        return await self.get_log(url, oldest=oldest, latest=latest, retries=retries, retry_s=retry_s)

    async def install_certificate(self, use: CertificateUse | str, pem: str) -> Answer:
        """InstallCertificate (M05)."""
        wanted = {"certificateType": USES.get(use, use), "certificate": pem}
        return await self._caller.ask("InstallCertificate", wanted)

    async def delete_certificate(self, hash_data: Mapping[str, Any]) -> Answer:
        """DeleteCertificate (M04)."""
        known = hashes(hash_data, HASH_DATA)
        return await self._caller.ask("DeleteCertificate", {"certificateHashData": known})

    async def list_certificates(self, uses: Sequence[CertificateUse | str] = ()) -> list[dict[str, Any]]:
        """GetInstalledCertificateIds (M03); children of a chain stand in `childCertificateHashData`."""
        wanted = {"certificateType": [USES.get(use, use) for use in uses]} if uses else {}
        answer = await self._caller.ask("GetInstalledCertificateIds", wanted)
        found: list[dict[str, Any]] = []
        for entry in objects(answer.payload.get("certificateHashDataChain")):
            kind, children = text(entry.get("certificateType")), entry.get("childCertificateHashData")
            more = {"use": WORDS.get(kind, kind), "childCertificateHashData": children}
            found.append({**member(entry, "certificateHashData"), **given(more)})
        return found

    async def set_network_profile(
        self,
        slot: int,
        url: str,
        *,
        security_profile: int,
        interface: str = "Wired0",
        message_timeout_s: int = 30,
        **more: Any,
    ) -> Answer:
        """SetNetworkProfile over JSON (B09)."""
        data = {
            "ocppVersion": self.OCPP_VERSION,
            "ocppTransport": "JSON",
            "ocppCsmsUrl": url,
            "messageTimeout": message_timeout_s,
            "securityProfile": security_profile,
            "ocppInterface": interface,
            **more,
        }
        return await self._caller.ask("SetNetworkProfile", {"configurationSlot": slot, "connectionData": given(data)})

    async def _numbered(self, action: str, wanted: Payload) -> Answer:
        number = next(self._ids)
        answer = await self._caller.ask(action, given({**wanted, "requestId": number}))
        return msgspec.structs.replace(answer, request_id=number)
