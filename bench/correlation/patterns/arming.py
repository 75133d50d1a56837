"""arm, disarm: between which events a rule watches.

Like a signal of each outlet: true from an `arm` on, false from a `disarm` on, false before the first of them (true if
the rule has no `arm`). An event that names no outlet counts for every one, and so does any event for a rule `per`
station. A gap of a source that spoke of it makes it unknown until the next of these events.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...timeline import Event, Stamp
from ..condition import matches
from ..language.rule import RuleHead
from ..world.mark import Mark
from ..world.track import Change, Track, possible_values
from ..world.tri import Tri, any_of, common

__all__ = ["Arming", "arming_of"]

_ALWAYS_NS = -(1 << 62)
WHY = "whether the rule watched then is not known"


class Arming:
    """Events are told in canonical order, each before it is asked whether the rule watches at it."""

    def __init__(self, rule: RuleHead, evses: Sequence[int]) -> None:
        self._arm = rule.arm
        self._disarm = rule.disarm
        self._station = rule.per == ("station",)
        self._topics = frozenset(topic for item in (*rule.arm, *rule.disarm) for topic in item.topics)
        self._sources: set[str] = set()
        self._tracks = {evse: Track() for evse in evses}
        for track in self._tracks.values():
            track.push(Change(Mark(Stamp(_ALWAYS_NS, _ALWAYS_NS, _ALWAYS_NS)), not rule.arm))

    def take(self, event: Event) -> Sequence[int]:
        """The outlets for which it changed. An event that is both stops the watch."""
        if event.topic == "gap":
            return self._gap(event)
        if event.topic not in self._topics:
            return ()
        if any(matches(item, event) for item in self._disarm):
            value = False
        elif any(matches(item, event) for item in self._arm):
            value = True
        else:
            return ()
        self._sources.add(event.source)
        change = Change(Mark.of(event), value, event)
        return [
            evse
            for evse, track in self._tracks.items()
            if (self._station or event.evse is None or event.evse == evse) and track.push(change)
        ]

    def _gap(self, event: Event) -> Sequence[int]:
        if event.source != "recorder" and event.source not in self._sources:
            return ()
        from_ns, to_ns = int(event.data["from_ns"]), int(event.data["to_ns"])
        for track in self._tracks.values():
            track.forget(from_ns, to_ns, f"{event.source}: {event.data.get('why', 'gap')}")
        return list(self._tracks)

    def at(self, evse: int | None, mark: Mark) -> Tri:
        """Whether it watches an outlet at one instant; for no outlet in particular, whether it does one of them."""
        if evse in self._tracks:
            return self._of(self._tracks[evse], mark)
        return any_of(self._of(track, mark) for track in self._tracks.values())

    def _of(self, track: Track, mark: Mark) -> Tri:
        if track.last is not None and track.last.mark.stamp.lo_ns == _ALWAYS_NS:
            return Tri.of(bool(track.value))
        return common(
            Tri.UNKNOWN if change is None or change.value is None else Tri.of(bool(change.value))
            for change in possible_values(track.changes, mark)
        )

    def now(self, evse: int) -> Tri:
        """Whether it watches an outlet by the newest of these events."""
        values = [self._tracks[evse].value] if evse in self._tracks else [t.value for t in self._tracks.values()]
        return any_of(Tri.UNKNOWN if value is None else Tri.of(bool(value)) for value in values)


def arming_of(rule: RuleHead, evses: Sequence[int]) -> Arming | None:
    """None for a rule that always watches."""
    return Arming(rule, evses) if rule.arm or rule.disarm else None
