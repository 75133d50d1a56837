"""The record of what the back end does wrong on purpose to one station, and of when that is over.

Every deed is an event `csms.misbehaviour`. Its `until_ns` says how long, at the most, what the station does may
be the consequence of it (None: it excuses nothing). A later event ends that sooner: it names the deeds in `of`.
"""

from __future__ import annotations

import time

import msgspec

from ...timeline import Source, Stamp

__all__ = ["GRACE_S", "Deeds"]

GRACE_S = 300.0
"""How long after a deed the station may need at the most to get over it: three timeouts of 30 s for a message, and the
pauses of 60 s and 120 s between three attempts (1.6 TransactionMessageRetryInterval; 2.x MessageAttemptInterval)."""

MOST_OPEN = 1000
"""Deeds that wait for their end; beyond that the oldest waits no more, and excuses until its time is over."""


class _Deed(msgspec.Struct):
    id: str
    what: str
    action: str | None
    told_ns: int
    lasting: bool


class Deeds:
    """What was done to one station.

    An exchange between station and back end that began after a deed, and was completed as it should, ends what the
    deed excuses: of an answer that was withheld or spoilt one of the same action, else any.
    """

    def __init__(self, station: str, source: Source) -> None:
        self.station = station
        self._source = source
        self._open: list[_Deed] = []

    def tell(
        self,
        what: str,
        detail: str,
        *,
        action: str | None = None,
        message_id: str | int | None = None,
        only_action: bool = False,
        excuses: bool = True,
        lasts_s: float | None = None,
    ) -> str:
        """Tell of a deed that begins now; returns the id of its event.

        `only_action`: no other exchange than one of this action ends it. `lasts_s`: it goes on until `over`.
        """
        now_ns = time.monotonic_ns()
        until_ns = now_ns + round((GRACE_S + (lasts_s or 0.0)) * 1e9) if excuses else None
        nth = None
        if only_action and excuses:
            nth = 1 + sum(deed.action == action for deed in self._open)
        id_ = self._emit(now_ns, what, action, message_id, detail, until_ns, [], nth)
        if excuses:
            self._open.append(_Deed(id_, what, action if only_action else None, now_ns, lasts_s is not None))
            if len(self._open) > MOST_OPEN:
                # What lasts ends by `over`, and there are few of it.
                self._open.remove(next((deed for deed in self._open if not deed.lasting), self._open[0]))
        return id_

    def over(self, id_: str, detail: str) -> None:
        """A deed that lasted is over; the next completed exchange ends what it excuses."""
        deed = next((deed for deed in self._open if deed.id == id_), None)
        if deed is None or not deed.lasting:
            return
        now_ns = time.monotonic_ns()
        until_ns = now_ns + round(GRACE_S * 1e9)
        self._open.remove(deed)
        again = self._emit(now_ns, deed.what, None, None, detail, until_ns, [deed.id])
        self._open.append(_Deed(again, deed.what, None, now_ns, False))

    def exchanged(self, action: str, heard_ns: int) -> None:
        """The station asked at `heard_ns`, and was answered as it should be."""
        if not self._open:
            return
        done = [
            deed
            for deed in self._open
            if not deed.lasting and deed.told_ns < heard_ns and deed.action in (None, action)
        ]
        if done:
            self._open = [deed for deed in self._open if deed not in done]
            detail = f"{action} was asked and answered since"
            self._emit(time.monotonic_ns(), "restored", action, None, detail, None, [deed.id for deed in done])

    def _emit(
        self,
        now_ns: int,
        what: str,
        action: str | None,
        message_id: str | int | None,
        detail: str,
        until_ns: int | None,
        of: list[str],
        nth: int | None = None,
    ) -> str:
        data = {
            "station": self.station,
            "action": action,
            "what": what,
            "message_id": message_id,
            "detail": detail,
            "until_ns": until_ns,
            "of": of,
            "nth": nth,
        }
        return self._source.emit("csms.misbehaviour", Stamp.host(now_ns), data).id
