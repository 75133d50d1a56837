"""Who may charge at a station of OCPP 1.6 (sections 5.1, 5.4, 5.10, 5.13, 5.15)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from ..dialect import Payload
from ..fields import integer
from ..verbs import Answer, Caller, ListEntry
from ..verbs.absent import refuse
from ..verbs.wire import given, list_entries

__all__ = ["Access16"]


class Access16:
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
        """ReserveNow; connector 0 for any."""
        if connector_type is not None:
            refuse("a reservation by connector type", "1.6", "name the outlet, or none for any")
        wanted = {
            "connectorId": evse or 0,
            "expiryDate": expires,
            "idTag": id_token,
            "parentIdTag": group,
            "reservationId": reservation,
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
        """SendLocalList; an entry without idTagInfo is taken off (section 7.1)."""
        listed = [_entry(entry) for entry in list_entries(entries)]
        wanted = {"listVersion": version, "updateType": update, "localAuthorizationList": listed}
        return await self._caller.ask("SendLocalList", wanted)

    async def local_list_version(self) -> int:
        """GetLocalListVersion."""
        answer = await self._caller.ask("GetLocalListVersion", {})
        return integer(answer.payload.get("listVersion")) or 0

    async def clear_cache(self) -> Answer:
        """ClearCache."""
        return await self._caller.ask("ClearCache", {})


def _entry(entry: ListEntry) -> Payload:
    if entry.status is None:
        return {"idTag": entry.token}
    info = given({"status": entry.status, "expiryDate": entry.expiry, "parentIdTag": entry.group})
    return {"idTag": entry.token, "idTagInfo": info}
