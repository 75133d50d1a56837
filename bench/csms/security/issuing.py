"""Certificates made by hand: an authority, and what it issues.

Properties follow A00.FR.501-512 (1.6 security whitepaper 2.6.1, 2.x part 2 A 1.4.1): EC P-256 or RSA 2048
and SHA-256, random serial numbers, key usage said. Validity is in days of the wall clock of this machine,
the only clock a station can compare with.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "PrivateKey", "key_pem", "new_ec_key", "new_rsa_key", "self_signed", "text_of"]

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

BACKDATED = datetime.timedelta(hours=1)
"""Certificates begin earlier by this, for stations whose clock is behind."""
ROOT_DAYS = 20 * 365.0
EXPIRED_DAYS = 30.0
"""An expired certificate was valid for so long, and ended a day ago."""

_USAGE = {
    "content_commitment": False,
    "data_encipherment": False,
    "key_agreement": False,
    "encipher_only": False,
    "decipher_only": False,
}


def new_ec_key() -> ec.EllipticCurvePrivateKey:
    """A key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def new_rsa_key() -> rsa.RSAPrivateKey:
    """A key of 2048 bits (A00.FR.502)."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_pem(key: PrivateKey) -> str:
    """A private key as PKCS #8 PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def text_of(certificate: x509.Certificate) -> str:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def self_signed(common_name: str, organisation: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A root."""
    name = _name(common_name, organisation)
    builder = _dated(_begun(name, key.public_key()), ROOT_DAYS, expired=False).issuer_name(name)
    return _for_authority(builder, None).sign(key, hashes.SHA256())


class Authority(msgspec.Struct, frozen=True):
    """A certificate that may sign others, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def sub(self, common_name: str, organisation: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """An authority below this one, that signs end entities only."""
        builder = _begun(_name(common_name, organisation), key.public_key())
        return self._sign(_for_authority(_dated(builder, ROOT_DAYS, expired=False), 0))

    def server(
        self, hosts: Iterable[str], organisation: str, key: PublicKey, *, days: float, expired: bool = False
    ) -> x509.Certificate:
        """A certificate for a TLS server; the first host is its CN (A00.FR.510)."""
        hosts = list(hosts)
        builder = _dated(_begun(_name(hosts[0], organisation), key), days, expired=expired)
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), False)
        # Key encipherment is what the TLS_RSA suites do with the key (A00.FR.318 of 2.x).
        return self._leaf(builder, ExtendedKeyUsageOID.SERVER_AUTH, encipher=isinstance(key, rsa.RSAPublicKey))

    def client(self, subject: x509.Name, key: PublicKey, *, days: float, expired: bool = False) -> x509.Certificate:
        """A certificate for a TLS client."""
        return self._leaf(_dated(_begun(subject, key), days, expired=expired), ExtendedKeyUsageOID.CLIENT_AUTH)

    def any_use(self, subject: x509.Name, key: PublicKey, *, days: float, expired: bool = False) -> x509.Certificate:
        """A certificate without extended key usage: an SECC is a server to vehicles."""
        return self._leaf(_dated(_begun(subject, key), days, expired=expired), None)

    def _leaf(
        self, builder: x509.CertificateBuilder, purpose: x509.ObjectIdentifier | None, *, encipher: bool = False
    ) -> x509.Certificate:
        usage = x509.KeyUsage(
            digital_signature=True, key_encipherment=encipher, key_cert_sign=False, crl_sign=False, **_USAGE
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(usage, True)
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
        return self._sign(builder)

    def _sign(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return builder.issuer_name(self.certificate.subject).add_extension(ours, False).sign(self.key, hashes.SHA256())


def _begun(subject: x509.Name, key: PublicKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
    )


def _dated(builder: x509.CertificateBuilder, days: float, *, expired: bool) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    if expired:
        end = now - datetime.timedelta(days=1)
        return builder.not_valid_before(end - datetime.timedelta(days=EXPIRED_DAYS)).not_valid_after(end)
    return builder.not_valid_before(now - BACKDATED).not_valid_after(now + datetime.timedelta(days=days))


def _for_authority(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(digital_signature=True, key_encipherment=False, key_cert_sign=True, crl_sign=True, **_USAGE)
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), True).add_extension(
        usage, True
    )


def _name(common_name: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
