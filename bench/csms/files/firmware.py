"""Firmware ready for an update request: its address, its digests, and its signature (L01, L02, L03)."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from ....errors import CsmsError

__all__ = ["Firmware", "FirmwareSigner", "Scheme", "digests"]

BLOCK = 1 << 20

Scheme = Literal["rsa-pss", "rsa-pkcs1", "ecdsa"]
"""How the SHA-256 of the firmware is signed.

L01.FR.04 asks for RSA-PSS or ECSchnorr. `cryptography` has no ECSchnorr; for EC keys there is ECDSA instead.
PKCS #1 v1.5 is what `openssl dgst -sha256 -verify` checks unless told otherwise, and so what a station may check.
"""


class Firmware(msgspec.Struct, frozen=True):
    """What a request for an update carries. `sha256`, `md5`: hex digits; `signature`: Base64; `certificate`: PEM."""

    url: str
    size: int
    sha256: str
    md5: str
    signature: str | None = None
    certificate: str | None = None


class FirmwareSigner:
    """Signs as the manufacturer of a station would.

    - `certificate`, `key`: PEM, as `Pki.make_firmware_signer` gives them, or the manufacturer's own.
    - `scheme`: None: RSA-PSS for an RSA key (salt as long as the hash), ECDSA for an EC key.

    Raises:
        CsmsError: they cannot be read, do not belong together, or the scheme is not for this key.
    """

    def __init__(self, certificate: str, key: str, *, scheme: Scheme | None = None) -> None:
        try:
            subject = x509.load_pem_x509_certificate(certificate.encode())
            private = serialization.load_pem_private_key(key.encode(), None)
        except (ValueError, TypeError) as exc:
            why = "certificate and key must be PEM, the key without a password"
            raise CsmsError(f"firmware cannot be signed: {why}.") from exc
        if not isinstance(private, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            raise CsmsError("firmware cannot be signed: the key must be RSA or EC (L01.FR.04).")
        if private.public_key() != subject.public_key():
            raise CsmsError("firmware cannot be signed: the key does not belong to the certificate.")
        is_rsa = isinstance(private, rsa.RSAPrivateKey)
        self.scheme: Scheme = scheme or ("rsa-pss" if is_rsa else "ecdsa")
        if (self.scheme == "ecdsa") is is_rsa:
            kind = "an RSA" if is_rsa else "an EC"
            raise CsmsError(f"firmware cannot be signed: {self.scheme} is not for {kind} key.")
        self.certificate = certificate
        self._private = private

    def sign(self, sha256: bytes) -> str:
        """The signature of a file with this SHA-256, in Base64."""
        digest = utils.Prehashed(hashes.SHA256())
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            return base64.b64encode(self._private.sign(sha256, ec.ECDSA(digest))).decode()
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), len(sha256))
        chosen = pss if self.scheme == "rsa-pss" else padding.PKCS1v15()
        return base64.b64encode(self._private.sign(sha256, chosen, digest)).decode()


def digests(content: bytes | Path) -> tuple[int, bytes, bytes]:
    """Size, SHA-256 and MD5 of a file; takes as long as reading it. MD5 is what L03.FR.02 asks for.

    Raises:
        OSError: it cannot be read.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    if isinstance(content, bytes):
        sha256.update(content)
        md5.update(content)
        return len(content), sha256.digest(), md5.digest()
    size = 0
    with content.open("rb") as file:
        while block := file.read(BLOCK):
            size += len(block)
            sha256.update(block)
            md5.update(block)
    return size, sha256.digest(), md5.digest()
