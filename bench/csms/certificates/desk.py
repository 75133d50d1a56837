"""The certificate desk of a back end: what all its stations share, and what a test can say about certificates."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ....errors import CsmsError
from ...timeline import Source
from ..fields import Payload
from ..misbehave.deeds import Deeds
from ..security.pki import Pki
from ..security.requests import read_request
from .book import Book
from .contracts import contract_status
from .hashes import CertificateName, own_name
from .offers import Offers
from .renewals import Renewal, Renewals
from .seen import certificates_in
from .wishes import Wish, altered

__all__ = ["LONGEST_DELAY_S", "V2G_TYPES", "CertificateDesk"]

V2G_TYPES = frozenset({"V2GCertificate", "V2G20Certificate"})
"""Certificates towards vehicles, signed below the V2G root; every other one is signed by the root of the CSMS."""

ANSWER = "CertificateSigned"
ANY = ""
LONGEST_DELAY_S = 3600.0


class CertificateDesk:
    """Signs requests of stations, answers for certificates, and does both wrong when it is asked to.

    To be used on the loop of the bench. `book`: who may issue, what was issued and revoked. `renewals`: requests under
    way. `offers`: contract certificates for vehicles.
    """

    def __init__(self, pki: Pki, source: Source) -> None:
        self.pki = pki
        self.renewals = Renewals()
        self.offers = Offers()
        anchors = [*certificates_in(pki.mo_root_pem), *certificates_in(pki.v2g_root_pem)]
        self.book = Book(pki.authorities, anchors)
        self._source = source
        self._wishes: dict[str, list[Wish]] = {}
        self._deeds: dict[str, Deeds] = {}

    # for tests

    def hold(self, station: str | None = None) -> None:
        """Keep back every certificate that a station (None: any) asks for from now on, until `release`."""
        self.renewals.hold(station)

    def release(self, station: str | None = None, *which: int | str) -> None:
        """Let certificates go, in the order given.

        `which`: request ids (2.1), or keys as in `Renewal.key`; without any all go in the order of their requests, and
        nothing is held back any more.

        Raises:
            CsmsError: no request that is held has this id or key; says which are.
        """
        held = self.held(station)
        if not which:
            self.renewals.unhold(station)
            for one in held:
                one.release()
        for wanted in which:
            # Type and value: request id 1 is no key "1".
            found = [one for one in held if one.held and wanted in (one.request_id, one.key)]
            if not found:
                there = ", ".join(str(one.key if one.request_id is None else one.request_id) for one in held)
                raise CsmsError(f"no certificate is held back for {wanted!r}; held are: {there or 'none'}.")
            found[0].release()

    def held(self, station: str | None = None) -> list[Renewal]:
        """Requests that wait to be released, oldest first."""
        return [one for one in self.renewals.open(station) if one.held]

    def sign_next(
        self,
        station: str | None = None,
        *,
        expired: bool = False,
        not_yet_valid: bool = False,
        wrong_key: bool = False,
        wrong_name: bool = False,
        wrong_root: bool = False,
        never: bool = False,
        delay_s: float = 0.0,
    ) -> None:
        """Say how the next request that is accepted (of a station, or of any) is treated; see `wishes.Wish`.

        Said several times it holds for as many requests, in order.

        Raises:
            CsmsError: a delay below zero, or more than an hour.
        """
        if not 0 <= delay_s <= LONGEST_DELAY_S:
            raise CsmsError(
                f"a certificate cannot be delayed by {delay_s:g} s; from 0 to {LONGEST_DELAY_S:g} s it can."
            )
        wish = Wish(
            expired=expired,
            not_yet_valid=not_yet_valid,
            wrong_key=wrong_key,
            wrong_name=wrong_name,
            wrong_root=wrong_root,
            never=never,
            delay_s=delay_s,
        )
        self._wishes.setdefault(station or ANY, []).append(wish)

    def revoke(self, certificate: str) -> None:
        """Revoke a certificate, given as PEM or by its serial number in hexadecimal digits.

        Raises:
            CsmsError: it is neither.
        """
        self.book.revoke(_serial(certificate))

    def pardon(self, certificate: str) -> None:
        """Take a revocation back; see `revoke`."""
        self.book.pardon(_serial(certificate))

    def trust(self, pem: str) -> None:
        """Accept contracts below the certificates of a PEM text, e.g. those of another operator's test authority.

        Raises:
            CsmsError: there is no certificate in it.
        """
        found = certificates_in(pem)
        if not found:
            raise CsmsError("there is no certificate in PEM to trust; give the text of a .pem file, or several joined.")
        for certificate in found:
            self.book.trust(certificate)

    def provide(self, responses: Sequence[str | bytes], station: str | None = None) -> None:
        """Answer requests of vehicles for contract certificates by these EXI streams; see `offers.Offers.set`."""
        self.offers.set(responses, station)

    # for the services

    def contract_status(self, payload: Payload) -> str | None:
        """Status of the contract certificate of an Authorize request (C07), None when it brings none.

        It changes nothing and tells nothing; `contracts.agreed` binds it to the status of the token.
        """
        return contract_status(self.book, payload)

    def check(
        self, csr: str, *, kind: str | None, station: str, names: Sequence[str], root: CertificateName | None
    ) -> None:
        """Check a request before it is accepted.

        `names`: what the CN may be besides the station's id. `root`: the authority that the station wants (2.1).

        Raises:
            CsmsError: says what is wrong.
        """
        if kind in V2G_TYPES:
            read_request(csr)
        else:
            read_request(csr, names={station, *names})
        if root is not None:
            ours = certificates_in(self.pki.v2g_root_pem if kind in V2G_TYPES else self.pki.root_pem)[0]
            if own_name(ours, root.algorithm) != root:
                raise CsmsError(
                    f"hashRootCertificate names an authority with serial number {root.serial_text}; the one here is "
                    f"{ours.serial_number:x}. Install it (InstallCertificate) and ask again."
                )

    def wish(self, station: str) -> Wish:
        """How the next request of a station shall be treated; it then counts as used."""
        for key in (station, ANY):
            if self._wishes.get(key):
                return self._wishes[key].pop(0)
        return Wish()

    def sign(self, renewal: Renewal, names: Sequence[str]) -> str:
        """The chain (PEM) for a request, wrong where the test asked for that.

        Raises:
            CsmsError: the request cannot be signed.
        """
        if renewal.kind in V2G_TYPES:
            chain = self.pki.sign_v2g(renewal.csr)
        else:
            chain = self.pki.sign_station(renewal.csr, station=renewal.station, names=names)
        found = certificates_in(chain)
        if renewal.wish.wrong is not None:
            found[0] = self._spoiled(found[0], renewal)
            chain = "".join(each.public_bytes(Encoding.PEM).decode() for each in found)
        self.book.keep(found[0])
        return chain

    def treated(self, renewal: Renewal) -> None:
        """Tell the timeline what is done wrong with a request that was just accepted."""
        wish, deeds = renewal.wish, self._deeds_of(renewal.station)
        if wish.never:
            deeds.tell(
                "silence", "the request is accepted, and no certificate follows", action=ANSWER, only_action=True
            )
        elif renewal.held:
            renewal.deed = deeds.tell("delay", "the certificate is held back", action=ANSWER, lasts_s=LONGEST_DELAY_S)
        elif wish.delay_s > 0:
            detail = f"the certificate follows after {wish.delay_s:g} s"
            renewal.deed = deeds.tell("delay", detail, action=ANSWER, lasts_s=wish.delay_s)

    def moved(self, renewal: Renewal) -> None:
        """Its turn has come: nothing is held back any more."""
        if renewal.deed is not None:
            self._deeds_of(renewal.station).over(renewal.deed, "the certificate is held back no more")

    def delivered(self, renewal: Renewal, began_ns: int) -> None:
        """The station answered a certificate that began to be sent at `began_ns`; a good one ends what was wrong."""
        if renewal.wish.wrong is None:
            self._deeds_of(renewal.station).exchanged(ANSWER, began_ns)

    def _spoiled(self, good: x509.Certificate, renewal: Renewal) -> x509.Certificate:
        issuer = next(one for one in self.pki.authorities if one.certificate.subject == good.issuer)
        detail = f"a certificate {renewal.wish.wrong}"
        self._deeds_of(renewal.station).tell("reply", detail, action=ANSWER, only_action=True)
        return altered(good, issuer, renewal.wish)

    def _deeds_of(self, station: str) -> Deeds:
        return self._deeds.setdefault(station, Deeds(station, self._source))


def _serial(certificate: str) -> int:
    found = certificates_in(certificate)
    if found:
        return found[0].serial_number
    try:
        return int(certificate.strip(), 16)
    except ValueError as exc:
        raise CsmsError(
            f"{certificate[:40]!r} is neither a certificate in PEM nor a serial number in hexadecimal digits."
        ) from exc
