"""The passwords of the stations, and how one is changed without locking a station out.

Passwords of the bench file are held as they are (they stand there anyway); passwords set through OCPP are kept as
salted hashes only (A01.FR.08), in a private file: a copy of the state directory then opens no station.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from .records import Record, Records
from .secret import Hashed, Match, Plain, Secret

__all__ = ["Passwords", "Which"]

Which = Literal["current", "proposed", "previous"]
MOST_PROPOSED = 4


class Passwords:
    """Who may log in with what.

    - `given`: passwords by station id; `shared`: the one for every other station.

    A change goes `propose` (before the request is sent: from now both are valid), then `confirm` when the station
    accepted it, or `drop` when it refused; with no answer at all both stay valid until one is used. Accepted: the new
    one counts, the old one is `previous` until the new one was used (A01.FR.03 lets no old one in; whether that is
    enforced is for whoever asks `check`).
    """

    def __init__(self, records: Records, *, given: Mapping[str, str] | None = None, shared: str | None = None) -> None:
        self._records = records
        self._given = dict(given or {})
        self._shared = shared
        self._told: set[str] = {*self._given.values(), *([shared] if shared else [])}

    @property
    def secrets(self) -> frozenset[str]:
        """Every password that this process knows as text, for those who keep them out of what is recorded."""
        return frozenset(self._told)

    def knows(self, station: str) -> bool:
        """Whether there is any password for this station."""
        return self._current(station) is not None or bool(self._records.of(station).proposed)

    def is_changed(self, station: str) -> bool:
        """Whether the password was set through OCPP, and the one of the bench file does not hold."""
        return self._record(station).current is not None

    def check(self, station: str, given: bytes) -> tuple[Match, Which] | None:
        """How and which password of the station this is; None when it is none."""
        record = self._record(station)
        current = self._current(station)
        found: tuple[Match, Which] | None = None
        candidates: list[tuple[Secret | None, Which]] = [
            (record.previous, "previous"),
            *((each, "proposed") for each in record.proposed),
            (current, "current"),
        ]
        for secret, which in candidates:
            match = None if secret is None else secret.match(given)
            if match is not None:
                found = match, which
        return found

    def used(self, station: str, which: Which, given: bytes) -> None:
        """A station was let in with it: a new password that was used ends the one before."""
        record = self._record(station)
        if which == "proposed":
            taken = next(each for each in record.proposed if each.match(given) is not None)
            self._keep(station, current=taken, proposed=[], previous=None, given=self._given_hash(station, record))
        elif which == "current" and record.previous is not None:
            self._keep(station, previous=None)

    def propose(self, station: str, new: str) -> None:
        """A new password is about to be sent to the station."""
        self._told.add(new)
        record = self._record(station)
        self._keep(station, proposed=[*record.proposed, Hashed.of(new)][-MOST_PROPOSED:])

    def confirm(self, station: str) -> None:
        """The station accepted the password proposed last."""
        record = self._record(station)
        if not record.proposed:
            return
        current = self._current(station)
        previous = Hashed.of(current.password) if isinstance(current, Plain) else current
        given = self._given_hash(station, record)
        self._keep(station, current=record.proposed[-1], proposed=[], previous=previous, given=given)

    def drop(self, station: str) -> None:
        """The station refused the password proposed last."""
        self._keep(station, proposed=self._record(station).proposed[:-1])

    def forget(self, station: str) -> None:
        """Let the password of the bench file hold again, after a station was set back by hand."""
        self._keep(station, current=None, proposed=[], previous=None, given=None)

    def _of_bench_file(self, station: str) -> str | None:
        return self._given.get(station, self._shared)

    def _record(self, station: str) -> Record:
        """The record, without a password that is older than the bench file's."""
        record = self._records.of(station)
        given = self._of_bench_file(station)
        if record.current is None or given is None or (record.given is not None and record.given.is_password(given)):
            return record
        return msgspec.structs.replace(record, current=None, proposed=[], previous=None, given=None)

    def _current(self, station: str) -> Secret | None:
        current, given = self._record(station).current, self._of_bench_file(station)
        return current or (None if given is None else Plain(given))

    def _given_hash(self, station: str, record: Record) -> Hashed | None:
        given = self._of_bench_file(station)
        return record.given or (None if given is None else Hashed.of(given))

    def _keep(self, station: str, **changes: object) -> None:
        self._records.keep(station, msgspec.structs.replace(self._record(station), **changes))
