"""What an answer says of an identifier in OCPP 2.0.1 and 2.1: IdTokenInfoType."""

from __future__ import annotations

from ..dialect import Payload
from ..fields import string
from ..tokens import Decision, Status, Token, TokenStore

__all__ = ["decide", "id_token_info", "info_of"]


def decide(store: TokenStore, id_token: Payload, *, evse: int | None = None, busy: bool = False) -> Decision:
    """What the store says of an IdTokenType.

    - `evse`: the outlet that is used, where it is known; a token of other outlets is NotAtThisLocation there.
    - `busy`: the token runs another transaction; ConcurrentTx when it may run only one.
    """
    decision = store.decide(string(id_token.get("idToken")) or "", string(id_token.get("type")))
    token = decision.token
    if not decision.accepted or token is None:
        return decision
    if busy and not token.concurrent:
        return Decision("ConcurrentTx", token)
    if evse is not None and token.evses and evse not in token.evses:
        return Decision("NotAtThisLocation", token)
    return decision


def id_token_info(store: TokenStore, decision: Decision) -> Payload:
    """A decision as IdTokenInfoType."""
    return info_of(store, decision.status, decision.token)


def info_of(store: TokenStore, status: Status, token: Token | None) -> Payload:
    """IdTokenInfoType of a status and a token, each field where the token has it.

    The group goes with every answer (C01.FR.06, C09.FR.09); outlets only where they are some of all (C01.FR.19, .20).
    """
    info: Payload = {"status": status}
    if token is None:
        return info
    until = store.cache_until(token)
    if until is not None:
        info["cacheExpiryDateTime"] = until
    if token.priority is not None:
        info["chargingPriority"] = token.priority
    for number, language in enumerate(token.languages, 1):
        info[f"language{number}"] = language
    if token.evses and status == "Accepted":
        info["evseId"] = list(token.evses)
    if token.group is not None:
        info["groupIdToken"] = {"idToken": token.group, "type": token.group_type}
    if token.message is not None:
        info["personalMessage"] = {"format": "UTF8", "content": token.message}
    return info
