"""Certificates that are wrong on purpose: what is asked for, and how a good one is made wrong."""

from __future__ import annotations

import datetime

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from ..security.issuing import Authority, new_ec_key

__all__ = ["Wish", "altered"]

DAY = datetime.timedelta(days=1)
WRONG_NAME = "another-station"


class Wish(msgspec.Struct, frozen=True):
    """What shall be wrong with one certificate.

    - `expired`: it ended yesterday. `not_yet_valid`: it begins tomorrow.
    - `wrong_key`: it holds a key that the station does not have. `wrong_name`: its CN is another station's.
    - `wrong_root`: its signature is not that of the authority it names.
    - `never`: the request is accepted and no certificate follows. `delay_s`: it follows after so many seconds.
    """

    expired: bool = False
    not_yet_valid: bool = False
    wrong_key: bool = False
    wrong_name: bool = False
    wrong_root: bool = False
    never: bool = False
    delay_s: float = 0.0

    @property
    def wrong(self) -> str | None:
        """What is wrong with the certificate, in words; None: nothing."""
        words = {
            "expired": self.expired,
            "not yet valid": self.not_yet_valid,
            "for a key that the station does not have": self.wrong_key,
            "for another name": self.wrong_name,
            "with a signature that is not the authority's": self.wrong_root,
        }
        return ", ".join(word for word, asked in words.items() if asked) or None


def altered(good: x509.Certificate, issuer: Authority, wish: Wish) -> x509.Certificate:
    """The same certificate as `good`, which `issuer` signed, but for what the wish makes wrong; a new serial number."""
    if wish.wrong_root:
        issuer = Authority(issuer.certificate, new_ec_key())
    builder = x509.CertificateBuilder(issuer_name=good.issuer, serial_number=x509.random_serial_number())
    builder = builder.subject_name(_renamed(good.subject) if wish.wrong_name else good.subject)
    key = new_ec_key().public_key() if wish.wrong_key else good.public_key()
    begin, end = good.not_valid_before_utc, good.not_valid_after_utc
    now = datetime.datetime.now(datetime.UTC)
    if wish.not_yet_valid:
        begin, end = now + DAY, max(end, now + 2 * DAY)
    if wish.expired:
        # Both wishes at once contradict each other; ended is ended.
        begin, end = now - 30 * DAY, now - DAY
    builder = builder.not_valid_before(begin).not_valid_after(end).public_key(key)  # type: ignore[arg-type]
    ours = x509.SubjectKeyIdentifier.from_public_key(key)  # type: ignore[arg-type]
    for extension in good.extensions:
        held = ours if isinstance(extension.value, x509.SubjectKeyIdentifier) else extension.value
        builder = builder.add_extension(held, extension.critical)
    return builder.sign(issuer.key, hashes.SHA256())


def _renamed(subject: x509.Name) -> x509.Name:
    others = [part for part in subject if part.oid != NameOID.COMMON_NAME]
    return x509.Name([*others, x509.NameAttribute(NameOID.COMMON_NAME, WRONG_NAME)])
