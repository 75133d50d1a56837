"""Which session does an event belong to? A resolver that joins facts by their keys, and binds late.

outlet ~ (1.6 connectorId | 2.x evseId) ~ token ~ message id ~ remoteStartId ~ transaction id

Facts that share a strong key (a plugged outlet, a transaction, a message, a remote start) are one session. A token is
a weak key, because one card may be shown at two outlets: what only a token places is bound when exactly one session
holds the token, stays open to revision until a transaction has begun there without a rival, and is AMBIGUOUS, never
guessed, while several fit.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, cast

from ...timeline import Event
from ..facts import Facts
from .binder import SessionBinder
from .book import FULL, SUMMARIES, SessionBook
from .bundle import INTERRUPTIONS, MESSAGES, PHYSICAL, PROTOCOL, SAMPLES, Bundle, physical_phase
from .keys import Keys, keys_of, phase_of
from .links import Link, Linker
from .places import ClaimTimes, Places
from .session import ChargingSession, Member

__all__ = ["Sessions"]

KEPT_MESSAGES = 1024
"""Messages whose answer or facts may still come."""
BEFORE_PLUG = 16
AFTER_UNPLUG_NS = 2_000_000_000
"""What happens at an outlet this long after the unplug is part of it."""
_TIME_OUTS = ("ConnectionTimeOut", "EVConnectionTimeOut", "TxCtrlr.EVConnectionTimeOut")


class Sessions:
    """The sessions of a run, built from events in canonical order.

    `keep` closed sessions keep their facts, `summaries` are kept at all; see `session_book`.
    """

    def __init__(self, facts: Facts, *, keep: int = FULL, summaries: int = SUMMARIES) -> None:
        self._facts = facts
        self._book = SessionBook(keep, summaries)
        self._times = ClaimTimes()
        self._places = Places(self._book, self._times)
        self._linker = Linker()
        self._binder = SessionBinder(self._book, self._places)
        self._messages: OrderedDict[tuple[str, str], Bundle] = OrderedDict()
        self._receipts: OrderedDict[tuple[str, int, int], Bundle] = OrderedDict()
        self._before_plug: dict[int, deque[Member]] = {}

    # ---- reading

    def all(self) -> list[ChargingSession]:
        """Every session that is kept, in order of opening."""
        return self._book.all()

    def of(self, event_id: str) -> ChargingSession | None:
        """The session of an event; None for one that has none, or may belong to several."""
        return self._book.of(event_id)

    def why_none(self, event_id: str) -> str:
        """Why an authorisation is in no session yet; "" for anything else."""
        return self._binder.why_none(event_id)

    def links(self, event_id: str) -> list[Link]:
        """The links from and to an event. A link by a key across two sessions is a guess only."""
        return [
            self._linker.judged(link, self.of(link.origin), self.of(link.target)) for link in self._linker.of(event_id)
        ]

    def links_in(self, session: ChargingSession) -> list[Link]:
        """The links between the facts of a session."""
        ids = {item.id for item in session.members}
        found = [link for item in session.members for link in self.links(item.id) if link.target == item.id]
        return [link for link in found if link.origin in ids]

    @property
    def forgotten(self) -> int:
        """Closed sessions that are no longer kept."""
        return self._book.forgotten

    # ---- taking

    def take(self, event: Event) -> None:
        """Take the next event in canonical order."""
        station = event.data.get("station")
        if station and self._facts.station and station != self._facts.station:
            return
        topic = event.topic
        if topic in SAMPLES:
            here = self._book.at.get(event.evse) if event.evse is not None else None
            if here is not None:
                here.sample(event)
        elif topic == "cp.state":
            self._pilot(event)
        elif topic in PHYSICAL:
            self._physical(event)
        elif topic in PROTOCOL:
            self._said(event)
        elif topic in INTERRUPTIONS:
            self._interruption(event)
        elif topic in ("clock.anchor", "ocpp.clock"):
            self._times.take(event)
        elif topic == "station.config":
            self._configured(event)

    # ---- the outlet

    def _pilot(self, event: Event) -> None:
        evse, state = event.evse, str(event.data.get("state"))
        if evse is None:
            return
        book, before = self._book, self._places.pilots.get(evse)
        self._places.pilots[evse] = state
        here = book.at.get(evse)
        self._linker.pilot(event)
        if state in ("B", "C", "D") and (here is None or here.plugged is None):
            here = self._plugged(event, evse, here, seen=before == "A")
        if here is None or here.plugged is None:
            return
        phase = "plug-in" if here.plugged == event.id else physical_phase(event, here)
        book.put(here, Member(event.id, event.topic, phase, "physical", event.order))
        if state == "A":
            here.unplugged = event.id
            self._binder.close(here, event)

    def _plugged(self, event: Event, evse: int, here: ChargingSession | None, *, seen: bool) -> ChargingSession:
        """A plug-in, of a new session or of one whose transaction began before."""
        if here is None:
            here = self._binder.open(event, evse)
        here.plugged, here.opened, here.saw_plug_in = event.id, event.stamp, seen
        for member in self._before_plug.pop(evse, ()):
            self._book.put(here, member)
        self._binder.revise(event.stamp.order_ns)
        return here

    def _physical(self, event: Event) -> None:
        evse, data = event.evse, event.data
        if evse is None:
            return
        args = cast("dict[str, Any]", data.get("args") or {})
        if event.topic == "stimulus" and data.get("verb") == "token":
            self._token_shown(event, evse, str(args.get("id") or ""))
            return
        self._linker.physical(event)
        here = self._book.at.get(evse)
        phase = physical_phase(event, here)
        member = Member(event.id, event.topic, phase, "physical", event.order)
        if here is None and phase == "plug-in" and event.topic == "stimulus":
            self._before_plug.setdefault(evse, deque(maxlen=BEFORE_PLUG)).append(member)
            return
        if here is None:
            if phase == "unplug":
                self._before_plug.pop(evse, None)
            here = self._places.lingering(evse, event.stamp.order_ns, AFTER_UNPLUG_NS)
        if here is None:
            return
        if event.topic == "output" and data.get("live"):
            here.energised = True
        self._book.put(here, member)

    def _token_shown(self, event: Event, evse: int, token: str) -> None:
        """The bench shows a card at an outlet: that ties the token to it."""
        keys = Keys(role="authorise", evse=evse, token=token.casefold() or None)
        bundle = Bundle(keys, event.stamp.order_ns)
        bundle.note(event, "physical", "authorise")
        self._linker.token(event, keys)
        self._binder.place(bundle, event)

    # ---- what was said

    def _said(self, event: Event) -> None:
        keys = keys_of(event)
        bundle = self._bundle(event)
        if bundle is None:
            bundle = Bundle(keys, event.stamp.order_ns)
        else:
            bundle.keys = bundle.keys.joined(keys)
        if event.topic in MESSAGES:
            self._remember(event, bundle)
        self._linker.said(event, keys)
        bundle.note(event, "protocol", phase_of(event, keys))
        self._binder.place(bundle, event)
        if event.topic == "ocpp.status" and keys.evse is not None:
            self._status(event, keys.evse, bundle)

    def _bundle(self, event: Event) -> Bundle | None:
        """The message that this is the answer to, or a fact of."""
        if event.topic == "ocpp.call":
            return None
        if event.topic in ("ocpp.result", "ocpp.error"):
            asked_by = "tx" if event.data.get("dir") == "rx" else "rx"
            return self._messages.pop((asked_by, str(event.data.get("message_id"))), None)
        # One frame has one stamp: what carries the stamp of a frame was read out of it.
        return self._receipts.get((event.source, event.stamp.lo_ns, event.stamp.hi_ns))

    def _remember(self, event: Event, bundle: Bundle) -> None:
        if event.topic == "ocpp.call":
            self._messages[str(event.data.get("dir")), str(event.data.get("message_id"))] = bundle
        self._receipts[event.source, event.stamp.lo_ns, event.stamp.hi_ns] = bundle
        for kept in (self._messages, self._receipts):
            while len(kept) > KEPT_MESSAGES:
                kept.popitem(last=False)

    def _status(self, event: Event, evse: int, bundle: Bundle) -> None:
        """Where no pilot watches an outlet, its status says when something is plugged."""
        logical = event.data.get("logical")
        here = self._book.at.get(evse)
        if evse not in self._places.pilots:
            if here is None and logical == "occupied":
                here = self._binder.open(event, evse)
                self._binder.revise(event.stamp.order_ns)
                self._binder.place(bundle, event)
            elif here is not None and logical == "available" and here.running is None:
                self._binder.close(here, event)
        if here is None and logical == "available":
            self._book.last.pop(evse, None)

    # ---- interruptions, time-out

    def _interruption(self, event: Event) -> None:
        if event.topic == "csms.reset" and not event.data.get("accepted"):
            return
        if event.topic == "ocpp.disconnected":
            self._places.online = False
        elif event.topic != "csms.reset":
            self._places.online = True
        running = self._book.open_ones()
        for session in running:
            session.was_offline |= not self._places.online
            if len(session.interruptions) < BEFORE_PLUG * 16:
                session.interruptions.append(event.id)
                if len(running) == 1:
                    self._book.name_only(session, event.id)

    def _configured(self, event: Event) -> None:
        values = cast("dict[str, Any]", event.data.get("values") or {})
        for key in _TIME_OUTS:
            try:
                wait_s = float(values.get(key, ""))
            except (TypeError, ValueError):
                continue
            if wait_s > 0:
                self._places.wait_s = wait_s
