"""The security of one back end: its authority, the passwords, the profiles, and the TLS of its ports."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from ....errors import CsmsError
from .passwords import Passwords
from .pki import Pki
from .private_files import private_folder
from .profiles import Profiles
from .records import Records
from .tls import server_context

__all__ = ["Security"]


class Security:
    """How stations authenticate themselves.

    - `folder`: in the state directory; keys and passwords lie there (mode 0700), see `Pki` and `Passwords`.
    - `profile`: the least security profile of the main port: 0 nothing, 1 Basic, 2 TLS and Basic, 3 mutual TLS.
    - `tls_port`: with profile 0 or 1, a second port with TLS (0: a free one), for stations that shall change to a
      higher profile; None: no such port.
    - `hosts`: names and addresses of this machine as stations know it, besides the local ones.
    - `passwords`: by station id; `password`: for every other station.
    - `organisation`: what the O of stations' certificates must be (A00.FR.404); None: not checked.
    - `serials`: serial numbers by station id, which the CN may be instead of the id (A00.FR.511).
    - `certificate`, `key`: PEM files to use instead of the server certificate made here.
    - `trusted`: PEM files of further roots for stations' certificates, as a manufacturer's.
    - `ask_certificate`: with profile 2, let a station show a certificate (it then uses profile 3). Some stations
      stumble over being asked.

    Raises:
        CsmsError: something given is wrong, or the folder cannot be used.
    """

    def __init__(
        self,
        folder: Path,
        *,
        profile: int = 0,
        tls_port: int | None = None,
        hosts: Sequence[str] = (),
        passwords: Mapping[str, str] | None = None,
        password: str | None = None,
        organisation: str | None = None,
        serials: Mapping[str, str] | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        trusted: Sequence[Path] = (),
        ask_certificate: bool = True,
    ) -> None:
        if profile not in (0, 1, 2, 3):
            raise CsmsError(f"there is no security profile {profile}; there are 0, 1, 2 and 3 (A00).")
        if tls_port is not None and profile >= 2:
            raise CsmsError(f"with security profile {profile} the main port speaks TLS; leave out the second one.")
        if (certificate is None) is not (key is None):
            raise CsmsError("a server certificate needs its key, and a key its certificate; give both or neither.")
        private_folder(folder)
        self.folder = folder
        self.profile = profile
        self.tls_port = tls_port
        self.organisation = organisation
        records = Records(folder)
        self.passwords = Passwords(records, given=passwords, shared=password)
        self.profiles = Profiles(records)
        self._hosts = tuple(hosts)
        self._serials = dict(serials or {})
        self._own = None if certificate is None or key is None else (certificate, key)
        self._trusted = tuple(trusted)
        self._ask_certificate = ask_certificate

    @cached_property
    def pki(self) -> Pki:
        """The authority of the bench; made on first use.

        Raises:
            CsmsError: it cannot be made or loaded.
        """
        organisation = {} if self.organisation is None else {"organisation": self.organisation}
        return Pki(self.folder / "pki", hosts=self._hosts, **organisation)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names and addresses of this machine as stations know it, without the local ones."""
        return self._hosts

    def names_of(self, station: str) -> frozenset[str]:
        """What the CN of a station's certificate may be."""
        return frozenset({station, self._serials.get(station, station)})

    def tls(self, profile: int) -> ssl.SSLContext:
        """The TLS of a port that demands this profile, 2 or 3.

        Raises:
            CsmsError: a certificate cannot be used.
        """
        asked = "asked" if self._ask_certificate else "none"
        return server_context(
            [(self.pki.csms_chain, self.pki.csms_key), self.pki.rsa_server()] if self._own is None else [self._own],
            certificate_of_station="required" if profile == 3 else asked,
            trusted_pem=self.pki.root_pem + "".join(_read(file) for file in self._trusted),
        )


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise CsmsError(f"the root {file} cannot be read: {exc}. Give a PEM file.") from exc
