"""How OCPP names a certificate: by hashes of its issuer, and its serial number (CertificateHashDataType).

The hashes are those of an OCSP request (RFC 6960 section 4.1.1): over the DER of the issuer's name, and over the bits
of the issuer's public key without tag and length.
"""

from __future__ import annotations

import re

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ..fields import Payload, text

__all__ = ["ALGORITHMS", "CertificateName", "key_digest", "name_in", "own_name"]

ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}
"""HashAlgorithmEnumType of every version."""

_HEXADECIMAL = re.compile(r"[0-9a-f]{1,128}")
"""Digits of a hash or a serial number; a longer one fits no schema."""


class CertificateName(msgspec.Struct, frozen=True):
    """A certificate by its issuer's hashes (hexadecimal, small letters) and its serial number."""

    algorithm: str
    name_hash: str
    key_hash: str
    serial: int

    @property
    def issuer(self) -> tuple[str, str, str]:
        """What names the issuer alone."""
        return self.algorithm, self.name_hash, self.key_hash

    @property
    def serial_text(self) -> str:
        """The serial number as OCPP writes it: hexadecimal without leading zeros."""
        return f"{self.serial:x}"


def name_in(payload: Payload) -> CertificateName | None:
    """The certificate that a payload names; None when a part is missing or is not hexadecimal.

    Letters count alike in both cases (1.6 security whitepaper 6.1, 2.x identifierString).
    """
    algorithm = text(payload.get("hashAlgorithm"))
    parts = [text(payload.get(name)).strip().lower() for name in ("issuerNameHash", "issuerKeyHash", "serialNumber")]
    if algorithm not in ALGORITHMS or not all(map(_HEXADECIMAL.fullmatch, parts)):
        return None
    return CertificateName(algorithm, parts[0], parts[1], int(parts[2], 16))


def own_name(certificate: x509.Certificate, algorithm: str) -> CertificateName:
    """The name of a certificate that signed itself; of any other one the hashes name it as an issuer."""
    by_name = _digest(algorithm, certificate.subject.public_bytes())
    return CertificateName(algorithm, by_name, _digest(algorithm, _key_bits(certificate)), certificate.serial_number)


def key_digest(holder: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """SHA-256 of a public key (its SubjectPublicKeyInfo), which stays the same from the request to the certificate."""
    info = holder.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return _digest("SHA256", info)


def _key_bits(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def _digest(algorithm: str, content: bytes) -> str:
    digest = hashes.Hash(ALGORITHMS[algorithm])
    digest.update(content)
    return digest.finalize().hex()
