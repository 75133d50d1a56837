"""Stations ask for certificates (A02, A03): SignCertificate, and CertificateSigned that follows it.

What the versions have in common stands here; what differs is said by the hooks of the classes at the end. Only 2.1 lets
a request bear an id. Without one a station can tell the certificates it waits for by type and key only, so the back
end sends those of one type one after the other, in the order of the requests.
"""

from __future__ import annotations

import abc
import time
from typing import TYPE_CHECKING

import msgspec

from ....errors import BenchError, CsmsError
from ...timeline import Stamp
from ..fields import Payload, integer, member, string, text
from ..service import Answers, Asked, FollowUp, Service
from .desk import CertificateDesk
from .hashes import CertificateName, name_in
from .limits import StationLimits
from .renewals import Renewal
from .repeats import Repeat, judged
from .seen import Seen, certificates_in, request_in, tell

if TYPE_CHECKING:
    from ..settings import Desk
    from ..verbs import Caller

__all__ = ["Signing", "Signing16", "Signing21", "Signing201"]

ACTION = "SignCertificate"
KEEP_CAME = 16
NO_AUTHORITY = "this back end has no certificate authority"


class _Request(msgspec.Struct, frozen=True):
    """A request as it is understood; `key` None: it cannot be read."""

    kind: str | None
    request_id: int | None
    csr: str
    seen: Seen
    how: Asked


class Signing(Service, abc.ABC):
    """Signs for one station. `limits`: what it said of itself that bounds this."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.limits = StationLimits()
        self._came: dict[int, Asked] = {}

    # what differs between versions

    @abc.abstractmethod
    def kind_of(self, payload: Payload) -> str | None:
        """What the certificate is for, in the words of 2.x; None: for both uses."""
        ...

    def request_id_of(self, payload: Payload) -> int | None:
        """The id a request bears; None where the version has none."""
        return None

    def root_of(self, payload: Payload) -> CertificateName | None:
        """The authority that the station wants; None where it does not say."""
        return None

    @abc.abstractmethod
    def kinds(self) -> frozenset[str | None]:
        """Types the version has."""
        ...

    @abc.abstractmethod
    def refusal(self, why: str) -> Payload:
        """The answer to a request that is not accepted."""
        ...

    @abc.abstractmethod
    def offer(self, renewal: Renewal, chain: str) -> Payload:
        """The payload of CertificateSigned."""
        ...

    # the service

    def answers(self) -> Answers:
        """SignCertificate; A02.FR.11, A02.FR.12: accepted when it can be signed."""
        return {ACTION: self._answer}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Tell of the request, and of what is odd about its time."""
        if action == "NotifyReport":
            self.limits.reported(payload)
        if action != ACTION:
            return {}
        request, accepted = self._read(payload), reply.get("status") == "Accepted"
        repeat = self._judge(request) if accepted else Repeat()
        why = repeat.remark if accepted else self._unusable(request, payload)
        tell(
            self.desk.source,
            self.station,
            "requested",
            request.seen,
            kind=request.kind,
            accepted=accepted,
            status=text(reply.get("status")),
            via=ACTION,
            request_id=request.request_id,
            why=why,
            stamp=request.how.stamp,
        )
        if repeat.fault is not None:
            self._violation(*repeat.fault, stamp=request.how.stamp)
        return {}

    def follow(self, action: str, payload: Payload, reply: Payload) -> FollowUp | None:
        """An accepted request is signed, and its certificate sent."""
        desk = self.desk.certificates
        if action != ACTION or reply.get("status") != "Accepted" or desk is None:
            return None
        request = self._read(payload)
        renewal = Renewal(
            self.station,
            kind=request.kind,
            csr=request.csr,
            key=request.seen.key,
            request_id=request.request_id,
            stamp=request.how.stamp,
            attempt=self._judge(request).attempt,
            wish=desk.wish(self.station),
            after=desk.renewals.last(self.station, request.kind, request.request_id),
        )
        desk.renewals.add(renewal)
        desk.treated(renewal)

        async def work(caller: Caller) -> None:
            try:
                await renewal.turn()
                desk.moved(renewal)
                await self._issue(desk, renewal, caller)
            finally:
                renewal.finish()

        return work

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Learn what bounds the signing from any reading of settings."""
        self.limits.answered(action, payload, answer)

    def booted(self) -> None:
        """What was asked for before the restart is asked for anew."""
        if self.desk.certificates is not None:
            self.desk.certificates.renewals.booted(self.station)

    def _answer(self, payload: Payload, how: Asked) -> Payload:
        self._came[id(payload)] = how
        while len(self._came) > KEEP_CAME:
            self._came.pop(next(iter(self._came)))
        why = self._unusable(self._read(payload), payload)
        return {"status": "Accepted"} if why is None else self.refusal(why)

    def _read(self, payload: Payload) -> _Request:
        how = self._came.get(id(payload)) or Asked(False, True, Stamp.host(time.monotonic_ns()))
        csr = text(payload.get("csr"))
        request = request_in(csr)
        seen = Seen() if request is None else Seen.of(request)
        return _Request(self.kind_of(payload), self.request_id_of(payload), csr, seen, how)

    def _names(self) -> tuple[str, ...]:
        """What the CN may be besides the station's id: its serial number (A00.FR.511)."""
        serial = self.desk.state.identity(self.station).get("serial")
        return (serial,) if isinstance(serial, str) and serial else ()

    def _unusable(self, request: _Request, payload: Payload) -> str | None:
        desk = self.desk.certificates
        if desk is None:
            return NO_AUTHORITY
        if request.kind not in self.kinds():
            return f"there is no certificateType {request.kind} in this version"
        names = self._names()
        try:
            desk.check(request.csr, kind=request.kind, station=self.station, names=names, root=self.root_of(payload))
        except CsmsError as exc:
            return str(exc)
        return None

    def _judge(self, request: _Request) -> Repeat:
        desk = self.desk.certificates
        earlier = [] if desk is None else desk.renewals.unanswered(self.station, request.kind)
        how = request.how
        return judged(
            earlier, request.seen.key, request.request_id, asked=how.asked, stamp=how.stamp, limits=self.limits
        )

    async def _issue(self, desk: CertificateDesk, renewal: Renewal, caller: Caller) -> None:
        if renewal.wish.never:
            return
        try:
            chain = desk.sign(renewal, self._names())
        except CsmsError as exc:
            self._tell(renewal, "signed", Seen(key=renewal.key), accepted=False, status="Refused", why=str(exc))
            return
        seen = Seen.of(certificates_in(chain)[0])
        self._tell(renewal, "signed", seen, accepted=True, status="Signed", why=self._too_long(chain))
        desk.renewals.served(renewal)
        began_ns = time.monotonic_ns()
        try:
            answer = await caller.ask("CertificateSigned", self.offer(renewal, chain))
        except BenchError as exc:
            status = type(exc).__name__
            self._tell(renewal, "installed", seen, accepted=False, status=status, via="CertificateSigned", why=str(exc))
            return
        desk.delivered(renewal, began_ns)
        why = string(member(answer.payload, "statusInfo").get("reasonCode"))
        accepted, status = answer.accepted, answer.status
        self._tell(renewal, "installed", seen, accepted=accepted, status=status, via="CertificateSigned", why=why)

    def _too_long(self, chain: str) -> str | None:
        """What is to be said of a chain that the station did not want so long.

        It is sent all the same: A02.FR.16 says what the station then does, and a chain cannot be made shorter.
        """
        most = self.limits.chain_size
        if most is None or len(chain) <= most:
            return None
        why = f"the chain has {len(chain)} characters, the station takes {most}; it is sent nevertheless"
        self._violation("ChainTooLong", why, stamp=Stamp.host(time.monotonic_ns()), action="CertificateSigned")
        return why

    def _tell(
        self,
        renewal: Renewal,
        verb: str,
        seen: Seen,
        *,
        accepted: bool,
        status: str,
        why: str | None,
        via: str = ACTION,
    ) -> None:
        tell(
            self.desk.source,
            self.station,
            verb,
            seen,
            kind=renewal.kind,
            accepted=accepted,
            status=status,
            via=via,
            request_id=renewal.request_id,
            why=why,
        )

    def _violation(self, code: str, why: str, *, stamp: Stamp, action: str = ACTION) -> None:
        data = {"station": self.station, "layer": "sequencing", "code": code, "text": why, "action": action}
        self.desk.source.emit("ocpp.violation", stamp, {**data, "dir": "rx" if action == ACTION else "tx"})


