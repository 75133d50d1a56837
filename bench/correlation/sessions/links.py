"""Which event came of which: links between the facts of a run.

A link by an id or a key is drawn solid. A link that only the time suggests is drawn dashed and decides nothing.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Literal, cast

import msgspec

from ...timeline import Event
from .keys import Keys
from .session import ChargingSession

__all__ = ["LINKS", "Link", "LinkBasis", "LinkKind", "Linker"]

LinkKind = Literal["stimulus", "response", "entity", "hypothesis"]
LinkBasis = Literal["id", "key", "time"]

LINKS = 50_000
"""Links that are kept; the oldest go first."""
CAUSES = 4096
SOON_NS = 5_000_000_000
"""A guess by time reaches this far."""


class Link(msgspec.Struct, frozen=True):
    """`origin` -> `target` (event ids).

    `kind`: stimulus (the bench or the back end did it), response (the answer to it), entity (of one thing), or
    hypothesis. `basis`: what says so: an id, a key, or only the time. `why` names it.
    """

    origin: str
    target: str
    kind: LinkKind
    basis: LinkBasis
    why: str

    @property
    def solid(self) -> bool:
        """An id or a key says so."""
        return self.basis != "time"


class Linker:
    """Makes links as events come, from the causes that are still in memory."""

    def __init__(self) -> None:
        self._links: deque[Link] = deque()
        self._of: dict[str, list[Link]] = {}
        self._causes: OrderedDict[tuple[object, ...], Event] = OrderedDict()

    def of(self, event_id: str) -> list[Link]:
        """Links from and to an event, in the order in which they were made."""
        return self._of.get(event_id, [])

    @staticmethod
    def judged(link: Link, origin: ChargingSession | None, target: ChargingSession | None) -> Link:
        """A key that binds facts of two sessions, or of none that is certain, binds nothing: it is a guess."""
        if link.basis != "key" or origin is target:
            return link
        return Link(link.origin, link.target, "hypothesis", "time", f"{link.why}, but not surely one session")

    # ---- taking

    def physical(self, event: Event) -> None:
        """A stimulus, or an edge at the outlet."""
        data, evse = event.data, event.evse
        args = cast("dict[str, Any]", data.get("args") or {})
        if event.topic == "stimulus" and data.get("verb") == "resistor":
            self._remember(("level", evse, str(args.get("state"))), event)
        elif event.topic == "output":
            self._guess(("pilot", evse), event, "the pilot changed just before")
            self._remember(("output", evse), event)
        elif event.topic == "cp.pwm":
            self._guess(("profile", evse), event, "a charging profile was accepted just before")
            self._guess(("stop", None), event, "a remote stop was accepted just before")

    def pilot(self, event: Event) -> None:
        """The pilot changed: by what the bench set, or else by the station."""
        state = str(event.data.get("state"))
        cause = self._causes.pop(("level", event.evse, state), None)
        if cause is not None:
            self._add(cause, event, "stimulus", "key", f"the bench set state {state} at outlet {event.evse}")
        self._remember(("pilot", event.evse), event)

    def token(self, event: Event, keys: Keys) -> None:
        """The bench showed a card."""
        self._remember(("card", keys.token), event)

    def said(self, event: Event, keys: Keys) -> None:
        """A message or a fact that was read out of one."""
        topic, data = event.topic, event.data
        frame = ("frame", event.source, event.stamp.lo_ns, event.stamp.hi_ns)
        message = str(data.get("message_id"))
        if topic == "ocpp.call":
            self._remember(("call", str(data.get("dir")), message), event)
            self._remember(frame, event)
            if keys.role == "authorise":
                self._link(("card", keys.token), event, "stimulus", "key", f"token {keys.token}")
            return
        if topic in ("ocpp.result", "ocpp.error"):
            asked_by = "tx" if data.get("dir") == "rx" else "rx"
            self._link(("call", asked_by, message), event, "response", "id", f"message {message}")
            self._remember(frame, event)
            return
        self._link(frame, event, "entity", "id", "read out of this message")
        self._fact(event, keys)

    def _fact(self, event: Event, keys: Keys) -> None:
        topic, tx, token = event.topic, keys.tx, keys.token
        accepted = event.data.get("accepted") is not False
        if topic == "ocpp.authorized":
            self._link(("card", token), event, "stimulus", "key", f"token {token}")
            if accepted:
                self._remember(("authorised", token), event)
        elif topic == "csms.remote_start" and accepted:
            self._remember(("remote", keys.remote) if keys.remote else ("remote token", token), event)
        elif topic == "csms.remote_stop" and accepted:
            self._remember(("remote stop", tx), event)
            self._remember(("stop", None), event)
        elif topic == "csms.charging_profile" and accepted:
            self._remember(("profile", event.evse), event)
        elif topic == "ocpp.tx.started":
            self._link(("authorised", token), event, "entity", "key", f"token {token}")
            if not self._link(("remote", keys.remote), event, "stimulus", "id", f"remoteStartId {keys.remote}"):
                self._link(("remote token", token), event, "stimulus", "key", f"token {token}")
            self._remember(("transaction", tx), event)
        elif topic in ("ocpp.tx.updated", "ocpp.register", "ocpp.tx.ended"):
            self._link(("transaction", tx), event, "entity", "id", f"transaction {tx}")
            if topic == "ocpp.tx.ended":
                self._link(("remote stop", tx), event, "stimulus", "id", f"transaction {tx}")
        elif topic == "ocpp.status" and event.evse is not None:
            self._guess(("pilot", event.evse), event, "the pilot changed just before")

    # ---- inside

    def _remember(self, key: tuple[object, ...], event: Event) -> None:
        self._causes[key] = event
        self._causes.move_to_end(key)
        if len(self._causes) > CAUSES:
            self._causes.popitem(last=False)

    def _link(self, key: tuple[object, ...], event: Event, kind: LinkKind, basis: LinkBasis, why: str) -> bool:
        cause = self._causes.get(key) if key[-1] is not None else None
        if cause is None:
            return False
        self._add(cause, event, kind, basis, why)
        return True

    def _guess(self, key: tuple[object, ...], event: Event, why: str) -> None:
        cause = self._causes.get(key)
        if cause is not None and event.stamp.order_ns - cause.stamp.order_ns <= SOON_NS:
            self._add(cause, event, "hypothesis", "time", why)

    def _add(self, cause: Event, event: Event, kind: LinkKind, basis: LinkBasis, why: str) -> None:
        if len(self._links) >= LINKS:
            old = self._links.popleft()
            for name in (old.origin, old.target):
                rest = [link for link in self._of.get(name, ()) if link is not old]
                if rest:
                    self._of[name] = rest
                else:
                    self._of.pop(name, None)
        link = Link(cause.id, event.id, kind, basis, why)
        self._links.append(link)
        self._of.setdefault(link.origin, []).append(link)
        self._of.setdefault(link.target, []).append(link)
