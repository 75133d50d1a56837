"""The identifiers a back end knows, and what it says of each.

A token is the same in every version: 1.6 knows its text, status, parent (`group`) and expiry; 2.x beside them its
type, the driver's languages, a priority and the outlets it may use. `None` instead of a list accepts every one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from ...errors import CsmsError
from ..timeline import did_you_mean
from .policy import TransactionLimit

__all__ = ["Decision", "Status", "Token", "TokenStore"]

Status = Literal[
    "Accepted",
    "Blocked",
    "ConcurrentTx",
    "Expired",
    "Invalid",
    "NoCredit",
    "NotAllowedTypeEVSE",
    "NotAtThisLocation",
    "NotAtThisTime",
    "Unknown",
]
"""AuthorizationStatusEnumType of 2.x. 1.6 has the first five; the others are Invalid there (`v16.authorisation`)."""


class Token(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One identifier.

    - `id`: compared without case (1.6 section 7.28 CiString; 2.x IdTokenType).
    - `type`: idToken.type of 2.x; None fits every type, and 1.6 has none.
    - `status`: what is answered while it has not expired.
    - `group`, `group_type`: parentIdTag, groupIdToken.
    - `expires`: RFC 3339 with an offset; afterwards the token is Expired, and no cache may keep it longer.
    - `cache`: False lets no cache keep it (2.1 C17.FR.01): its expiry is then told as the present time.
    - `concurrent`: whether it may run several transactions at once.
    - `languages`: at most two (2.x). `priority`: -9 to 9 (2.x). `evses`: outlets it may use; none: all (2.x).
    - `message`: shown to the driver (2.x). `limit`: of each of its transactions (2.1 E16, C17.FR.03).
    - `local`: whether a local list made from the store has it.

    Raises:
        ValueError: a field is out of its range.
    """

    id: str
    type: str | None = None
    status: Status = "Accepted"
    group: str | None = None
    group_type: str = "Central"
    expires: str | None = None
    cache: bool = True
    concurrent: bool = True
    languages: tuple[str, ...] = ()
    priority: int | None = None
    evses: tuple[int, ...] = ()
    message: str | None = None
    limit: TransactionLimit | None = None
    local: bool = True

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("a token needs an id")
        if self.expires is not None:
            _instant(self.expires)
        if len(self.languages) > 2:
            raise ValueError("a token has at most two languages")
        if self.priority is not None and not -9 <= self.priority <= 9:
            raise ValueError(f"priority {self.priority} is not in -9 to 9")
        if any(evse < 1 for evse in self.evses):
            raise ValueError("outlets count from 1")


class Decision(msgspec.Struct, frozen=True):
    """What the store says of an identifier: the token, if it is known, and its status now."""

    status: Status
    token: Token | None = None

    @property
    def accepted(self) -> bool:
        """Whether it may charge."""
        return self.status == "Accepted"


class TokenStore:
    """The tokens of one back end. They may change while stations are connected; the next question sees it.

    `tokens`: texts, tables with the fields of `Token`, or tokens; None accepts every identifier. `now`: the wall
    clock, that decides about expiry.

    Raises:
        CsmsError: a table has an unknown field or a value that does not fit; or two entries are the same token.
    """

    def __init__(
        self,
        tokens: Iterable[str | Mapping[str, Any] | Token] | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._open = tokens is None
        self._tokens: dict[tuple[str, str | None], Token] = {}
        for entry in tokens or ():
            token = _token(entry)
            if _key(token.id, token.type) in self._tokens:
                raise CsmsError(f"token {token.id!r} is listed twice; keep one of the entries.")
            self.put(token)

    @property
    def accepts_all(self) -> bool:
        """Whether identifiers that are not listed are accepted."""
        return self._open

    @property
    def tokens(self) -> tuple[Token, ...]:
        """All that are listed."""
        return tuple(self._tokens.values())

    def now(self) -> datetime:
        """The wall clock of the store."""
        return self._now()

    def put(self, token: Token | str) -> None:
        """Add a token, or replace the one with the same id and type."""
        whole = _token(token)
        self._tokens[_key(whole.id, whole.type)] = whole

    def change(self, id_token: str, *, type: str | None = None, **fields: Any) -> Token:  # noqa: A002
        """Give a token other values from now on, e.g. `status="Blocked"`; one that is not listed is listed first.

        Raises:
            CsmsError: a field is unknown or does not fit.
        """
        known = self.find(id_token, type) or Token(id=id_token, type=type)
        fresh = _token({**msgspec.to_builtins(known), **fields})
        if (fresh.id, fresh.type) != (known.id, known.type):
            self._tokens.pop(_key(known.id, known.type), None)
        self.put(fresh)
        return fresh

    def block(self, id_token: str, *, type: str | None = None) -> Token:  # noqa: A002
        """From now on this token is Blocked."""
        return self.change(id_token, type=type, status="Blocked")

    def remove(self, id_token: str, *, type: str | None = None) -> None:  # noqa: A002
        """Forget a token. While every identifier is accepted this blocks nobody.

        Raises:
            CsmsError: it is not listed.
        """
        known = self.find(id_token, type)
        if known is None:
            raise CsmsError(f"token {id_token!r} is not listed{did_you_mean(id_token, [t.id for t in self.tokens])}.")
        del self._tokens[_key(known.id, known.type)]

    def find(self, id_token: str, type: str | None = None) -> Token | None:  # noqa: A002
        """The token of this id: with this type, else one for every type; without a type the first of that id."""
        exact = self._tokens.get(_key(id_token, type)) or self._tokens.get(_key(id_token, None))
        if exact is not None or type is not None:
            return exact
        wanted = id_token.casefold()
        return next((token for key, token in self._tokens.items() if key[0] == wanted), None)

    def decide(self, id_token: str, type: str | None = None) -> Decision:  # noqa: A002
        """What to say of an identifier now.

        One that is not known is Accepted while every one is, else Unknown; a key code Invalid (C04.FR.01).
        """
        if type == "NoAuthorization":
            # C02.FR.02, C03: there is nothing to check.
            return Decision("Accepted")
        token = self.find(id_token, type)
        if token is None:
            if self._open:
                return Decision("Accepted")
            return Decision("Invalid" if type == "KeyCode" else "Unknown")
        if token.status == "Accepted" and token.expires is not None and _instant(token.expires) <= self._now():
            return Decision("Expired", token)
        return Decision(token.status, token)

    def cache_until(self, token: Token | None) -> str | None:
        """How long a station may keep the answer, as RFC 3339; None: as long as it is configured to."""
        if token is None:
            return None
        if not token.cache:
            return self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return token.expires


def _key(id_token: str, kind: str | None) -> tuple[str, str | None]:
    return id_token.casefold(), None if kind is None else kind.casefold()


def _instant(text: str) -> datetime:
    """A time with its offset.

    Raises:
        ValueError: it is none.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; write 2027-01-31T12:00:00Z")
    return instant


def _token(entry: str | Mapping[str, Any] | Token) -> Token:
    if isinstance(entry, Token):
        return entry
    try:
        return msgspec.convert({"id": entry} if isinstance(entry, str) else dict(entry), Token)
    except (msgspec.ValidationError, ValueError) as exc:
        unknown = next((name for name in entry if name not in Token.__struct_fields__), None)
        hint = "" if isinstance(entry, str) or unknown is None else did_you_mean(unknown, Token.__struct_fields__)
        raise CsmsError(f"token {entry!r} cannot be used: {exc}{hint}.") from exc
