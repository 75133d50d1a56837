"""Keep a station up: firmware, logs, certificates, networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from .answer import Answer

__all__ = ["CertificateUse", "Certificates", "Files", "LocalController", "Networks"]

CertificateUse = Literal["csms", "manufacturer", "v2g", "mo", "oem"]
"""What a root certificate is for; `v2g` and `mo` are of 2.x, `oem` of 2.1. A version's own words are taken too."""


class Files(Protocol):
    """Every version. Times are ISO 8601 texts in UTC; without one: now, or no bound."""

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
        """Have firmware fetched from `url` and installed.

        With `certificate` (PEM) and `signature` (Base64) it is signed: 1.6 then goes by SignedUpdateFirmware.
        Unsigned, 1.6 has no `install_at` and no `request_id`.
        """
        ...

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
        """Have a log uploaded to `url` (1.6: by the security whitepaper's GetLog; "data-collector" is of 2.1)."""
        ...

    async def get_diagnostics(
        self,
        url: str,
        *,
        oldest: str | None = None,
        latest: str | None = None,
        retries: int | None = None,
        retry_s: int | None = None,
    ) -> Answer:
        """Have diagnostics uploaded to `url`: 1.6 GetDiagnostics (accepted when it names a file), 2.x GetLog."""
        ...


class LocalController(Protocol):
    """2.x: firmware for the stations behind a local controller."""

    async def publish_firmware(
        self, url: str, checksum: str, *, retries: int | None = None, retry_s: int | None = None
    ) -> Answer:
        """Have firmware fetched from `url` and offered to other stations; `checksum` is MD5 in hex digits."""
        ...

    async def unpublish_firmware(self, checksum: str) -> Answer:
        """Offer it no more."""
        ...


class Certificates(Protocol):
    """Every version (1.6: the security whitepaper)."""

    async def install_certificate(self, use: CertificateUse | str, pem: str) -> Answer:
        """Install a root certificate."""
        ...

    async def delete_certificate(self, hash_data: Mapping[str, Any]) -> Answer:
        """Delete a certificate by its hash data, as `list_certificates` gives it.

        Keys: `hashAlgorithm`, `issuerNameHash`, `issuerKeyHash`, `serialNumber`; what else an entry has is left out.
        """
        ...

    async def list_certificates(self, uses: Sequence[CertificateUse | str] = ()) -> list[dict[str, Any]]:
        """Hash data of the certificates installed, each with its `use`; all uses without `uses`."""
        ...


class Networks(Protocol):
    """2.x: how a station reaches the back end."""

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
        """Write a network connection profile (B09); `more`: further fields of NetworkConnectionProfileType."""
        ...
