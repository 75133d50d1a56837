"""Who may charge at a station of OCPP 2.x (use cases C11, D01, D02, H01-H03)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ..dialect import Payload
from ..fields import integer
from ..verbs import Answer, Caller, ListEntry
from ..verbs.wire import given, list_entries
from .verbs_charging import token

__all__ = ["Access2x"]


class Access2x:
    """See `verbs.Access`."""

    _caller: Caller
    _ids: Iterator[int]

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
        """ReserveNow: one EVSE, or any that has the connector."""
        wanted = {
            "id": reservation,
            "expiryDateTime": expires,
            "idToken": token(id_token, token_type),
            "groupIdToken": None if group is None else token(group, token_type),
            "evseId": evse or None,
            "connectorType": connector_type,
        }
        return await self._caller.ask("ReserveNow", given(wanted))

    async def cancel_reservation(self, reservation: int) -> Answer:
        """CancelReservation."""
        return await self._caller.ask("CancelReservation", {"reservationId": reservation})

    async def send_local_list(
        self,
        entries: Sequence[ListEntry | dict[str, Any] | str],
        *,
        version: int,
        update: Literal["Full", "Differential"] = "Full",
    ) -> Answer:
        """SendLocalList; an entry without idTokenInfo is taken off (D01.FR.16-17), an empty full list empties it."""
        listed = [_entry(entry) for entry in list_entries(entries)]
        wanted = {"versionNumber": version, "updateType": update, "localAuthorizationList": listed or None}
        return await self._caller.ask("SendLocalList", given(wanted))

    async def local_list_version(self) -> int:
        """GetLocalListVersion."""
        return integer((await self._caller.ask("GetLocalListVersion", {})).payload.get("versionNumber")) or 0

    async def clear_cache(self) -> Answer:
        """ClearCache."""
        return await self._caller.ask("ClearCache", {})


def _entry(entry: ListEntry) -> Payload:
    listed: Payload = {"idToken": token(entry.token, entry.type)}
    if entry.status is not None:
        group = None if entry.group is None else token(entry.group, entry.type)
        info = {"status": entry.status, "cacheExpiryDateTime": entry.expiry, "groupIdToken": group}
        listed["idTokenInfo"] = given(info)
    return listed
