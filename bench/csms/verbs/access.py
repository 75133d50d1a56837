"""Who may charge, where and when: reservations, the local list, the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from .answer import Answer

__all__ = ["Access", "ListEntry"]


class ListEntry(msgspec.Struct, frozen=True):
    """One token of the local list.

    - `status`: the version's word, e.g. "Accepted", "Blocked", "Invalid"; None: the token is taken off the list
      (differential updates only).
    - `expiry`: ISO 8601 text. `group`: the parent idTag (1.6) or group token (2.x).
    - `type`: the token's type in 2.x; 1.6 has none.
    """

    token: str
    status: str | None = "Accepted"
    expiry: str | None = None
    group: str | None = None
    type: str = "ISO14443"


class Access(Protocol):
    """Every version."""

    async def reserve(
        self,
        reservation: int,
        id_token: str,
        *,
        expires: str,
        evse: int | None = None,
        group: str | None = None,
        token_type: str = "ISO14443",
        connector_type: str | None = None,
    ) -> Answer:
        """Keep an outlet for a token until `expires` (ISO 8601).

        Without `evse` any outlet (1.6: connector 0), in 2.x also any with a connector of `connector_type`. A
        `reservation` that exists is replaced.
        """
        ...

    async def cancel_reservation(self, reservation: int) -> Answer:
        """Give a reservation up."""
        ...

    async def send_local_list(
        self,
        entries: Sequence[ListEntry | dict[str, Any] | str],
        *,
        version: int,
        update: Literal["Full", "Differential"] = "Full",
    ) -> Answer:
        """Give the station its local authorisation list, or changes to it.

        An entry is a `ListEntry`, the same as a dict, or a text: an accepted token. `version` is above 0 and above the
        version the station has.
        """
        ...

    async def local_list_version(self) -> int:
        """Version of the local list: 0 when the list is empty, -1 (1.6) when the station keeps none."""
        ...

    async def clear_cache(self) -> Answer:
        """Empty the authorisation cache."""
        ...
