"""Where a message belongs, as far as its keys say so."""

from __future__ import annotations

from ...timeline import Event, Interval, parse_claim
from .book import SessionBook
from .bundle import MESSAGES, Bundle
from .keys import Keys
from .session import ChargingSession

__all__ = ["NEW", "NOWHERE", "WAIT_S", "Choice", "ClaimTimes", "Places"]

WAIT_S = 120.0
"""Seconds an authorisation waits for its plug-in where the station's own time-out was not read back."""
TAIL_NS = 60_000_000_000
"""A station may report this long after the unplug what belongs to the session."""

Choice = tuple[ChargingSession | None, bool, str, list[ChargingSession]]
"""Session, whether a key says so (or only the time), why there is none, and those that fit equally well."""

NOWHERE: Choice = (None, False, "", [])
NEW = "a new entity"
"""In place of the reason: nothing that is known fits, and the message begins an entity of its own."""


class ClaimTimes:
    """Claimed times on the bench clock, from the recorded anchor and the recorded offset of the station's clock."""

    def __init__(self) -> None:
        self._anchor: tuple[int, int] | None = None
        self._offset_s: Interval | None = None

    def take(self, event: Event) -> None:
        """Note an anchor (`clock.anchor`) or an offset (`ocpp.clock`)."""
        data = event.data
        if event.topic == "clock.anchor":
            self._anchor = int(data["mono_ns"]), int(data["wall_ns"])
        else:
            self._offset_s = Interval(float(data["offset_lo_s"]), float(data["offset_hi_s"]))

    def when(self, claim: str | None) -> Interval | None:
        """When that was, in nanoseconds of the bench clock; None when it cannot be told."""
        parsed = parse_claim(claim)
        if parsed is None or self._anchor is None or self._offset_s is None:
            return None
        mono, wall = self._anchor
        at = parsed[0] - wall + mono
        return Interval(at - self._offset_s.hi * 1e9, at + parsed[1] - self._offset_s.lo * 1e9)


class Places:
    """Chooses the session of a message. It reads the book and changes nothing."""

    def __init__(self, book: SessionBook, times: ClaimTimes) -> None:
        self._book = book
        self._times = times
        self.wait_s = WAIT_S
        self.online = False
        self.pilots: dict[int, str] = {}

    def choose(self, bundle: Bundle, now_ns: int) -> Choice:
        """Where a message belongs."""
        keys, book = bundle.keys, self._book
        known = book.of_tx(keys.tx)
        if known is not None and not (keys.role == "start" and _over(known, keys.tx)):
            return known, True, "", []
        asked = book.of_remote(keys.remote)
        if asked is not None and (keys.evse is None or asked.evse in (None, keys.evse)):
            return asked, True, "", []
        if keys.empty and all(item.topic in MESSAGES for item in bundle.members):
            return NOWHERE  # its facts may say more
        if keys.role == "start":
            return self._start(keys)
        if keys.role == "end":
            return self._end(keys)
        if keys.role == "update" and keys.tx is not None:
            return self._update(keys)
        if bundle.weak:
            return self._weak(bundle)
        if keys.evse is not None:
            here = book.at.get(keys.evse) or self.lingering(keys.evse, now_ns, TAIL_NS)
            return (here, True, "", []) if here is not None else NOWHERE
        return NOWHERE

    def lingering(self, evse: int, now_ns: int, for_ns: int) -> ChargingSession | None:
        """The session that has just ended at an outlet."""
        last = self._book.last.get(evse)
        if last is None or last.closed is None or now_ns - last.closed.order_ns > for_ns:
            return None
        return last

    def _weak(self, bundle: Bundle) -> Choice:
        """Who wants to charge: at a named outlet, or where the token is held, or where somebody waits for one."""
        keys, book = bundle.keys, self._book
        if keys.evse is not None:
            here = book.at.get(keys.evse)
            if here is None or self._too_late(bundle, here):
                return None, False, f"nothing is plugged in at outlet {keys.evse} yet", []
            return here, True, "", []
        if keys.token is None:
            return NOWHERE
        holders = [item for item in book.holding(keys.token) if not self._too_late(bundle, item)]
        if len(holders) == 1:
            return holders[0], True, "", []
        waiting = holders or [item for item in book.waiting() if not self._too_late(bundle, item)]
        if len(waiting) == 1:
            return waiting[0], False, "", []
        if not waiting:
            return None, False, f"token {keys.token} is not bound to any plugged outlet", []
        names = ", ".join(f"{item.id} (outlet {item.evse})" for item in waiting)
        return None, False, f"token {keys.token} fits {names}", waiting

    def _too_late(self, bundle: Bundle, session: ChargingSession) -> bool:
        return session.opened.order_ns - bundle.order_ns > self.wait_s * 1e9

    def _start(self, keys: Keys) -> Choice:
        """A transaction begins: at the session of its outlet, or at one that charged while the station was offline."""
        book = self._book
        if keys.evse is None:
            holders = [item for item in book.holding(keys.token or "") if item.running is None]
            return (holders[0], True, "", []) if len(holders) == 1 else (None, True, NEW, [])
        here = book.at.get(keys.evse)
        if here is None:
            last = book.last.get(keys.evse)
            earlier = [last] if last is not None and not last.transactions and not last.was_offline else []
        else:
            earlier = []
        earlier += [
            item for item in book.whole() if item.evse == keys.evse and item.was_offline and not item.transactions
        ]
        if not earlier:
            return (here, True, "", []) if here is not None else (None, True, NEW, [])
        fits = [*earlier, here] if here is not None else earlier
        if keys.token is not None:
            fits = [item for item in fits if not item.tokens or keys.token in item.tokens]
        by_token = len(fits) == 1 and keys.token in fits[0].tokens
        when = self._times.when(keys.claim)
        if not by_token and when is not None:
            fits = [item for item in fits if _span(item).overlaps(when)]
        if len(fits) == 1:
            return fits[0], by_token, "", []
        return None, True, NEW, fits

    def _end(self, keys: Keys) -> Choice:
        """An end of a transaction that is not known: an orphan, unless it ran before anybody looked."""
        if keys.tx is None:
            running = [item for item in self._book.all() if item.running is not None]
            return (running[0], False, "", []) if len(running) == 1 else (None, True, NEW, [])
        here = self._book.at.get(keys.evse) if keys.evse is not None else None
        if here is not None and here.plugged is not None and not here.saw_plug_in and not here.transactions:
            return here, True, "", []
        return None, True, NEW, []

    def _update(self, keys: Keys) -> Choice:
        """A running transaction that is not known: the one of its outlet, if that one has no other."""
        here = self._book.at.get(keys.evse) if keys.evse is not None else None
        if here is not None and (not here.transactions or (here.running is not None and here.running.tx is None)):
            return here, True, "", []
        return None, True, NEW, []


def _over(session: ChargingSession, tx: str | None) -> bool:
    """That transaction of the session has ended: its id begins to be used anew."""
    return session.closed is not None and all(not item.running for item in session.transactions if item.tx == tx)


def _span(session: ChargingSession) -> Interval:
    return Interval(session.opened.lo_ns, float("inf") if session.closed is None else session.closed.hi_ns)
