"""Stations ask whether certificates are still good: GetCertificateStatus (M06), GetCertificateChainStatus (M07, 2.1).

Answered from the book of the desk. Other responders and lists on the network are not asked: the back end of a bench
speaks to its stations only, so the status of a foreign certificate is Failed.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from ..fields import Payload, member, objects, text
from ..service import Answers, Asked, Service
from .book import Standing
from .hashes import ALGORITHMS, CertificateName, name_in
from .seen import Seen, tell

__all__ = ["Checking", "Checking21"]

ONE = "GetCertificateStatus"
CHAIN = "GetCertificateChainStatus"
MOST = 4
"""Certificates in one GetCertificateChainStatus."""


class Checking(Service):
    """2.0.1: OCSP responses; and what an Authorize said of a contract certificate."""

    def answers(self) -> Answers:
        """GetCertificateStatus."""
        return {ONE: self._one}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Tell what was answered."""
        if action == ONE:
            status = text(reply.get("status"))
            name = name_in(member(payload, "ocspRequestData"))
            why = None if status == "Accepted" else text(member(reply, "statusInfo").get("additionalInfo")) or None
            self._tell(name, status, status == "Accepted", "ocsp", ONE, why)
        elif action == "Authorize" and "certificateStatus" in reply:
            status = text(reply["certificateStatus"])
            entries = objects(payload.get("iso15118CertificateHashData"))
            self._tell(name_in(entries[0]) if entries else None, status, status == "Accepted", "contract", action, None)
        return {}

    def _one(self, payload: Payload, how: Asked) -> Payload:
        data = member(payload, "ocspRequestData")
        name = name_in(data)
        if name is None:
            return _failed("the hashes or the serial number are not hexadecimal")
        desk = self.desk.certificates
        response = None if desk is None else desk.book.ocsp(name)
        if response is None:
            where = text(data.get("responderURL"))[:200]
            return _failed(f"the issuer is none of this bench, and {where or 'its responder'} is not asked")
        return {"status": "Accepted", "ocspResult": base64.b64encode(response).decode()}

    def _standing(self, name: CertificateName | None) -> Standing | None:
        desk = self.desk.certificates
        return None if desk is None or name is None else desk.book.standing(name)

    def _tell(
        self, name: CertificateName | None, status: str, accepted: bool, kind: str, via: str, why: str | None
    ) -> None:
        standing = self._standing(name)
        seen = Seen(serial=None if name is None else name.serial_text)
        if standing is not None and standing.certificate is not None:
            seen = Seen.of(standing.certificate)
        tell(
            self.desk.source,
            self.station,
            "checked",
            seen,
            kind=kind,
            accepted=accepted,
            status=status,
            via=via,
            why=why,
        )


class Checking21(Checking):
    """2.1: whole chains of vehicles too."""

    def answers(self) -> Answers:
        """And GetCertificateChainStatus."""
        return {**super().answers(), CHAIN: self._chain}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Tell what was answered, one event for each certificate."""
        if action == CHAIN:
            for entry in objects(reply.get("certificateStatus")):
                status, kind = text(entry.get("status")), text(entry.get("source")).lower()
                name = name_in(member(entry, "certificateHashData"))
                self._tell(name, status, status == "Good", kind, CHAIN, None)
        return super().settled(action, payload, reply)

    def _chain(self, payload: Payload, how: Asked) -> Payload:
        # OCSP and CRL alike (M07.FR.01, M07.FR.04): for our own issuers both say what the book says.
        wanted = objects(payload.get("certificateStatusRequests"))[:MOST]
        return {"certificateStatus": [self._entry(each) for each in wanted]}

    def _entry(self, wanted: Payload) -> Payload:
        named = member(wanted, "certificateHashData")
        standing = self._standing(name_in(named))
        until = datetime.now(UTC) if standing is None else standing.until
        return {
            "certificateHashData": _fitting(named),
            "source": "CRL" if wanted.get("source") == "CRL" else "OCSP",
            "status": "Failed" if standing is None else standing.state,
            "nextUpdate": until.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }


def _fitting(named: Payload) -> Payload:
    """The hashes as they came, cut to what the schema takes: the answer shall fit where the request did not."""
    algorithm = text(named.get("hashAlgorithm"))
    return {
        "hashAlgorithm": algorithm if algorithm in ALGORITHMS else "SHA256",
        "issuerNameHash": text(named.get("issuerNameHash"))[:128],
        "issuerKeyHash": text(named.get("issuerKeyHash"))[:128],
        "serialNumber": text(named.get("serialNumber"))[:40],
    }


def _failed(why: str) -> Payload:
    return {"status": "Failed", "statusInfo": {"reasonCode": "NotFound", "additionalInfo": why[:512]}}
