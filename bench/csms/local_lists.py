"""Local lists of identifiers: what a station holds as far as is known, and what to send to bring it up to date.

A Full update replaces the list; a Differential one adds, changes, and removes what comes without information (1.6
section 5.15, 2.x D01). Versions only grow: a differential update with a version that is not higher is refused (2.x
D01.FR.19, 1.6 section 7.43 VersionMismatch), and 0 says that there is no list (1.6 section 5.10, 2.x D01.FR.18).
"""

from __future__ import annotations

import abc
from typing import Literal

import msgspec

from .dialect import Payload
from .fields import integer, objects
from .service import Service
from .settings import Desk
from .state import KeptList
from .tokens import Token

__all__ = ["ListUpdate", "LocalLists", "Update"]

Update = Literal["Full", "Differential"]


class ListUpdate(msgspec.Struct, frozen=True):
    """What to send: the kind of update, the version the list has afterwards, and the entries in the version's words."""

    update: Update
    version: int
    entries: list[Payload]


class LocalLists(Service, abc.ABC):
    """The local list of one station. It outlives the back end: see `CsmsState.local_list`.

    A version of OCPP says how an entry is written: `entry`, `key`, `version_field`, `information_field`.
    """

    version_field: str
    information_field: str

    def __init__(self, station: str, desk: Desk) -> None:
        super().__init__(station, desk)
        self.known = True

    @property
    def version(self) -> int:
        """Version of the station's list as far as is known; 0: none."""
        return self.desk.state.local_list(self.station).version

    @property
    def entries(self) -> list[Payload]:
        """Entries that the station holds, as they were sent. With `known` False somebody else has changed the list."""
        return list(self.desk.state.local_list(self.station).entries.values())

    @abc.abstractmethod
    def entry(self, token: Token) -> Payload | None:
        """A token as an entry of the list; None when the version cannot say it."""
        ...

    @abc.abstractmethod
    def key(self, entry: Payload) -> str:
        """What tells the entries of a list apart."""
        ...

    def plan(self, update: Update = "Full") -> ListUpdate:
        """What brings the station's list to what the store of tokens says now.

        A Differential update becomes a Full one when it is not known what the station holds (D01.FR.03).
        """
        kept = self.desk.state.local_list(self.station)
        made = [self.entry(token) for token in self.desk.tokens.tokens if token.local]
        wanted = {self.key(entry): entry for entry in made if entry is not None}
        if update == "Full" or not self.known or kept.version < 1:
            return ListUpdate("Full", max(kept.version, 0) + 1, list(wanted.values()))
        changed = [entry for key, entry in wanted.items() if kept.entries.get(key) != entry]
        gone = [entry for key, entry in kept.entries.items() if key not in wanted]
        bare = [{name: value for name, value in entry.items() if name != self.information_field} for entry in gone]
        return ListUpdate("Differential", kept.version + 1, changed + bare)

    def answered(self, action: str, payload: Payload, answer: Payload) -> None:
        """Take what an accepted update says; and the version that the station names."""
        if action == "SendLocalList" and answer.get("status") == "Accepted":
            self._accepted(payload)
        elif action == "SendLocalList" and answer.get("status") in ("VersionMismatch", "Failed"):
            self.known = False
        elif action == "GetLocalListVersion":
            named = integer(answer.get(self.version_field))
            if named is not None and named != self.version:
                self.known = named < 1
                self.desk.state.keep_list(self.station, KeptList(named))

    def _accepted(self, payload: Payload) -> None:
        full = payload.get("updateType") == "Full"
        entries = {} if full else dict(self.desk.state.local_list(self.station).entries)
        for entry in objects(payload.get("localAuthorizationList")):
            if self.information_field in entry:
                entries[self.key(entry)] = entry
            else:
                entries.pop(self.key(entry), None)
        self.known = self.known or full
        self.desk.state.keep_list(self.station, KeptList(integer(payload.get(self.version_field)) or 0, entries))
