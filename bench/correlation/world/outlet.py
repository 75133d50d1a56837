"""Signals that several kinds of events make together: is a cable in, may the outlet be used, can it be reported.

OCPP 1.6 section 5.2 and 2.0.1 use case G03: a change of availability that was asked for may wait for the end of a
transaction, so it holds from the station's own report on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, cast

from ...timeline import Event
from ..facts import Facts
from .track import Track

__all__ = ["Outlets"]


class _Tracks(Protocol):
    def __call__(self, signal: str, evse: int) -> Track: ...


class _Setter(Protocol):
    def __call__(self, signal: str, evse: int, value: object, event: Event, *, why: str = "") -> None: ...


class Outlets:
    """Follows `plug`, `operative` and `tx.online` of all outlets, through `track` and `put`."""

    def __init__(self, facts: Facts, track: _Tracks, put: _Setter) -> None:
        self._facts = facts
        self._track = track
        self._put = put
        self._cable_out: dict[int, bool | None] = dict.fromkeys(facts.evses, True if facts.outlet == "cable" else None)
        self._operative = dict.fromkeys(facts.evses, "unasked")

    def coded(self, evses: Iterable[int], event: Event) -> None:
        """The proximity circuit of a socket was set (a cable is in) or opened (it is out)."""
        args = cast("dict[str, Any]", event.data.get("args") or {})
        for evse in evses:
            if self._facts.outlet == "socket":
                self._cable_out[evse] = args.get("ohm") is None
            self.plug(evse, event)

    def plug(self, evse: int, event: Event) -> None:
        """The control pilot or the cable changed. E and F say nothing of the cable."""
        state, cable_out = self._track("cp.state", evse).value, self._cable_out[evse]
        if state in ("B", "C", "D") or (state == "A" and cable_out is False):
            self._put("plug", evse, True, event)
        elif state == "A":
            self._put("plug", evse, False if cable_out else None, event, why="" if cable_out else "no cable was coded")

    def asking(self, event: Event) -> None:
        """The back end asks for a change of availability: until the answer nobody knows which one holds."""
        if event.data.get("dir") == "tx" and event.data.get("action") == "ChangeAvailability":
            for evse in self._facts.evses:
                if self._track("operative", evse).value is not None:
                    self._put("operative", evse, None, event, why="a change of availability is being asked for")

    def asked(self, evses: Iterable[int], event: Event) -> None:
        """The station answered a change of availability; one that it refused leaves all as it was."""
        for evse in evses:
            if event.data.get("accepted"):
                unavailable = self._track("status", evse).value == "unavailable"
                self._operative[evse] = "yes" if event.data.get("operative") else "no" if unavailable else "asked"
        self.operative(event)

    def operative(self, event: Event) -> None:
        """Say what was asked for so far: at a connection, and when an answer came."""
        for evse in self._facts.evses:
            self._put("operative", evse, self._operative[evse], event)

    def reported(self, evse: int, event: Event) -> None:
        """A status was reported: what was asked for is in force once the station says so."""
        if self._operative[evse] == "asked" and event.data.get("logical") == "unavailable":
            self._operative[evse] = "no"
            self._put("operative", evse, "no", event)

    def online(self, event: Event) -> None:
        """The connection, the boot or a transaction changed."""
        for evse in self._facts.evses:
            online, running = self._track("online", 0).value, self._track("tx", evse).value
            if online is True and running is True:
                self._put("tx.online", evse, True, event)
            elif False in (online, running) or self._track("tx.online", evse).value is not None:
                self._put("tx.online", evse, False, event)
