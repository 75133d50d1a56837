"""Puts messages into sessions, binds what they bring, and looks again when that may place others."""

from __future__ import annotations

from collections import deque

from ...timeline import Event
from .book import SessionBook
from .bundle import Bundle
from .keys import Keys
from .places import NEW, Places
from .session import ChargingSession, Member

__all__ = ["WEAK", "SessionBinder"]

WEAK = 256
"""Messages that may wait for their session; the oldest is given up for the next."""


class SessionBinder:
    """Writes the book of sessions as `Places` chooses."""

    def __init__(self, book: SessionBook, places: Places) -> None:
        self._book = book
        self._places = places
        self._weak: deque[Bundle] = deque()
        self._doubted: list[ChargingSession] = []

    def why_none(self, event_id: str) -> str:
        """Why an authorisation is in no session yet; "" for anything else."""
        for bundle in self._weak:
            if bundle.session is None and any(item.id == event_id for item in bundle.members):
                return f"AMBIGUOUS: {bundle.why}" if bundle.doubted else bundle.why
        return ""

    def place(self, bundle: Bundle, event: Event) -> None:
        """Put a message where its keys say, and bind the keys that it brings."""
        if bundle.session is None or (bundle.weak and not bundle.sure):
            self._choose(bundle, event)
        session = bundle.session
        if session is None:
            if bundle.weak and bundle not in self._weak:
                self._wait(bundle)
            if bundle.doubted:
                self.revise(event.stamp.order_ns)
            return
        session = bundle.session = self._book.root(session)
        self._flush(bundle)
        if bundle.weak and not bundle.settled and bundle not in self._weak and bundle.keys.evse is None:
            self._wait(bundle)
        if self._learn(bundle, session, event):
            self.revise(event.stamp.order_ns)
        if bundle.keys.role == "start":
            self._settle(self._book.root(session))

    def _choose(self, bundle: Bundle, event: Event) -> None:
        session, sure, why, doubted = self._places.choose(bundle, event.stamp.order_ns)
        if session is None and why == NEW:
            session = self._entity(bundle, event, doubted)
        self._move(bundle, session, sure=sure, why=why, doubted=doubted)

    def _entity(self, bundle: Bundle, event: Event, doubted: list[ChargingSession]) -> ChargingSession:
        """A transaction that belongs to no session that is known becomes an entity of its own."""
        keys = bundle.keys
        unwatched = keys.role == "update" and keys.evse not in self._places.pilots
        session = self.open(event, keys.evse, at=not doubted and (keys.role == "start" or unwatched))
        if doubted:
            names = ", ".join(item.id for item in doubted)
            text = f"transaction {keys.tx or '?'} at outlet {keys.evse} fits {names}"
            for item in (session, *doubted):
                item.doubts[f"start {bundle.members[0].id}"] = text
        return session

    def _move(
        self, bundle: Bundle, session: ChargingSession | None, *, sure: bool, why: str, doubted: list[ChargingSession]
    ) -> None:
        old = bundle.session
        if old is not session or bundle.sure != sure:
            for member in bundle.members[: bundle.put]:
                if old is not None:
                    self._book.take_out(self._book.root(old), member.id)
            bundle.put = 0
        bundle.session, bundle.sure, bundle.why, bundle.doubted = session, sure, why, doubted
        self._flush(bundle)

    def _flush(self, bundle: Bundle) -> None:
        session = bundle.session
        if session is None:
            return
        for member in bundle.members[bundle.put :]:
            self._book.put(session, member if bundle.sure else _unsure(member))
        bundle.put = len(bundle.members)

    def _wait(self, bundle: Bundle) -> None:
        self._weak.append(bundle)
        if len(self._weak) > WEAK:
            given_up = self._weak.popleft()
            for session in given_up.doubted:
                session.doubts[f"gave up {given_up.members[0].id}"] = given_up.why

    def revise(self, now_ns: int) -> None:
        """Look again at every message that only a token, or nothing yet, has placed, until nothing changes."""
        again = True
        while again:
            again = False
            for session in self._doubted:
                session.doubts = {key: text for key, text in session.doubts.items() if not key.startswith("waits ")}
            self._doubted.clear()
            for bundle in list(self._weak):
                if not bundle.settled:
                    session, sure, why, doubted = self._places.choose(bundle, now_ns)
                    self._move(bundle, session, sure=sure, why=why, doubted=doubted)
                    again |= session is not None and sure and self._bind(bundle.keys, session)
                for item in bundle.doubted:
                    item.doubts[f"waits {bundle.members[0].id}"] = bundle.why
                    self._doubted.append(item)

    def _settle(self, session: ChargingSession) -> None:
        """A transaction has begun: what its token brought is its own, unless another outlet could claim it."""
        for bundle in self._weak:
            token = bundle.keys.token
            if bundle.session is not session or not bundle.sure or token is None:
                continue
            rivals = [item for item in (*self._book.holding(token), *self._book.waiting()) if item is not session]
            bundle.settled = bundle.settled or not rivals

    # ---- learning

    def _learn(self, bundle: Bundle, session: ChargingSession, event: Event) -> bool:
        """Bind what a message says to its session; True when that may place other messages."""
        keys = bundle.keys
        if bundle.sure and keys.evse is not None:
            if session.evse is None:
                session = bundle.session = self._at_outlet(session, keys.evse)
            elif session.evse != keys.evse:
                text = f"{event.id} names outlet {keys.evse}, and its transaction is at outlet {session.evse}"
                session.doubts[f"outlet {keys.evse}"] = text
        news = False
        if keys.role in ("start", "update", "end") and (keys.tx is not None or keys.role != "update"):
            news = session.note_transaction(keys, event)
            if keys.tx is not None:
                self._book.bind_tx(keys.tx, session)
            if keys.role == "end" and session.plugged is None:
                self.close(session, event)
        if not bundle.sure:
            return news
        return self._bind(keys, session) or news

    def _bind(self, keys: Keys, session: ChargingSession) -> bool:
        """Bind token and remote start to a session; True when one of them is new to it."""
        news = False
        if keys.remote is not None and keys.remote not in session.remote_ids and keys.granted:
            other = self._book.of_remote(keys.remote)
            if other is not None and other is not session:
                text = f"remote start {keys.remote} was bound to outlet {other.evse}, and came at outlet {session.evse}"
                session.doubts[f"remote {keys.remote}"] = other.doubts[f"remote {keys.remote}"] = text
            session.remote_ids.add(keys.remote)
            self._book.bind_remote(keys.remote, session)
            news = True
        token = keys.token
        who = keys.role in ("start", "authorise") or (keys.role == "remote_start" and keys.granted)
        if token is not None and token not in session.tokens and who:
            for other in self._book.holding(token):
                if other is session:
                    continue
                text = f"token {token} is in use at outlets {other.evse} and {session.evse} at once"
                session.doubts[f"token {token}"] = other.doubts[f"token {token}"] = text
            session.tokens.add(token)
            news = True
        return news

    def _at_outlet(self, session: ChargingSession, evse: int) -> ChargingSession:
        """An entity learns its outlet: if something is plugged there that has no other transaction, they are one."""
        other = self._book.at.get(evse)
        if session.closed is not None or other is session:
            session.evse = evse
            return session
        if other is None:
            session.evse = evse
            self._book.at[evse] = session
            return session
        if other.running is None and (not other.tokens or other.tokens & session.tokens or not session.tokens):
            return self._book.merge(session, other)
        session.evse = evse
        return session

    # ---- opening, closing

    def open(self, event: Event, evse: int | None, *, at: bool = True) -> ChargingSession:
        """A new entity; `at`: it is what is going on at its outlet now."""
        session = self._book.open(event.stamp, evse)
        session.was_offline = not self._places.online and not event.topic.startswith(("ocpp.", "csms."))
        if at and evse is not None and evse not in self._book.at:
            self._book.at[evse] = session
        return session

    def close(self, session: ChargingSession, event: Event) -> None:
        """A session ends: what is in doubt now stays so."""
        self.revise(event.stamp.order_ns)
        for bundle in self._weak:
            if bundle.session is session or session in bundle.doubted:
                bundle.settled = True
        self._book.close(session, event.stamp)


def _unsure(member: Member) -> Member:
    return Member(member.id, member.topic, member.phase, member.track, member.order, sure=False)
