"""What is told of a certificate on the timeline: whose it is, its serial number, and which key it holds."""

from __future__ import annotations

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from ...timeline import Source, Stamp
from .hashes import key_digest

__all__ = ["Seen", "certificates_in", "request_in", "tell"]


class Seen(msgspec.Struct, frozen=True):
    """A certificate or a request for one; None where it says nothing, or cannot be read.

    - `subject`: its distinguished name (RFC 4514). `serial`: hexadecimal without leading zeros.
    - `key`: SHA-256 of the public key, hexadecimal.
    """

    subject: str | None = None
    serial: str | None = None
    key: str | None = None

    @classmethod
    def of(cls, holder: x509.Certificate | x509.CertificateSigningRequest) -> Seen:
        """The facts of something that was read."""
        serial = f"{holder.serial_number:x}" if isinstance(holder, x509.Certificate) else None
        try:
            key = key_digest(holder)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        return cls(holder.subject.rfc4514_string(), serial, key)


def certificates_in(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text, in its order; none when one of them cannot be read."""
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return []


def request_in(pem: str) -> x509.CertificateSigningRequest | None:
    """The request for a certificate in a PEM text; None when it cannot be read."""
    try:
        return x509.load_pem_x509_csr(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return None


def tell(
    source: Source,
    station: str,
    verb: str,
    seen: Seen,
    *,
    kind: str | None,
    accepted: bool,
    status: str,
    via: str,
    request_id: int | None = None,
    why: str | None = None,
    stamp: Stamp | None = None,
) -> None:
    """Put an event `csms.certificate` onto the timeline, stamped now unless it is about a message that came before.

    `kind`: what the certificate is for, in the words of the message.
    """
    data = {
        "station": station,
        "verb": verb,
        "type": kind,
        "request_id": request_id,
        "subject": seen.subject,
        "serial": seen.serial,
        "key": seen.key,
        "accepted": accepted,
        "status": status,
        "via": via,
        "why": why,
    }
    if stamp is None:
        source.note("csms.certificate", data)
    else:
        source.emit("csms.certificate", stamp, data)
