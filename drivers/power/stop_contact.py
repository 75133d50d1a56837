"""The contact of an emergency stop at an input of a relay board. It only reports; the stop itself cuts the energy."""

from __future__ import annotations

import time

from ...bench.timeline import Source, Stamp
from ...errors import DeviceError, DeviceLost
from .coils import CoilBoard

__all__ = ["StopContact"]

EVERY_NS = 250_000_000
UNREAD_NS = 1_000_000_000


class StopContact:
    """A normally closed contact: no voltage at input `n` is pressed, or a broken wire. Told (`estop`) when it changes.

    What cannot be read for 1 s is told as pressed.
    """

    def __init__(self, source: Source, board: CoilBoard, n: int, evse: int) -> None:
        self._source = source
        self._board = board
        self._n = n
        self._evse = evse
        self._told: bool | None = None
        self._asked_ns = 0
        self._heard_ns = 0

    async def begin(self) -> None:
        """The first look, after the board was opened.

        Raises:
            DeviceError: there is no such input, or no answer.
        """
        self._told = None
        self._heard_ns = 0
        await self._read()

    async def look(self) -> None:
        """One more look, if it is time for it.

        Raises:
            DeviceLost: the board is gone, which whoever watches the bench takes for pressed.
        """
        if time.monotonic_ns() - self._asked_ns < EVERY_NS:
            return
        try:
            await self._read()
        except DeviceLost:
            raise
        except DeviceError as error:
            now_ns = time.monotonic_ns()
            if now_ns - self._heard_ns > UNREAD_NS:
                self._tell(True, f"not read for {(now_ns - self._heard_ns) / 1e9:.1f} s: {error}", now_ns, "")

    async def _read(self) -> None:
        self._asked_ns = time.monotonic_ns()
        closed, done = await self._board.contact(self._n)
        self._tell(not closed, f"its contact is {'closed' if closed else 'open'}", done.at_ns, done.raw)
        self._heard_ns = done.sent_ns

    def _tell(self, tripped: bool, why: str, at_ns: int, raw: str) -> None:
        if tripped is self._told:
            return
        self._told = tripped
        data = {"tripped": tripped, "input": str(self._n), "why": why}
        stamp = Stamp.host(at_ns, lo_ns=self._heard_ns or self._asked_ns)
        self._source.emit("estop", stamp, data, evse=self._evse, raw=raw)
