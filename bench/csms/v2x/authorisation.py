"""Authorisation in OCPP 2.0.1 and 2.1: Authorize with and without contract certificate, and the local list."""

from __future__ import annotations

from collections.abc import Callable

from ..certificates.contracts import agreed
from ..dialect import Payload
from ..fields import member, text
from ..local_lists import LocalLists
from ..service import Answers, Asked, Service
from ..settings import Desk
from ..tokens import Token
from .id_token_info import decide, id_token_info, info_of

__all__ = ["Authorisation2x", "ContractCheck", "LocalLists2x"]

ContractCheck = Callable[[Payload], str | None]
"""Status of the contract certificate of an Authorize request (AuthorizeCertificateStatusEnumType); None: none came."""

CONTRACT_FIELDS = ("certificate", "iso15118CertificateHashData")

LIST_TYPE = "ISO14443"
"""Type of a token in a local list that the store lists without one: a list cannot leave it open."""


class Authorisation2x(Service):
    """Authorize. `contracts`: what checks contract certificates; without it none can be verified (C07.FR.17)."""

    def __init__(self, station: str, desk: Desk, contracts: ContractCheck | None = None) -> None:
        super().__init__(station, desk)
        self._contracts = contracts

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"Authorize": self._authorize}

    def _authorize(self, payload: Payload, how: Asked) -> Payload:
        store = self.desk.tokens
        decision = decide(store, member(payload, "idToken"))
        certificate = self._certificate(payload)
        if certificate is None:
            return {"idTokenInfo": id_token_info(store, decision)}
        certificate, status = agreed(certificate, decision.status)
        return {"idTokenInfo": {**id_token_info(store, decision), "status": status}, "certificateStatus": certificate}

    def _certificate(self, payload: Payload) -> str | None:
        if not any(field in payload for field in CONTRACT_FIELDS):
            return None
        return "CertChainError" if self._contracts is None else self._contracts(payload)


class LocalLists2x(LocalLists):
    """See `LocalLists`."""

    version_field = "versionNumber"
    information_field = "idTokenInfo"

    def entry(self, token: Token) -> Payload | None:
        """AuthorizationData; None for a key code, which no list and no log may show (C04.FR.04)."""
        if token.type == "KeyCode":
            return None
        name = {"idToken": token.id, "type": token.type or LIST_TYPE}
        return {"idToken": name, "idTokenInfo": info_of(self.desk.tokens, token.status, token)}

    def key(self, entry: Payload) -> str:
        """Type and identifier, in small letters."""
        token = member(entry, "idToken")
        return f"{text(token.get('type'))}:{text(token.get('idToken'))}".casefold()
