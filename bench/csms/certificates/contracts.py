"""Contract certificates of vehicles (C07): whether a chain, or the hashes of one, can be relied upon.

What goes out is AuthorizeCertificateStatusEnumType, and how it binds the status of the token (C07.FR.13-17).
"""

from __future__ import annotations

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from ..fields import Payload, objects, text
from .book import Book
from .hashes import CertificateName, name_in
from .seen import certificates_in

__all__ = ["agreed", "chain_status", "contract_status", "hash_status"]

REFUSED_TOKENS = frozenset({"Blocked", "Expired", "Invalid", "Unknown"})
"""Status of a token that cancels a contract whose certificate is good (C07.FR.13)."""

BOUND_TOKENS = {"CertificateExpired": "Expired", "CertificateRevoked": "Invalid", "CertChainError": "Invalid"}
"""Status of a certificate -> the status its token then has (C07.FR.15-17)."""

LONGEST_CHAIN = 8


def contract_status(book: Book, payload: Payload) -> str | None:
    """Status of the contract certificate of an Authorize request; None when it brings neither chain nor hashes.

    The chain counts where both are there: it says more than its hashes.
    """
    if "certificate" in payload:
        return chain_status(book, text(payload["certificate"]))
    if "iso15118CertificateHashData" in payload:
        return hash_status(book, [name_in(entry) for entry in objects(payload["iso15118CertificateHashData"])])
    return None


def agreed(status: str, token: str) -> tuple[str, str]:
    """Status of the certificate and of the token as they are answered together (C07.FR.13-17)."""
    if status == "Accepted":
        return ("ContractCancelled" if token in REFUSED_TOKENS else status), token
    return status, BOUND_TOKENS.get(status, token)


def chain_status(book: Book, pem: str) -> str:
    """Status of a chain in PEM, its leaf first, the rest in any order: each certificate is signed by another of them
    or by an anchor."""
    found = certificates_in(pem)
    if not found:
        return "CertChainError"
    now = datetime.datetime.now(datetime.UTC)
    if not (path := _path(found[0], found[1:], book.anchors)):
        return "CertChainError"
    if any(now > each.not_valid_after_utc for each in path):
        return "CertificateExpired"
    if any(now < each.not_valid_before_utc for each in path):
        return "CertChainError"
    return "CertificateRevoked" if any(book.revoked(each.serial_number) for each in path) else "Accepted"


def hash_status(book: Book, names: list[CertificateName | None]) -> str:
    """Status of a chain of which only the hashes are there: every issuer must be known here.

    An end that has come is seen of certificates only that were signed here or shown before.
    """
    if not names:
        return "CertChainError"
    found = [name for name in names if name is not None and book.issuer(name) in book.anchors]
    known = [standing for standing in map(book.standing, found) if standing is not None]
    if len(known) < len(names):
        return "CertChainError"
    now = datetime.datetime.now(datetime.UTC)
    if any(each.certificate is not None and now > each.certificate.not_valid_after_utc for each in known):
        return "CertificateExpired"
    return "CertificateRevoked" if any(each.state == "Revoked" for each in known) else "Accepted"


def _path(
    leaf: x509.Certificate, others: list[x509.Certificate], anchors: tuple[x509.Certificate, ...]
) -> list[x509.Certificate]:
    """The certificates from the leaf to an anchor; none when there is no such path."""
    if leaf in anchors:
        return []
    path = [leaf]
    while path[-1] not in anchors:
        above = next((one for one in (*anchors, *others) if one not in path and _signed(path[-1], one)), None)
        if above is None or len(path) == LONGEST_CHAIN:
            return []
        path.append(above)
    return path


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        may = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return may
