"""What the bench knows of certificates: who may issue them, which were issued here, and which are revoked.

It answers as an OCSP responder would (RFC 6960). Of an issuer whose key lies here any serial number is good that
was not revoked (section 2.2: good says no more than that), also one that an earlier run signed. The book itself
lives as long as the back end.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Literal

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from ..security.issuing import Authority
from .hashes import ALGORITHMS, CertificateName, own_name

__all__ = ["Book", "Standing", "State"]

State = Literal["Good", "Revoked", "Unknown"]
"""Of a certificate whose issuer is known. Unknown: the issuer's key lies elsewhere, and so does its list."""

BACKDATED = datetime.timedelta(hours=1)
"""An answer counts from earlier by this, for stations whose clock is behind."""
FRESH = datetime.timedelta(days=7)
"""How long an answer may be kept (M06.FR.10, M07.FR.09: a week at most)."""


class Standing(msgspec.Struct, frozen=True):
    """What is known of one certificate; `certificate` None: never seen here. `until`: when to ask again."""

    state: State
    until: datetime.datetime
    certificate: x509.Certificate | None


class Book:
    """Issuers by the hashes OCPP names them with, certificates by issuer and serial number.

    `authorities`: issuers whose keys lie here. `anchors`: those of them that contract certificates may come from.
    """

    def __init__(self, authorities: Iterable[Authority], anchors: Iterable[x509.Certificate]) -> None:
        self._authorities = tuple(authorities)
        self._anchors = list(anchors)
        self._issuers: dict[tuple[str, str, str], x509.Certificate] = {}
        self._known: dict[tuple[bytes, int], x509.Certificate] = {}
        self._revoked: dict[int, datetime.datetime] = {}
        for authority in self._authorities:
            self._name_issuer(authority.certificate)

    @property
    def anchors(self) -> tuple[x509.Certificate, ...]:
        """Certificates that the chain of a contract may end at."""
        return tuple(self._anchors)

    def trust(self, certificate: x509.Certificate) -> None:
        """Take a certificate for an issuer of contracts, e.g. the root or a sub-CA of a mobility operator."""
        if certificate not in self._anchors:
            self._anchors.append(certificate)
        self._name_issuer(certificate)

    def keep(self, certificate: x509.Certificate) -> None:
        """Remember a certificate, so that its end is known too."""
        self._known[certificate.issuer.public_bytes(), certificate.serial_number] = certificate

    def revoke(self, serial: int) -> None:
        """From now on every certificate with this serial number is revoked."""
        self._revoked.setdefault(serial, _now())

    def pardon(self, serial: int) -> None:
        """It is revoked no longer."""
        self._revoked.pop(serial, None)

    def revoked(self, serial: int) -> bool:
        """Whether it is revoked."""
        return serial in self._revoked

    def issuer(self, name: CertificateName) -> x509.Certificate | None:
        """The issuer that a name holds the hashes of; None when it is not known."""
        return self._issuers.get(name.issuer)

    def standing(self, name: CertificateName) -> Standing | None:
        """What is known of a certificate; None when its issuer is not known."""
        issuer = self.issuer(name)
        if issuer is None:
            return None
        ours = any(authority.certificate == issuer for authority in self._authorities)
        state: State = "Revoked" if self.revoked(name.serial) else "Good" if ours else "Unknown"
        known = self._known.get((issuer.subject.public_bytes(), name.serial))
        return Standing(state, _now() + FRESH, known)

    def ocsp(self, name: CertificateName) -> bytes | None:
        """The OCSP response (DER), signed by the issuer's own key; None when that key does not lie here."""
        issuer = self.issuer(name)
        authority = next((one for one in self._authorities if one.certificate == issuer), None)
        if authority is None:
            return None
        since = self._revoked.get(name.serial)
        now = _now()
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=bytes.fromhex(name.name_hash),
            issuer_key_hash=bytes.fromhex(name.key_hash),
            serial_number=name.serial,
            algorithm=ALGORITHMS[name.algorithm],
            cert_status=ocsp.OCSPCertStatus.GOOD if since is None else ocsp.OCSPCertStatus.REVOKED,
            this_update=now - BACKDATED,
            next_update=now + FRESH,
            revocation_time=since,
            revocation_reason=None if since is None else x509.ReasonFlags.unspecified,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, authority.certificate)
        return builder.sign(authority.key, ALGORITHMS["SHA256"]).public_bytes(Encoding.DER)

    def _name_issuer(self, certificate: x509.Certificate) -> None:
        self.keep(certificate)
        for algorithm in ALGORITHMS:
            self._issuers[own_name(certificate, algorithm).issuer] = certificate


def _now() -> datetime.datetime:
    # OCSP and certificates count whole seconds of the wall clock, the only clock a station can compare with.
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
