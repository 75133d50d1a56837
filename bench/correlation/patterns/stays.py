"""Stays in a scope: from the change that makes its condition true to the next after which it is false or unknown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ....errors import RuleError
from ...timeline import Event, kind_of
from ..language.rule import Condition, Happening, Occurrence
from ..language.signals import CONFIG, STATION_SIGNALS
from ..world.track import Change
from ..world.tri import Tri
from ..world.world import Edge
from .base import Context, Monitor

__all__ = ["Stay", "Stays", "tellers"]


class Stay:
    """One stay. `evse` is None where the scope's signal is one of the whole station; `leave` while it lasts.

    `lost`: the signal was known, and then lost, before the entry: it may be the rest of a longer stay.

    `entered` says since when (an event of the scope, or a later one that only then made the rule apply).
    """

    def __init__(self, n: int, evse: int | None, entry: Change, *, lost: bool = False) -> None:
        self.n = n
        self.lost = lost
        self.evse = evse
        self.entry = entry
        self.leave: Change | None = None

    @property
    def torn(self) -> bool:
        """A gap lies at one of its ends: it may be a part of a longer one."""
        return self.lost or (self.leave is not None and self.leave.value is None)

    @property
    def opened_ns(self) -> int:
        return self.entry.mark.stamp.order_ns


class Stays:
    """Follows a scope on all outlets; changes that are set for later count when their time has come.

    `opened` and `closed` are called in canonical order; closed ones are no longer in `open`.
    """

    def __init__(
        self, context: Context, scope: Condition, opened: Callable[[Stay], None], closed: Callable[[Stay], None]
    ) -> None:
        self._context = context
        self._scope = scope
        self._opened = opened
        self._closed = closed
        self.open: dict[int, Stay] = {}

    def take(self, event: Event, edges: Sequence[Edge]) -> None:
        """The edges that an event made."""
        for edge in edges:
            if edge.signal != self._scope.signal:
                continue
            when_ns = edge.change.mark.stamp.order_ns
            if when_ns > event.stamp.order_ns:
                self._context.schedule(when_ns, lambda edge=edge: self._due(edge))
            else:
                self._edge(edge)

    def _due(self, edge: Edge) -> None:
        """A change that was announced; it may have been withdrawn meanwhile."""
        track = self._context.world.track(edge.signal, edge.evse)
        if any(change is edge.change for change in reversed(track.changes)):
            self._edge(edge)

    def _edge(self, edge: Edge) -> None:
        inside = self._inside(edge.change)
        stay = self.open.get(edge.evse)
        if inside and stay is None:
            station = self._scope.signal in STATION_SIGNALS or self._scope.signal.startswith(CONFIG)
            lost = edge.before is None and len(self._context.world.track(edge.signal, edge.evse).changes) > 1
            stay = Stay(self._context.next_number(), None if station else edge.evse, edge.change, lost=lost)
            self.open[edge.evse] = stay
            self._opened(stay)
        elif not inside and stay is not None:
            del self.open[edge.evse]
            stay.leave = edge.change
            self._closed(stay)

    def _inside(self, change: Change) -> bool:
        if change.value is None:
            return False
        try:
            return self._context.reader.judge(self._scope, {})(change.value) is Tri.TRUE
        except RuleError:  # it compares with a setting that was not read back
            return False


def tellers(monitor: Monitor, happening: Happening, evse: int | None, seen: set[str], near: Event | None) -> set[str]:
    """The sources whose silence means that it did not happen: those that told of it before, else anybody.

    `seen`: those that did; `near`: an event of the stay, whose source counts where it speaks of the same.
    """
    if not isinstance(happening, Occurrence):
        outlets = monitor.world.facts.evses if evse is None else (evse,)
        return seen.union(*(monitor.world.track(happening.signal, one).sources for one in outlets))
    kinds = {kind_of(topic) for topic in happening.topics}
    known = seen | ({near.source} if near is not None and kind_of(near.topic) in kinds else set[str]())
    anybody = {gap.source for gap in monitor.world.gaps}
    return known or anybody