class Signing16(Signing):
    """1.6 with the security whitepaper: one type, no id, no reasons."""

    def kind_of(self, payload: Payload) -> str | None:
        """There is one."""
        return "ChargingStationCertificate"

    def kinds(self) -> frozenset[str | None]:
        """Types the version has."""
        return frozenset({"ChargingStationCertificate"})

    def refusal(self, why: str) -> Payload:
        """SignCertificate.conf has no place for a reason; the event says it."""
        return {"status": "Rejected"}

    def offer(self, renewal: Renewal, chain: str) -> Payload:
        """The chain alone."""
        return {"certificateChain": chain}


class Signing201(Signing):
    """2.0.1: a type, no id."""

    def kind_of(self, payload: Payload) -> str | None:
        """As sent."""
        return string(payload.get("certificateType"))

    def kinds(self) -> frozenset[str | None]:
        """Types the version has."""
        return frozenset({None, "ChargingStationCertificate", "V2GCertificate"})

    def refusal(self, why: str) -> Payload:
        """With the reason (part 2 appendices, reason codes)."""
        return {"status": "Rejected", "statusInfo": {"reasonCode": "InvalidCSR", "additionalInfo": why[:512]}}

    def offer(self, renewal: Renewal, chain: str) -> Payload:
        """The type comes back where it was said (A02.FR.14)."""
        return {"certificateChain": chain} | ({} if renewal.kind is None else {"certificateType": renewal.kind})


class Signing21(Signing201):
    """2.1: a type, an id, and the authority that the station wants."""

    def request_id_of(self, payload: Payload) -> int | None:
        """The id, where there is one (A02.FR.24)."""
        return integer(payload.get("requestId"))

    def root_of(self, payload: Payload) -> CertificateName | None:
        """hashRootCertificate (A02.FR.27)."""
        return name_in(member(payload, "hashRootCertificate"))

    def kinds(self) -> frozenset[str | None]:
        """Types the version has."""
        return frozenset({None, "ChargingStationCertificate", "V2GCertificate", "V2G20Certificate"})

    def offer(self, renewal: Renewal, chain: str) -> Payload:
        """The id comes back where it was said (A02.FR.25)."""
        payload = super().offer(renewal, chain)
        return payload if renewal.request_id is None else {**payload, "requestId": renewal.request_id}
