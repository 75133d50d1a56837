"""TLS of the server: what it accepts, what it learns of a station, and why a handshake failed.

Minimum TLS 1.2 (2.x A00.FR.313/416; the whitepaper allows older ones for old stations only), no compression
(A00.FR.321), each handshake in full: a session that is resumed would show no certificate.
"""

from __future__ import annotations

import contextlib
import contextvars
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from ....errors import CsmsError

__all__ = ["SPEAKING", "TlsFacts", "explain", "facts_of", "server_context"]

ECDSA_SUITES = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
RSA_SUITES = ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
"""The four suites of 2.x A00.FR.318 and 1.6 A00.FR.317, in the names of OpenSSL."""
OTHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:AES:!aNULL:!eNULL:!3DES:!SSLv2"
"""Accepted after those four and recorded: a laboratory wants to see the station all the same."""

SPEAKING: contextvars.ContextVar[Any] = contextvars.ContextVar("pilotbench_tls_transport", default=None)
"""The transport below the handshake that is being started."""

_VERIFY = {
    9: "is not valid yet (compare the clocks)",
    10: "has expired",
    18: "signs itself",
    19: "ends in a root this bench does not trust",
    20: "is not signed by an authority this bench trusts",
    21: "is not signed by an authority this bench trusts",
    26: "may not be used by a TLS client (extended key usage)",
}
LEFT = "the station closed the connection in the middle of the TLS handshake"
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the station showed no certificate, and security profile 3 needs one "
    "(A00.FR.401)",
    "HTTP_REQUEST": "plain HTTP (ws://) on a port that speaks TLS; the address must begin with wss://",
    "WRONG_VERSION_NUMBER": "what came is not TLS; the address must begin with wss://",
    "UNSUPPORTED_PROTOCOL": "the station offers only versions of TLS older than 1.2 (A00.FR.313)",
    "VERSION_TOO_LOW": "the station offers only versions of TLS older than 1.2 (A00.FR.313)",
    "TLSV1_ALERT_PROTOCOL_VERSION": "the station speaks no version of TLS from 1.2 on (its alert: protocol version)",
    "NO_SHARED_CIPHER": "the station offers no cipher suite that is accepted here (A00.FR.319)",
    "NO_SUITABLE_SIGNATURE_ALGORITHM": "the station offers no signature algorithm that fits a certificate of the bench",
    "TLSV1_ALERT_UNKNOWN_CA": "the station does not trust the certificate of the bench (its alert: unknown CA); "
    "give it the root",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the station refuses the certificate of the bench (its alert: bad certificate); "
    "is the name in its address one of the certificate's?",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the station refuses the certificate of the bench (its alert: certificate "
    "unknown); give it the root",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "the station says that the certificate of the bench has expired; compare the "
    "clocks",
    "SSLV3_ALERT_HANDSHAKE_FAILURE": "the station broke off (its alert: handshake failure)",
    "UNEXPECTED_EOF_WHILE_READING": LEFT,
}


class TlsFacts(msgspec.Struct, frozen=True):
    """What a finished handshake tells.

    - `version`: "TLSv1.3"; `cipher`: in the names of OpenSSL.
    - `subject`: of the station's certificate, as RFC 4514 text; `common_name` and `organisation` of it; None without.
    - `weak`: why the offered cipher suites do not meet the specification; None: they do, or it cannot be told.
    """

    version: str
    cipher: str
    subject: str | None = None
    common_name: str | None = None
    organisation: str | None = None
    weak: str | None = None


class _Ear(ssl.SSLObject):
    """Sends the alert that says why a handshake failed; asyncio closes the socket without it."""

    transport: Any = None
    outgoing: ssl.MemoryBIO | None = None

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if self.transport is not None and self.outgoing is not None:
                with contextlib.suppress(OSError):
                    self.transport.write(self.outgoing.read())
            raise


class _Context(ssl.SSLContext):
    sslobject_class = _Ear

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **kw: Any) -> ssl.SSLObject:
        wrapped = super().wrap_bio(incoming, outgoing, *args, **kw)
        if isinstance(wrapped, _Ear):
            wrapped.transport, wrapped.outgoing = SPEAKING.get(), outgoing
        return wrapped


def server_context(
    certificates: Iterable[tuple[Path, Path]],
    *,
    certificate_of_station: Literal["none", "asked", "required"],
    trusted_pem: str,
) -> ssl.SSLContext:
    """The TLS of a port.

    - `certificates`: pairs of certificate chain and key, one for each kind of key.
    - `certificate_of_station`: whether a station must show one; "asked": what it shows must be good.
    - `trusted_pem`: roots for the stations' certificates.

    Raises:
        CsmsError: a certificate or a root cannot be used.
    """
    context = _Context(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join((*ECDSA_SUITES, *RSA_SUITES, OTHERS)))
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_TICKET
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.verify_mode = {
        "none": ssl.CERT_NONE,
        "asked": ssl.CERT_OPTIONAL,
        "required": ssl.CERT_REQUIRED,
    }[certificate_of_station]
    for chain, key in certificates:
        try:
            context.load_cert_chain(chain, key)
        except (OSError, ssl.SSLError) as exc:
            raise CsmsError(
                f"the certificate {chain} with the key {key} cannot be used: {exc.strerror or exc}. "
                "Both must be PEM, the key without a password, and belong to each other."
            ) from exc
    try:
        context.load_verify_locations(cadata=trusted_pem)
    except (ssl.SSLError, ValueError) as exc:
        raise CsmsError(f"the roots for the stations' certificates cannot be used: {exc}. They must be PEM.") from exc
    return context


def explain(failure: BaseException | None) -> str:
    """Why a handshake failed, in words for the person at the bench."""
    if isinstance(failure, ssl.SSLCertVerificationError):
        why = _VERIFY.get(failure.verify_code) or f"is refused: {failure.verify_message}"
        return f"the certificate of the station {why}"
    if isinstance(failure, ssl.SSLError):
        reason = failure.reason or ""
        return _REASONS.get(reason) or f"the TLS handshake failed: {reason.replace('_', ' ').lower() or failure}"
    if isinstance(failure, ConnectionAbortedError):
        return "the TLS handshake took too long"
    return f"{LEFT}; perhaps it does not trust the certificate of the bench"


def facts_of(wrapped: ssl.SSLObject) -> TlsFacts:
    """What is known after the handshake."""
    version, cipher = wrapped.version() or "unknown", wrapped.cipher()
    offered = {name for name, _, _ in wrapped.shared_ciphers() or []}
    weak = None
    if version == "TLSv1.2" and not any(offered.issuperset(pair) for pair in (ECDSA_SUITES, RSA_SUITES)):
        # Of a station that negotiates TLS 1.3 the suites for 1.2 need not be seen.
        weak = (
            f"it offers neither {' and '.join(ECDSA_SUITES)} nor {' and '.join(RSA_SUITES)}, of which a station must "
            f"support one pair (2.x A00.FR.319, 1.6 A00.FR.318); used: {cipher[0] if cipher else 'unknown'}"
        )
    der = wrapped.getpeercert(True)
    subject = _subject(der) if der else (None, None, None)
    return TlsFacts(version, cipher[0] if cipher else "unknown", *subject, weak)


def _subject(der: bytes) -> tuple[str | None, str | None, str | None]:
    from cryptography import x509

    from .requests import common_name, organisation

    try:
        subject = x509.load_der_x509_certificate(der).subject
        return subject.rfc4514_string(), common_name(subject), organisation(subject)
    except ValueError:
        return "unreadable", None, None
