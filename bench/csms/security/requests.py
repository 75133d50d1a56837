"""Requests for certificates (PKCS #10), as stations send them, checked before anything is signed."""

from __future__ import annotations

from collections.abc import Collection

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ....errors import CsmsError

__all__ = ["common_name", "organisation", "read_request"]

LEAST_EC_BITS = 224
LEAST_RSA_BITS = 2048


def read_request(
    csr_pem: str, *, names: Collection[str] | None = None, owner: str | None = None
) -> tuple[x509.CertificateSigningRequest, ec.EllipticCurvePublicKey | rsa.RSAPublicKey]:
    """A request that may be signed, and its key.

    - `names`: the CN must be one of these (A00.FR.511: the serial number of the station); None: any.
    - `owner`: the O must be this (A00.FR.404, A00.FR.509); None: any, or none.

    Raises:
        CsmsError: says what is wrong with the request, and what the station should send.
    """
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise CsmsError(
            f"the request is no PEM of a certificate request: {str(exc).partition('. See')[0]}. "
            "The station must send PKCS #10 as PEM (BEGIN CERTIFICATE REQUEST)."
        ) from exc
    try:
        key = request.public_key()
        sound = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise CsmsError(f"the key of the request cannot be used: {exc}. Use EC P-256 or RSA with 2048 bits.") from exc
    if not sound:
        raise CsmsError("the request is not signed by the key it holds; the station must sign it with its own key.")
    if not isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        raise CsmsError(f"the request holds a key of type {type(key).__name__}; use EC P-256 or RSA with 2048 bits.")
    least = LEAST_EC_BITS if isinstance(key, ec.EllipticCurvePublicKey) else LEAST_RSA_BITS
    if key.key_size < least:
        raise CsmsError(f"the key of the request has {key.key_size} bits; at least {least} are needed (A00.FR.501).")
    cn, o = common_name(request.subject), organisation(request.subject)
    if names is not None and cn not in names:
        wanted = " or ".join(repr(name) for name in sorted(names))
        raise CsmsError(f"the CN of the request is {cn!r}; it must be {wanted} (A00.FR.511).")
    if owner is not None and o != owner:
        raise CsmsError(
            f"the O of the request is {o!r}; it must be {owner!r} (A00.FR.404). Set the organisation name of the "
            "station: CpoName (1.6), SecurityCtrlr.OrganizationName (2.x)."
        )
    return request, key


def common_name(subject: x509.Name) -> str | None:
    """The CN; None without one."""
    return _first(subject, NameOID.COMMON_NAME)


def organisation(subject: x509.Name) -> str | None:
    """The O; None without one."""
    return _first(subject, NameOID.ORGANIZATION_NAME)


def _first(subject: x509.Name, oid: x509.ObjectIdentifier) -> str | None:
    found = subject.get_attributes_for_oid(oid)
    if not found:
        return None
    value = found[0].value
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
