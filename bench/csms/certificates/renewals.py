"""Requests for certificates that were accepted and whose certificate is still to be sent.

Which of them waits for which: a request that bears an id of its own (2.1) goes when it is ready, whatever became of
the others; without an id the station can tell answers apart by type and key only, so those of one type go one
after the other. On top of that a test may hold them all and let them go in an order of its choice.
"""

from __future__ import annotations

import asyncio

from ...timeline import Stamp
from .wishes import Wish

__all__ = ["Renewal", "Renewals"]

KEEP_LOST = 100
"""Requests that were never served are remembered up to this number, for their repetitions."""


class Renewal:
    """One accepted request.

    - `kind`: its certificateType as 2.x writes it, None: for both uses. `key`: SHA-256 of the public key.
    - `attempt` counts the repetitions that it is of an earlier one (A02.FR.17).
    - `sent`: a certificate went out for it. `before_boot`: the station has restarted since.
    - `deed`: the event that says that it is held back.
    """

    def __init__(
        self,
        station: str,
        *,
        kind: str | None,
        csr: str,
        key: str | None,
        request_id: int | None,
        stamp: Stamp,
        attempt: int,
        wish: Wish,
        after: Renewal | None,
    ) -> None:
        self.station = station
        self.kind = kind
        self.csr = csr
        self.key = key
        self.request_id = request_id
        self.stamp = stamp
        self.attempt = attempt
        self.wish = wish
        self.sent = False
        self.before_boot = False
        self.deed: str | None = None
        self._after = after
        self._released = asyncio.Event()
        self._done = asyncio.Event()

    @property
    def held(self) -> bool:
        """Whether it waits for somebody to release it."""
        return not self._released.is_set()

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self._done.is_set()

    def release(self) -> None:
        """It may go."""
        self._released.set()

    def finish(self) -> None:
        """Nothing more will come of it; the one behind it may go."""
        self._done.set()

    async def turn(self) -> None:
        """Return when its certificate is to be signed and sent."""
        if self.wish.delay_s > 0:
            await asyncio.sleep(self.wish.delay_s)
        await self._released.wait()
        if self._after is not None:
            await self._after._done.wait()
            self._after = None


class Renewals:
    """Those of every station, oldest first."""

    def __init__(self) -> None:
        self._all: list[Renewal] = []
        self._held: set[str | None] = set()

    def hold(self, station: str | None) -> None:
        """From now on those of a station (None: of every one) wait."""
        self._held.add(station)

    def unhold(self, station: str | None) -> None:
        """New ones do not wait any more."""
        self._held.discard(station)

    def open(self, station: str | None = None) -> list[Renewal]:
        """Those of which something is still to come."""
        return [one for one in self._all if not one.done and station in (None, one.station)]

    def unanswered(self, station: str, kind: str | None) -> list[Renewal]:
        """Those of one type for which the station still waits, in its own eyes: no certificate came since it booted."""
        ours = [one for one in self._all if one.station == station and one.kind == kind]
        return [one for one in ours if not one.sent and not one.before_boot]

    def last(self, station: str, kind: str | None, request_id: int | None) -> Renewal | None:
        """The open one that the station could not tell from a new one of this type and id."""
        same = [one for one in self.open(station) if one.kind == kind and one.request_id == request_id]
        return same[-1] if same else None

    def add(self, renewal: Renewal) -> None:
        """A request was accepted."""
        gone = [one for one in self._all if one.done and (one.sent or one.before_boot)]
        lost = [one for one in self._all if one.done and one not in gone][:-KEEP_LOST]
        self._all = [one for one in self._all if one not in gone and one not in lost]
        self._all.append(renewal)
        if not self._held & {None, renewal.station}:
            renewal.release()

    def served(self, renewal: Renewal) -> None:
        """A certificate goes out for it; earlier attempts of which nothing comes any more are served with it."""
        renewal.sent = True
        for one in self.unanswered(renewal.station, renewal.kind):
            if one.done and (one.key == renewal.key or one.request_id == renewal.request_id):
                one.sent = True

    def booted(self, station: str) -> None:
        """The station restarted: what it asked for before is no earlier attempt of what it asks now."""
        for one in self._all:
            if one.station == station:
                one.before_boot = True
