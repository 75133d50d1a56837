"""The sessions that are known, by outlet, transaction and remote start; and how many of them are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ...timeline import Stamp
from .session import ChargingSession, Member

__all__ = ["FULL", "OPEN", "SUMMARIES", "SessionBook"]

OPEN = 256
"""Entities that may be open at once; beyond, the oldest that has no plugged outlet is closed."""
FULL = 16
"""Closed sessions that keep their facts; older ones keep the first fact of each phase."""
SUMMARIES = 1000
"""Closed sessions that are kept at all; older ones are forgotten and counted."""


class SessionBook:
    """All sessions of a run. `forgotten` counts those that were dropped."""

    def __init__(self, full: int = FULL, summaries: int = SUMMARIES) -> None:
        self.at: dict[int, ChargingSession] = {}
        self.last: dict[int, ChargingSession] = {}
        self.closed: deque[ChargingSession] = deque()
        self.forgotten = 0
        self._full, self._summaries = full, max(summaries, full)
        self._whole: deque[ChargingSession] = deque()
        self._all: dict[int, ChargingSession] = {}
        self._open: dict[int, ChargingSession] = {}
        self._into: dict[int, ChargingSession] = {}
        self._by_tx: dict[str, ChargingSession] = {}
        self._by_remote: dict[str, ChargingSession] = {}
        self._where: dict[str, ChargingSession] = {}
        self._count = 0

    # ---- reading

    def all(self) -> list[ChargingSession]:
        """Every session that is kept, in order of opening."""
        return [self._all[number] for number in sorted(self._all)]

    def open_ones(self) -> list[ChargingSession]:
        """Those that are not closed, in order of opening."""
        return list(self._open.values())

    def whole(self) -> Iterator[ChargingSession]:
        """Closed ones that keep their facts, oldest first."""
        return iter(self._whole)

    def root(self, session: ChargingSession) -> ChargingSession:
        """The entity that a session became part of, or itself."""
        while session.number in self._into:
            session = self._into[session.number]
        return session

    def of_tx(self, tx: str | None) -> ChargingSession | None:
        return self._rooted(self._by_tx.get(tx)) if tx is not None else None

    def of_remote(self, remote: str | None) -> ChargingSession | None:
        return self._rooted(self._by_remote.get(remote)) if remote is not None else None

    def holding(self, token: str) -> list[ChargingSession]:
        """Open sessions that the token is bound to."""
        return [session for session in self._open.values() if token in session.tokens]

    def waiting(self) -> list[ChargingSession]:
        """Open plugged sessions of which nothing says yet who charges."""
        return [session for session in self._open.values() if session.waiting]

    def of(self, event_id: str) -> ChargingSession | None:
        """The session of an event."""
        found = self._where.get(event_id)
        if found is not None:
            return self.root(found)
        source, _, seq = event_id.rpartition("#")
        if not seq.isdigit():
            return None
        return next((item for item in self._all.values() if item.holds_sample(source, int(seq))), None)

    def _rooted(self, session: ChargingSession | None) -> ChargingSession | None:
        return None if session is None else self.root(session)

    # ---- writing

    def open(self, opened: Stamp, evse: int | None) -> ChargingSession:
        """A new entity; it is not put at its outlet yet."""
        while len(self._open) >= OPEN:
            stale = next((item for item in self._open.values() if item.plugged is None), None)
            if stale is None:
                break
            self.close(stale, opened)
        self._count += 1
        session = ChargingSession(self._count, opened, evse)
        self._all[session.number] = session
        self._open[session.number] = session
        return session

    def close(self, session: ChargingSession, closed: Stamp) -> None:
        """The session is over: keep it whole for a while, then its summary, then nothing."""
        if session.closed is not None:
            return
        session.closed = closed
        self._open.pop(session.number, None)
        if session.evse is not None and self.at.get(session.evse) is session:
            del self.at[session.evse]
            self.last[session.evse] = session
        self.closed.append(session)
        self._whole.append(session)
        while len(self._whole) > self._full:
            for name in self._whole.popleft().summarise():
                self._where.pop(name, None)
        while len(self.closed) > self._summaries:
            self._forget(self.closed.popleft())

    def put(self, session: ChargingSession, member: Member) -> None:
        """List a fact in a session."""
        if session.add(member):
            self._where[member.id] = session

    def take_out(self, session: ChargingSession, event_id: str) -> None:
        """A fact no longer belongs to a session."""
        session.remove(event_id)
        self._where.pop(event_id, None)

    def name_only(self, session: ChargingSession, event_id: str) -> None:
        """An event belongs to a session without being one of its facts."""
        self._where[event_id] = session

    def bind_tx(self, tx: str, session: ChargingSession) -> None:
        self._by_tx[tx] = session

    def bind_remote(self, remote: str, session: ChargingSession) -> None:
        self._by_remote[remote] = session

    def merge(self, one: ChargingSession, other: ChargingSession) -> ChargingSession:
        """Two open entities are one: the earlier takes over the later, and keeps its number."""
        kept, gone = sorted((one, other), key=lambda item: item.number)
        kept.absorb(gone)
        self._into[gone.number] = kept
        self._all.pop(gone.number, None)
        self._open.pop(gone.number, None)
        if kept.evse is not None:
            self.at[kept.evse] = kept
        return kept

    def _forget(self, session: ChargingSession) -> None:
        self.forgotten += 1
        self._all.pop(session.number, None)
        for item in session.members:
            self._where.pop(item.id, None)
        for name in session.interruptions:
            self._where.pop(name, None)
        for transaction in session.transactions:
            if transaction.tx is not None and self.of_tx(transaction.tx) is session:
                del self._by_tx[transaction.tx]
        for remote in session.remote_ids:
            if self.of_remote(remote) is session:
                del self._by_remote[remote]
        self._into = {number: kept for number, kept in self._into.items() if kept is not session}
        for evse in [evse for evse, item in self.last.items() if item is session]:
            del self.last[evse]
