"""Who senses at an outlet whether it is live, and what each of them said last."""

from __future__ import annotations

from collections.abc import Collection

from ..timeline import Event

__all__ = ["AC_DEAD_V", "DC_DEAD_V", "Senses"]

DC_DEAD_V = 10.0
"""Above it a CHAdeMO charger keeps the plug locked, and says so (IEEE 2030.1.1): its output counts as live."""

AC_DEAD_V = 50.0
"""Below it a conductor may be touched (IEC 61140, conventional touch voltage limit); a dead one may couple in some."""


class Senses:
    """The output sense of a pilot, what a CHAdeMO charger says of itself, and the voltmeters of `loads`, device names.

    Who says live is believed against all others: the charger is what is tested. The voltmeter of a load sees what
    reaches its terminals, so it can say live, and by itself proves nothing dead. A charger that fell silent says
    nothing any more; only that it was live before is not forgotten.
    """

    def __init__(self, loads: Collection[str] = ()) -> None:
        self._loads = frozenset(loads)
        self._said: dict[str, bool] = {}
        self._loads_live: set[str] = set()
        self._lost: dict[str, bool] = {}

    @property
    def live(self) -> bool | None:
        """Whether anybody says live; None while nobody says anything."""
        if self._loads_live or any(self._said.values()):
            return True
        return False if self._said else None

    @property
    def lost(self) -> bool | None:
        """Whether any of those that say nothing any more said live last; None while all that ever spoke still do, or
        fell silent in order.
        """
        return any(self._lost.values()) if self._lost else None

    def take(self, event: Event) -> bool:
        """Take an event; False when it says nothing of this."""
        match event.topic:
            case "output":
                self._says(event.source, bool(event.data["live"]))
            case "chademo.charger":
                self._says(event.source, float(event.data["voltage_v"]) > DC_DEAD_V)
            case "chademo.silent":
                if self._said.pop(event.source, False):
                    self._lost[event.source] = True
            case "power.sample" if event.source in self._loads:
                live = float(event.data["voltage_v"] or 0.0) > AC_DEAD_V
                (self._loads_live.add if live else self._loads_live.discard)(event.source)
            case _:
                return False
        return True

    def _says(self, source: str, live: bool) -> None:
        self._said[source] = live
        self._lost.pop(source, None)

    def gone(self, source: str) -> bool:
        """Its device stopped answering: what it said last is not what is. False when it said nothing before."""
        if source not in self._said:
            return False
        self._lost[source] = self._said.pop(source)
        return True
