"""Debounce: a value counts once it has lasted so long, from its begin on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...timeline import Event, Stamp, difference

__all__ = ["Debounce", "Proposal", "Put", "Value"]

Value = float | str | None
SHORT = "it may have lasted as long as its debounce, and it may not"


class Proposal(NamedTuple):
    """From `stamp` on the value may be this; None: it is not known, because of `why`."""

    value: Value
    stamp: Stamp
    event: Event
    why: str = ""


Put = Callable[[Proposal], None]


class Debounce:
    """Takes proposals in the order of the readings, and puts those that last.

    One that certainly lasted less than `least_ns` is no edge. Where that cannot be said, the value is unknown from its
    begin on. What is unknown needs no time to be so.
    """

    def __init__(self, least_ns: int, put: Put) -> None:
        self.pending: Proposal | None = None
        self._least_ns = least_ns
        self._put = put
        self._shown: Value = None
        self._newest: Proposal | None = None

    def propose(self, item: Proposal) -> bool:
        """Another value than the one before; True if it has to last before it counts."""
        self.over(item.stamp)
        if item.value is not None and item.value == self._shown:
            return False
        if item.value is None or not self._least_ns:
            self._show(item)
            return False
        self.pending = item
        return True

    def still(self, stamp: Stamp) -> None:
        """A reading shows the same value again."""
        if self.pending is not None and difference(self.pending.stamp, stamp).lo >= self._least_ns:
            self.settled()

    def settled(self) -> None:
        """What is pending lasted long enough."""
        item, self.pending = self.pending, None
        if item is not None:
            self._show(item)

    def over(self, stamp: Stamp) -> None:
        """What is pending ended, or was last seen, here."""
        item = self.pending
        if item is None:
            return
        lasted = difference(item.stamp, stamp)
        if lasted.lo >= self._least_ns:
            self.settled()
            return
        self.pending = None
        if lasted.hi >= self._least_ns:
            self._show(item._replace(value=None, why=SHORT))

    def lost(self, from_ns: int) -> int:
        """Nothing is known any more from here on, or from the begin of a value that was not seen to last up to here.

        Returns from when on; the next value is a new one.
        """
        self.over(Stamp(from_ns, from_ns, from_ns))
        newest, self._newest = self._newest, None
        self._shown = None
        if newest is not None and newest.value is not None and self._least_ns:
            begin = newest.stamp
            if from_ns - begin.hi_ns < self._least_ns:
                return min(from_ns, begin.lo_ns)
        return from_ns

    def _show(self, item: Proposal) -> None:
        newest = self._newest
        if item.value is None and newest is not None and newest.value is None:
            return
        self._shown, self._newest = item.value, item
        self._put(item)
