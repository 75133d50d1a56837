"""Vehicles ask for contract certificates through the station: Get15118EVCertificate (M01, M02).

Answered by streams that were given to the desk (`CertificateDesk.provide`), Failed without any. A vehicle of
ISO 15118-20 may ask for several: the same request brings the next one, and `remainingContracts` says how many requests
more will bring one (the description of the field; M01.FR.04 and M01.FR.07 say in words that allow one more).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..fields import Payload, integer, member, text
from ..service import Answers, Asked, Service
from .seen import Seen, tell

if TYPE_CHECKING:
    from ..settings import Desk

__all__ = ["Vehicles", "Vehicles21"]

ACTION = "Get15118EVCertificate"


class Vehicles(Service):
    """2.0.1: one stream a request."""

    def answers(self) -> Answers:
        """Get15118EVCertificate."""
        return {ACTION: self._answer}

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Tell what was answered."""
        if action == ACTION:
            status = text(reply.get("status"))
            why = text(member(reply, "statusInfo").get("additionalInfo")) or None
            tell(
                self.desk.source,
                self.station,
                "provided",
                Seen(),
                kind="contract",
                accepted=status == "Accepted",
                status=status,
                via=ACTION,
                why=why,
            )
        return {}

    def _offers(self, payload: Payload) -> tuple[str, ...]:
        desk = self.desk.certificates
        return () if desk is None else desk.offers.of(self.station)

    def _answer(self, payload: Payload, how: Asked) -> Payload:
        offers = self._offers(payload)
        return (
            {"status": "Accepted", "exiResponse": offers[0]} if offers else _none("no contract certificate was given")
        )


class Vehicles21(Vehicles):
    """2.1: several streams, one after the other."""

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self._request: str | None = None
        self._given = 0

    def settled(self, action: str, payload: Payload, reply: Payload) -> Payload:
        """Count what was given for one request of a vehicle."""
        if action == ACTION and reply.get("status") == "Accepted":
            self._given = self._before(payload) + 1
            self._request = text(payload.get("exiRequest"))
        return super().settled(action, payload, reply)

    def _before(self, payload: Payload) -> int:
        """How many were given for this request already; without a number of chains (ISO 15118-2) each is the first."""
        again = "maximumContractCertificateChains" in payload and text(payload.get("exiRequest")) == self._request
        return self._given if again else 0

    def _answer(self, payload: Payload, how: Asked) -> Payload:
        most = integer(payload.get("maximumContractCertificateChains"))
        if most is None:
            return super()._answer(payload, how)
        offers, given = self._offers(payload)[: max(most, 0)], self._before(payload)
        if given >= len(offers):
            return {**_none("no further contract certificate was given"), "remainingContracts": 0}
        left = len(offers) - given - 1
        return {"status": "Accepted", "exiResponse": offers[given], "remainingContracts": left}


def _none(why: str) -> Payload:
    # The schemas want exiResponse in every answer.
    return {"status": "Failed", "exiResponse": "", "statusInfo": {"reasonCode": "NotFound", "additionalInfo": why}}
