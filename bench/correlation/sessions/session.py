"""One charging session: from plug-in to unplug, told on a physical and a protocol track.

Energy may flow before or after a transaction starts, and OCPP orders neither against the other, so the two
tracks run beside each other and are joined by keys and links, not put into one chain.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ...timeline import Event, Stamp
from .keys import Keys

__all__ = ["MEMBERS", "PHASES", "ChargingSession", "Member", "TrackName", "Transaction"]

TrackName = Literal["physical", "protocol"]

PHASES = ("plug-in", "authorise", "start", "energise", "meter", "stop", "unplug", "disturbance")
"""The steps that a fact of a session may belong to; `start` is the start of a transaction."""

MEMBERS = 5000
"""Facts that one session lists by their id; what comes beyond is counted only (samples are never listed)."""


class Member(msgspec.Struct, frozen=True, gc=False):
    """A fact of a session: its id, topic and phase, and whether only its time puts it there (`sure` is False)."""

    id: str
    topic: str
    phase: str
    track: TrackName
    order: tuple[int, int, int]
    sure: bool = True


class Transaction(msgspec.Struct):
    """One OCPP transaction of a session.

    - `tx`: its id as text; None while it is a placeholder: OCPP 1.6 gives the id in the answer only.
    - `started`, `ended`: ids of the events; None where it was not seen.
    - `offline`: the station says that (part of) it was recorded while it was offline.
    - `seqs`: the `seqNo` values seen (OCPP 2.x), as closed ranges.
    """

    tx: str | None = None
    started: str | None = None
    ended: str | None = None
    offline: bool = False
    seqs: list[tuple[int, int]] = msgspec.field(default_factory=list[tuple[int, int]])

    @property
    def running(self) -> bool:
        """It is not known to have ended."""
        return self.ended is None

    @property
    def missing(self) -> list[tuple[int, int]]:
        """Closed ranges of `seqNo` that are missing between those seen, and before the first (they begin at 0)."""
        holes: list[tuple[int, int]] = []
        upto = -1
        for lo, hi in self.seqs:
            if lo > upto + 1:
                holes.append((upto + 1, lo - 1))
            upto = hi
        return holes

    def saw(self, seq_no: int) -> None:
        """Note a sequence number."""
        merged: list[tuple[int, int]] = []
        for lo, hi in sorted([*self.seqs, (seq_no, seq_no)]):
            if merged and lo <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], hi))
            else:
                merged.append((lo, hi))
        self.seqs = merged


class ChargingSession:
    """A charging session, or what is known of one. To be read; only the resolver writes.

    - `number`, `id`: `s1`, `s2`, … in order of opening. A number is missing where two entities turned out to be one.
    - `evse`: outlet from 1; None while it is not known.
    - `plugged`, `unplugged`: ids of the events that began and ended it; None where they were not seen.
    - `opened`, `closed`: stamps of the first fact (the plug-in, where it was seen) and of the last; `closed` is None
      while it is open.
    - `tokens`, `remote_ids`, `transactions`: the keys that were bound to it.
    - `doubts`: why it is ambiguous, if it is.
    - `interruptions`: ids of resets, boots and lost connections of the station meanwhile; they do not end it.
    - `milestones`: (track, phase) -> the first fact of that phase.
    - `unlisted`: facts that are no longer, or were never, listed.
    - `samples`: source -> first and last sequence number of its samples.
    """

    def __init__(self, number: int, opened: Stamp, evse: int | None) -> None:
        self.number = number
        self.evse = evse
        self.opened = opened
        self.closed: Stamp | None = None
        self.plugged: str | None = None
        self.unplugged: str | None = None
        self.saw_plug_in = False
        self.energised = False
        self.was_offline = False
        self.tokens: set[str] = set()
        self.remote_ids: set[str] = set()
        self.transactions: list[Transaction] = []
        self.doubts: dict[str, str] = {}
        self.interruptions: list[str] = []
        self.members: list[Member] = []
        self.unlisted = 0
        self.milestones: dict[tuple[TrackName, str], Member] = {}
        self.samples: dict[str, tuple[int, int]] = {}
        self.summarised = False
        self._phase: dict[TrackName, str] = {"physical": "plug-in", "protocol": "plug-in"}

    @property
    def id(self) -> str:
        return f"s{self.number}"

    @property
    def ambiguous(self) -> bool:
        """Some fact of it may belong to another session as well."""
        return bool(self.doubts)

    @property
    def why(self) -> str:
        """Why it is ambiguous; empty when it is not."""
        return "; ".join(dict.fromkeys(self.doubts.values()))

    @property
    def orphan(self) -> bool:
        """A transaction of which the beginning was not seen, at no plugged outlet."""
        return self.plugged is None and any(item.started is None for item in self.transactions)

    @property
    def tx(self) -> str | None:
        """The last known transaction id."""
        return next((item.tx for item in reversed(self.transactions) if item.tx is not None), None)

    @property
    def running(self) -> Transaction | None:
        """The transaction that has not ended, if there is one."""
        return next((item for item in reversed(self.transactions) if item.running), None)

    @property
    def waiting(self) -> bool:
        """Plugged, and nothing yet says who charges."""
        return self.plugged is not None and not self.closed and not (self.tokens or self.transactions or self.energised)

    @property
    def keys(self) -> dict[str, list[str]]:
        """The keys by kind: `evse`, `token`, `remote_start`, `tx` (`?` stands for a placeholder)."""
        return {
            "evse": [] if self.evse is None else [str(self.evse)],
            "token": sorted(self.tokens),
            "remote_start": sorted(self.remote_ids),
            "tx": [item.tx or "?" for item in self.transactions],
        }

    def track(self, name: TrackName) -> list[Member]:
        """The facts of one track, in canonical order."""
        return sorted((item for item in self.members if item.track == name), key=lambda item: item.order)

    @property
    def physical(self) -> list[Member]:
        return self.track("physical")

    @property
    def protocol(self) -> list[Member]:
        return self.track("protocol")

    def member(self, event_id: str) -> Member | None:
        """The entry of one fact, if it is listed."""
        return next((item for item in reversed(self.members) if item.id == event_id), None)

    def holds_sample(self, source: str, seq: int) -> bool:
        """True for a sample of its outlet that fell into it."""
        first, last = self.samples.get(source, (1, 0))
        return first <= seq <= last

    # ---- written by the resolver

    def add(self, member: Member) -> bool:
        """List a fact; a phase of "" means the one that its track is in. False when the list is full."""
        if member.phase == "":
            member = msgspec.structs.replace(member, phase=self._phase[member.track])
        elif member.phase != "disturbance":
            self._phase[member.track] = member.phase
        self._note(member)
        if len(self.members) >= MEMBERS or self.summarised:
            self.unlisted += 1
            return False
        self.members.append(member)
        return True

    def remove(self, event_id: str) -> None:
        """Take a fact out again: it turned out to belong elsewhere, or nobody can tell."""
        self.members = [item for item in self.members if item.id != event_id]
        self.milestones = {}
        for item in self.members:
            self._note(item)

    def note_transaction(self, keys: Keys, event: Event) -> bool:
        """Note what a message says of a transaction; True when it is news, or gives a placeholder its id."""
        item = next((item for item in reversed(self.transactions) if keys.tx and item.tx == keys.tx), None)
        running = self.running
        if item is None and running is not None:
            placeholder = running.tx is None
            item = running if placeholder or (keys.role == "end" and keys.tx is None) else None
        news = item is None
        if item is None:
            item = Transaction()
            self.transactions.append(item)
        if keys.tx is not None and item.tx is None:
            item.tx, news = keys.tx, True
        if keys.role == "start" and (item.started is None or event.topic == "ocpp.tx.started"):
            item.started = event.id
        if keys.role == "end" and (item.ended is None or event.topic == "ocpp.tx.ended"):
            item.ended = event.id
        item.offline |= keys.offline
        if keys.seq_no is not None:
            item.saw(keys.seq_no)
        return news

    def absorb(self, other: ChargingSession) -> None:
        """Take over everything of another entity that turned out to be this one."""
        if self.plugged is None and other.plugged is not None:
            self.plugged, self.opened, self.saw_plug_in = other.plugged, other.opened, other.saw_plug_in
        self.evse = self.evse if self.evse is not None else other.evse
        self.energised |= other.energised
        self.was_offline |= other.was_offline
        self.tokens |= other.tokens
        self.remote_ids |= other.remote_ids
        self.transactions += other.transactions
        self.doubts |= other.doubts
        self.interruptions += [name for name in other.interruptions if name not in self.interruptions]
        self.samples = {**other.samples, **self.samples}
        for item in other.members:
            self.add(item)

    def sample(self, event: Event) -> None:
        """Count a sample."""
        first, _ = self.samples.get(event.source, (event.seq, event.seq))
        self.samples[event.source] = (first, event.seq)

    def summarise(self) -> list[str]:
        """Forget the facts but for the first of each phase; returns the ids that were forgotten."""
        kept = {item.id for item in self.milestones.values()}
        gone = [item.id for item in self.members if item.id not in kept]
        self.unlisted += len(gone)
        self.members = [item for item in self.members if item.id in kept]
        self.summarised = True
        return gone

    def _note(self, member: Member) -> None:
        first = self.milestones.get((member.track, member.phase))
        if first is None or member.order < first.order:
            self.milestones[member.track, member.phase] = member
