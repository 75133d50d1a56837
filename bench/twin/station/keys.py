"""The station's keys, its requests for certificates, and the roots that were installed (2.x A02, M03 to M05)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Keys"]

_ORGANISATION = "pilotbench"
_CLOCKS_DIFFER = timedelta(minutes=5)
_HASHES = {"SHA256": hashes.SHA256, "SHA384": hashes.SHA384, "SHA512": hashes.SHA512}


@dataclass
class _Asked:
    """A request that has not been answered with a certificate."""

    kind: str
    number: int | None
    key: ec.EllipticCurvePrivateKey


class Keys:
    """Kept as long as the process lives."""

    def __init__(self, station: str) -> None:
        self._station = station
        self._asked: list[_Asked] = []
        self._number = 0
        self._roots: list[tuple[str, x509.Certificate]] = []

    def request(self, kind: str, *, numbered: bool) -> tuple[str, int | None]:
        """Make a key and a request to sign it; returns its PEM, and its number if it shall have one.

        Without numbers an answer can only mean the newest request of its kind or be known by its key, so an older one
        is forgotten.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
                x509.NameAttribute(NameOID.COMMON_NAME, self._station),
            ]
        )
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        self._number += 1
        number = self._number if numbered else None
        if not numbered:
            self._asked = [asked for asked in self._asked if asked.kind != kind]
        self._asked.append(_Asked(kind, number, key))
        return csr.public_bytes(serialization.Encoding.PEM).decode(), number

    def accept(self, chain_pem: str, number: int | None) -> tuple[str, str] | str:
        """Take a signed chain; returns its kind and the PEM of its key, or why it is refused."""
        try:
            leaf = x509.load_pem_x509_certificates(chain_pem.encode())[0]
        except (ValueError, IndexError) as error:
            return f"no certificate: {error}"
        wanted = _public(leaf)
        known = [asked for asked in self._asked if _pem(asked.key.public_key()) == wanted]
        if number is not None:
            known = [asked for asked in known if asked.number == number]
        if not known:
            return "it fits no request that is waiting for its answer"
        now = datetime.now(UTC)
        if not leaf.not_valid_before_utc - _CLOCKS_DIFFER <= now <= leaf.not_valid_after_utc:
            return "it is not valid now"
        names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if not names or names[0].value != self._station:
            return f"its common name is not {self._station}"
        self._asked.remove(known[0])
        private = known[0].key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return known[0].kind, private.decode()

    @staticmethod
    def is_certificate(pem: str) -> bool:
        """Whether this is a certificate that is valid now."""
        try:
            return x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc > datetime.now(UTC)
        except ValueError:
            return False

    def install(self, kind: str, pem: str) -> bool:
        """Take a root; False if it is no certificate or not valid now."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError:
            return False
        if certificate.not_valid_after_utc < datetime.now(UTC):
            return False
        self._roots = [(k, c) for k, c in self._roots if (k, c) != (kind, certificate)]
        self._roots.append((kind, certificate))
        return True

    def installed(self, kinds: Collection[str] | None) -> list[tuple[str, dict[str, str]]]:
        """Kind and hash data of the roots; None = of every kind."""
        return [(kind, _hash_data(root, "SHA256")) for kind, root in self._roots if not kinds or kind in kinds]

    def delete(self, wanted: dict[str, Any]) -> bool:
        """Remove the root with this hash data; False if there is none."""
        algorithm = str(wanted["hashAlgorithm"])
        kept = [(kind, root) for kind, root in self._roots if not _same(_hash_data(root, algorithm), wanted)]
        removed = len(kept) < len(self._roots)
        self._roots = kept
        return removed


def _same(data: dict[str, str], wanted: dict[str, Any]) -> bool:
    return all(data[key].lower().lstrip("0") == str(wanted.get(key, "")).lower().lstrip("0") for key in data)


def _hash_data(root: x509.Certificate, algorithm: str) -> dict[str, str]:
    """CertificateHashDataType; the issuer's key is known of a root that signed itself only."""
    raw = _bit_string(root.public_key()) if root.issuer == root.subject else b""
    kind = _HASHES[algorithm]
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": _digest(kind(), root.issuer.public_bytes()),
        "issuerKeyHash": _digest(kind(), raw),
        "serialNumber": format(root.serial_number, "x"),
    }


def _bit_string(public: Any) -> bytes:
    """The subject public key without its wrapping, as RFC 6960 hashes it."""
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)


def _digest(kind: hashes.HashAlgorithm, data: bytes) -> str:
    digest = hashes.Hash(kind)
    digest.update(data)
    return digest.finalize().hex()


def _public(certificate: x509.Certificate) -> bytes:
    return _pem(certificate.public_key())


def _pem(public: Any) -> bytes:
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
