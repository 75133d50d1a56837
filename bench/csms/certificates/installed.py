"""Which certificates a station has, from its answers (M03-M05): lists, installations, deletions.

A list is asked for by type; what it says of a type replaces what was known of it. A certificate is named by the hashes
of its issuer and its serial number; which one that is shows when it was installed from here, or is one of the bench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..fields import Payload, member, objects, string, text
from ..service import Service
from .hashes import CertificateName, name_in
from .seen import Seen, certificates_in, tell

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["Installed", "InstalledCertificate"]


class InstalledCertificate(msgspec.Struct, frozen=True):
    """A certificate that the station says it has. `child`: it stands below another one of its chain."""

    kind: str
    name: CertificateName
    child: bool = False


class Installed(Service):
    """What one station has in store, as far as it was asked. Serves all versions."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self._held: dict[tuple[str, CertificateName], InstalledCertificate] = {}
        self._pems: dict[int, Seen] = {}

    def held(self, kind: str | None = None) -> list[InstalledCertificate]:
        """What it listed, of one type or all (types as the version writes them)."""
        return [one for one in self._held.values() if kind in (None, one.kind)]

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """The station installed, deleted or listed."""
        if action == "InstallCertificate":
            self._installed(payload, answer)
        elif action == "DeleteCertificate":
            self._deleted(payload, answer)
        elif action == "GetInstalledCertificateIds":
            self._listed(payload, answer)

    def _installed(self, payload: Payload, answer: Payload) -> None:
        found = certificates_in(text(payload.get("certificate")))
        seen = Seen.of(found[0]) if found else Seen()
        status = text(answer.get("status"))
        if found and status == "Accepted":
            self._pems[found[0].serial_number] = seen
        self._tell("installed", seen, string(payload.get("certificateType")), status, "InstallCertificate", answer)

    def _deleted(self, payload: Payload, answer: Payload) -> None:
        name, status = name_in(member(payload, "certificateHashData")), text(answer.get("status"))
        known = [one for one in self._held.values() if one.name == name]
        if status in ("Accepted", "NotFound"):
            for one in known:
                self._held.pop((one.kind, one.name))
        kind = known[0].kind if known else None
        self._tell("deleted", self._seen(name), kind, status, "DeleteCertificate", answer)

    def _listed(self, payload: Payload, answer: Payload) -> None:
        wanted: Any = payload.get("certificateType")
        # 1.6 asks for one type, 2.x for a list of them, none standing for all.
        types = [wanted] if isinstance(wanted, str) else wanted
        for key in [key for key in self._held if types is None or key[0] in types]:
            self._held.pop(key)
        found = list(_in_16(answer, text(wanted))) if isinstance(wanted, str) else list(_in_2x(answer))
        for one in found:
            self._held[one.kind, one.name] = one
        status = text(answer.get("status"))
        for one in found:
            self._tell("listed", self._seen(one.name), one.kind, status, "GetInstalledCertificateIds", answer)
        if not found:
            kind = ",".join(map(str, types)) if types else None
            self._tell("listed", Seen(), kind, status, "GetInstalledCertificateIds", answer)

    def _seen(self, name: CertificateName | None) -> Seen:
        """What is known of a certificate that is named by its hashes."""
        if name is None:
            return Seen()
        if name.serial in self._pems:
            return self._pems[name.serial]
        standing = None if self.desk.certificates is None else self.desk.certificates.book.standing(name)
        found = standing.certificate if standing is not None else None
        return Seen(serial=name.serial_text) if found is None else Seen.of(found)

    def _tell(self, verb: str, seen: Seen, kind: str | None, status: str, via: str, answer: Payload) -> None:
        why = string(member(answer, "statusInfo").get("reasonCode"))
        tell(
            self.desk.source,
            self.station,
            verb,
            seen,
            kind=kind,
            accepted=status == "Accepted",
            status=status,
            via=via,
            why=why,
        )


def _in_16(answer: Payload, kind: str) -> list[InstalledCertificate]:
    names = [name_in(entry) for entry in objects(answer.get("certificateHashData"))]
    return [InstalledCertificate(kind, name) for name in names if name is not None]


def _in_2x(answer: Payload) -> list[InstalledCertificate]:
    found: list[InstalledCertificate] = []
    for chain in objects(answer.get("certificateHashDataChain")):
        kind = text(chain.get("certificateType"))
        top = name_in(member(chain, "certificateHashData"))
        children = [name_in(entry) for entry in objects(chain.get("childCertificateHashData"))]
        found += [InstalledCertificate(kind, top)] if top is not None else []
        found += [InstalledCertificate(kind, name, child=True) for name in children if name is not None]
    return found
