"""Identifiers in OCPP 1.6: who may charge (sections 4.1, 6.1, 6.2, 7.2), and the local list (5.15)."""

from __future__ import annotations

from typing import Any

from ..dialect import Payload
from ..fields import text
from ..local_lists import LocalLists
from ..service import Answers, Asked, Service
from ..settings import Desk
from ..tokens import Status, Token

__all__ = ["Authorisation16", "LocalLists16", "id_tag_info"]

KNOWN = frozenset({"Accepted", "Blocked", "ConcurrentTx", "Expired", "Invalid"})
"""AuthorizationStatus (section 7.2). Of any other word of the store the driver learns no more than Invalid."""

LONGEST_ID = 20
"""An idTag is a CiString20Type (section 7.28)."""


class Authorisation16(Service):
    """Authorize. ConcurrentTx is for StartTransaction alone (section 7.2)."""

    def answers(self) -> Answers:
        """See `Service.answers`."""
        return {"Authorize": self._authorize}

    def _authorize(self, payload: Payload, how: Asked) -> Payload:
        return {"idTagInfo": id_tag_info(self.desk, payload.get("idTag"))}


class LocalLists16(LocalLists):
    """See `LocalLists`."""

    version_field = "listVersion"
    information_field = "idTagInfo"

    def entry(self, token: Token) -> Payload | None:
        """AuthorizationData; None for an id that is too long."""
        if len(token.id) > LONGEST_ID:
            return None
        return {"idTag": token.id, "idTagInfo": _info(self.desk, token.status, token)}

    def key(self, entry: Payload) -> str:
        """The identifier, in small letters."""
        return text(entry.get("idTag")).casefold()


def id_tag_info(desk: Desk, id_tag: Any, *, busy: bool = False) -> Payload:
    """IdTagInfo of an identifier; `busy`: it runs another transaction and may run only one."""
    decision = desk.tokens.decide(text(id_tag))
    status: Status = "ConcurrentTx" if busy and decision.accepted else decision.status
    return _info(desk, status, decision.token)


def _info(desk: Desk, status: str, token: Token | None) -> Payload:
    info: Payload = {"status": status if status in KNOWN else "Invalid"}
    until = desk.tokens.cache_until(token)
    if until is not None:
        info["expiryDate"] = until
    if token is not None and token.group is not None:
        info["parentIdTag"] = token.group
    return info
