"""The certificates of a bench: its own authority, its server, what it signs for stations, and roots for tests.

Everything lies in one folder of the state directory (mode 0700), keys in files of mode 0600. It is a
laboratory's authority: it signs for whoever the bench knows, and nothing outside the bench should trust it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ....errors import CsmsError
from .issuing import Authority, PrivateKey, key_pem, new_ec_key, new_rsa_key, self_signed, text_of
from .private_files import private_folder, read_private, write_private
from .requests import read_request

__all__ = ["LOCAL_HOSTS", "Pki"]

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
ORGANISATION = "pilotbench"
SERVER_DAYS = 397.0
RENEW_BEFORE = datetime.timedelta(days=30)


class Pki:
    """Makes or loads the authority in `folder`.

    - `hosts`: names and addresses of the server besides the local ones; the first is the CN of its certificate
      (A00.FR.510). A server certificate that lacks one of them, or ends within 30 days, is made anew.
    - `organisation`: O of all certificates made here.

    Raises:
        CsmsError: the folder or a key cannot be used; says which and what to do.
    """

    def __init__(self, folder: Path, *, hosts: Sequence[str] = (), organisation: str = ORGANISATION) -> None:
        private_folder(folder)
        self.folder = folder
        self.organisation = organisation
        self._hosts = tuple(dict.fromkeys((*hosts, *LOCAL_HOSTS)))
        self._root = self._authority("root", lambda key: self_signed("pilotbench root", organisation, key))
        self._v2g_root = self._authority("v2g-root", lambda key: self_signed("pilotbench V2G root", organisation, key))
        self._mo_root = self._authority("mo-root", lambda key: self_signed("pilotbench MO root", organisation, key))
        self._v2g_sub = self._authority(
            "v2g-sub", lambda key: self._v2g_root.sub("pilotbench CPO sub-CA", organisation, key)
        )
        self._server("csms", new_ec_key)

    @property
    def root_pem(self) -> str:
        """The root of the CSMS certificate and of the stations' certificates."""
        return text_of(self._root.certificate)

    @property
    def root_file(self) -> Path:
        """PEM of the root, to be given to stations."""
        return self._chain("root")

    @property
    def v2g_root_pem(self) -> str:
        """A V2G root, for tests."""
        return text_of(self._v2g_root.certificate)

    @property
    def mo_root_pem(self) -> str:
        """The root of a mobility operator, for tests."""
        return text_of(self._mo_root.certificate)

    @property
    def authorities(self) -> tuple[Authority, ...]:
        """Everything here that may sign certificates, or statements about them: roots, and the sub-CA for V2G."""
        return self._root, self._v2g_root, self._v2g_sub, self._mo_root

    @property
    def manufacturer_root_pem(self) -> str:
        """The root of a manufacturer of stations, above `make_firmware_signer`; made when first asked for."""
        return text_of(self._manufacturer().certificate)

    @property
    def csms_chain(self) -> Path:
        """PEM of the server certificate."""
        return self._chain("csms")

    @property
    def csms_key(self) -> Path:
        """PEM of the server's key."""
        return self._key("csms")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names and addresses the server certificate holds."""
        return self._hosts

    def rsa_server(self) -> tuple[Path, Path]:
        """Certificate and key of the server with RSA, for stations that know the TLS_RSA suites only.

        2.x A00.FR.318: both kinds are needed to offer the four cipher suites.
        """
        self._server("csms-rsa", new_rsa_key)
        return self._chain("csms-rsa"), self._key("csms-rsa")

    def sign_station(
        self,
        csr_pem: str,
        *,
        station: str,
        days: float = 365.0,
        expired: bool = False,
        names: Collection[str] = (),
        owner: str | None = None,
    ) -> str:
        """Sign the request of a station; returns the PEM of its certificate (its issuer is the root).

        - `station`: its id, which the CN must be; `names`: others that the CN may be, as its serial number.
        - `days`: validity. `expired`: make one that ended yesterday.
        - `owner`: what the O must be; None: not checked.

        Raises:
            CsmsError: what is wrong with the request.
        """
        request, key = read_request(csr_pem, names={station, *names}, owner=owner)
        return text_of(self._root.client(request.subject, key, days=days, expired=expired))

    def sign_v2g(self, csr_pem: str, *, days: float = 365.0, expired: bool = False) -> str:
        """Sign the request for an SECC certificate; returns the PEMs of it and of the sub-CA below the V2G root.

        Raises:
            CsmsError: what is wrong with the request.
        """
        request, key = read_request(csr_pem)
        leaf = self._v2g_sub.any_use(request.subject, key, days=days, expired=expired)
        return text_of(leaf) + text_of(self._v2g_sub.certificate)

    def make_station(
        self, station: str, *, expired: bool = False, common_name: str | None = None, days: float = 365.0
    ) -> tuple[str, str]:
        """Certificate and key (PEM) for a station that cannot make a request, and for simulated ones.

        The key is kept nowhere. `common_name`: another CN than the station's id.
        """
        return self._made(self._root, common_name or station, days, expired=expired)

    def make_contract(self, emaid: str, *, expired: bool = False, days: float = 365.0) -> tuple[str, str]:
        """Contract certificate and key (PEM) of a vehicle, below the MO root, for tests."""
        return self._made(self._mo_root, emaid, days, expired=expired)

    def make_firmware_signer(
        self, organisation: str | None = None, *, ec_key: bool = False, expired: bool = False, days: float = 365.0
    ) -> tuple[str, str]:
        """Firmware signing certificate and key (PEM), directly below the manufacturer root (L01 forbids a CA between).

        `organisation`: the manufacturer, its O. The key is RSA, as L01.FR.04 names RSA-PSS; `ec_key`: P-256.
        """
        key = new_ec_key() if ec_key else new_rsa_key()
        owner = organisation or self.organisation
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, owner),
                x509.NameAttribute(NameOID.COMMON_NAME, "firmware signing"),
            ]
        )
        leaf = self._manufacturer().any_use(subject, key.public_key(), days=days, expired=expired)
        return text_of(leaf), key_pem(key)

    def _manufacturer(self) -> Authority:
        name, organisation = "manufacturer-root", self.organisation
        return self._authority(name, lambda key: self_signed("pilotbench manufacturer root", organisation, key))

    def _made(self, issuer: Authority, name: str, days: float, *, expired: bool) -> tuple[str, str]:
        key = new_ec_key()
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        return text_of(issuer.client(subject, key.public_key(), days=days, expired=expired)), key_pem(key)

    # files

    def _chain(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def _key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def _authority(self, name: str, make: Callable[[ec.EllipticCurvePrivateKey], x509.Certificate]) -> Authority:
        found = self._load(name)
        if found is None:
            fresh = new_ec_key()
            found = self._store(name, make(fresh), fresh)
        certificate, key = found
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CsmsError(f"{self._key(name)} is no EC key; restore it, or move {self.folder} away to begin anew.")
        if certificate.not_valid_after_utc <= datetime.datetime.now(datetime.UTC):
            raise CsmsError(f"{self._chain(name)} has expired; move {self.folder} away, and a new one is made.")
        return Authority(certificate, key)

    def _server(self, name: str, new_key: Callable[[], PrivateKey]) -> None:
        found = self._load(name)
        if found is not None and self._still_good(found[0]):
            return
        key = new_key()
        certificate = self._root.server(self._hosts, self.organisation, key.public_key(), days=SERVER_DAYS)
        self._store(name, certificate, key)

    def _still_good(self, server: x509.Certificate) -> bool:
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        held = {str(name.value) for name in names}
        try:
            server.verify_directly_issued_by(self._root.certificate)
        except (ValueError, InvalidSignature):
            return False
        lasting = server.not_valid_after_utc - RENEW_BEFORE > datetime.datetime.now(datetime.UTC)
        return lasting and held == set(self._hosts)

    def _store(self, name: str, certificate: x509.Certificate, key: PrivateKey) -> tuple[x509.Certificate, PrivateKey]:
        # The key first: a key without a certificate was never used, and is made anew.
        write_private(self._key(name), key_pem(key).encode())
        write_private(self._chain(name), text_of(certificate).encode())
        return certificate, key

    def _load(self, name: str) -> tuple[x509.Certificate, PrivateKey] | None:
        chain, key_file = self._chain(name), self._key(name)
        advice = f"Restore it, or move {self.folder} away to begin anew (stations then need the new root)."
        try:
            certificate = x509.load_pem_x509_certificate(read_private(chain))
        except FileNotFoundError:
            return None
        except ValueError as exc:
            raise CsmsError(f"{chain} is no certificate in PEM. {advice}") from exc
        try:
            key = serialization.load_pem_private_key(read_private(key_file), None)
        except FileNotFoundError as exc:
            raise CsmsError(f"{key_file} is missing, its certificate is there. {advice}") from exc
        except (ValueError, TypeError) as exc:
            raise CsmsError(f"{key_file} is no private key in PEM without a password. {advice}") from exc
        if not isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
            raise CsmsError(f"{key_file} is neither an EC nor an RSA key. {advice}")
        if key.public_key() != certificate.public_key():
            raise CsmsError(f"{key_file} does not belong to {chain}. {advice}")
        return certificate, key
