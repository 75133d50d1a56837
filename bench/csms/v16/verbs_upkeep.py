"""Keep a station of OCPP 1.6 up (sections 5.9 and 5.19; firmware, logs and certificates of the security whitepaper)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ....errors import CsmsError
from ..dialect import Payload
from ..fields import objects
from ..verbs import Answer, Caller, CertificateUse
from ..verbs.absent import refuse
from ..verbs.wire import given, hashes, utc_text

__all__ = ["Upkeep16"]

USES = {"csms": "CentralSystemRootCertificate", "manufacturer": "ManufacturerRootCertificate"}
LOGS = {"diagnostics": "DiagnosticsLog", "security": "SecurityLog"}
HASH_DATA = ("hashAlgorithm", "issuerNameHash", "issuerKeyHash", "serialNumber")


class Upkeep16:
    """See `verbs.Files` and `verbs.Certificates`."""

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
        """UpdateFirmware, answered without a status; SignedUpdateFirmware when certificate and signature are given."""
        often: Payload = {"retries": retries, "retryInterval": retry_s}
        at = retrieve_at or utc_text()
        if certificate is None and signature is None:
            if install_at is not None:
                refuse("install_at without a signature", "1.6", "leave it out: the station installs when it can")
            return await self._caller.ask("UpdateFirmware", given({"location": url, "retrieveDate": at, **often}))
        if certificate is None or signature is None:
            raise CsmsError("signed firmware needs both `certificate` and `signature`; give the other one too.")
        firmware = {
            "location": url,
            "retrieveDateTime": at,
            "installDateTime": install_at,
            "signingCertificate": certificate,
            "signature": signature,
        }
        return await self._numbered("SignedUpdateFirmware", {"firmware": given(firmware), **often})

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
        """GetLog of the whitepaper."""
        if kind not in LOGS:
            refuse(f"the log {kind!r}", "1.6", f"it has {' and '.join(LOGS)}")
        log = given({"remoteLocation": url, "oldestTimestamp": oldest, "latestTimestamp": latest})
        wanted = {"log": log, "logType": LOGS[kind], "retries": retries, "retryInterval": retry_s}
        return await self._numbered("GetLog", wanted)

    async def get_diagnostics(
        self,
        url: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        retries: int | None = None,
        retry_s: int | None = None,
    ) -> Answer:
        """GetDiagnostics; accepted when the answer names a file, else there is nothing to upload (section 5.9)."""
        often = {"retries": retries, "retryInterval": retry_s}
        wanted = given({"location": url, "startTime": oldest, "stopTime": latest, **often})
        return await self._caller.ask("GetDiagnostics", wanted)

    async def install_certificate(self, use: CertificateUse | str, pem: str) -> Answer:
        """InstallCertificate."""
        wanted = {"certificateType": _use(use), "certificate": pem}
        return await self._caller.ask("InstallCertificate", wanted)

    async def delete_certificate(self, hash_data: Mapping[str, Any]) -> Answer:
        """DeleteCertificate."""
        known = hashes(hash_data, HASH_DATA)
        return await self._caller.ask("DeleteCertificate", {"certificateHashData": known})

    async def list_certificates(self, uses: Sequence[CertificateUse | str] = ()) -> list[dict[str, Any]]:
        """GetInstalledCertificateIds, which asks for one use at a time."""
        found: list[dict[str, Any]] = []
        for use in uses or tuple(USES):
            answer = await self._caller.ask("GetInstalledCertificateIds", {"certificateType": _use(use)})
            found += [{**entry, "use": use} for entry in objects(answer.payload.get("certificateHashData"))]
        return found

    async def _numbered(self, action: str, wanted: Payload) -> Answer:
        number = next(self._ids)
        answer = await self._caller.ask(action, given({**wanted, "requestId": number}))
        return msgspec.structs.replace(answer, request_id=number)


def _use(use: str) -> str:
    if use not in USES and use not in USES.values():
        refuse(f"the certificate use {use!r}", "1.6", f"it has {', '.join(map(repr, USES))}")
    return USES.get(use, use)
