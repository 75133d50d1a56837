"""All signals of a run, built from events in canonical order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from ...timeline import Event
from ..facts import Facts
from ..language.signals import SIGNALS
from .derived import DERIVED
from .kept import REACHED_PP, Edge
from .told import Told
from .track import Change

__all__ = ["Edge", "World"]


class World(Told):
    """The whole of it: `apply` takes events in canonical order and returns the edges that they made."""

    def __init__(self, facts: Facts, reached_pp: float = REACHED_PP) -> None:
        super().__init__(facts, reached_pp)
        self._handle = self._handlers()
        self.handled = frozenset({*self._handle, "source"})

    def apply(self, event: Event) -> list[Edge]:
        """Take one event."""
        self._edges = []
        self.note(event)
        station = event.data.get("station")
        if station and self.facts.station and station != self.facts.station:
            return []
        handler = self._handle.get(event.topic)
        if handler is not None:
            handler(event)
        if self._followed is not None:
            self._followed.take(event)
        return self._edges

    def unreadable(self, event: Event, error: Exception) -> tuple[Event, Sequence[Edge]]:
        """Take an event whose data are not what the vocabulary says: a gap of its source, which this returns.

        The recorder's own remarks feed no signal: of those nothing is lost.
        """
        why = f"{event.topic} cannot be read ({type(error).__name__}: {error})"
        self.faulted(event, why)
        if event.source == "recorder":
            return event, ()
        data = {"from_ns": event.stamp.lo_ns, "to_ns": event.stamp.order_ns, "why": why}
        gap = msgspec.structs.replace(event, topic="gap", data=data)
        self._edges = []
        self._gap(gap)
        return gap, self._edges

    def _handlers(self) -> dict[str, Callable[[Event], None]]:
        return {
            "cp.state": self._cp_state,
            "cp.pwm": self._cp_pwm,
            "output": self._output,
            "lock": self._lock,
            "stimulus": self._stimulus,
            "meter.sample": self._meter,
            "ocpp.call": self._outlets.asking,
            "csms.availability": lambda event: self._outlets.asked(self.evses(event), event),
            "ocpp.connected": self._connected,
            "ocpp.disconnected": self._disconnected,
            "ocpp.boot": self._boot,
            "ocpp.boot.answered": self._boot_answered,
            "ocpp.attached": self._attached,
            "csms.reset": self._reset,
            "ocpp.status": self._status,
            "ocpp.authorized": self._authorized,
            "csms.remote_start": self._remote_start,
            "csms.remote_stop": self._remote_stop,
            "ocpp.tx.started": self._tx_started,
            "ocpp.tx.updated": self._tx_updated,
            "ocpp.tx.ended": self._tx_ended,
            "ocpp.register": self._register,
            "station.config": self._config,
            "csms.setting": self._setting,
            "csms.charging_profile": self._profile,
            "csms.profile_cleared": self._profile_cleared,
            "gap": self._gap,
            "pilot.reset": self._pilot_reset,
            "twin.overrun": self._overrun,
            "clock.anchor": self._anchor,
            "bench.state": self._bench,
        }

    # ---- disturbances

    def _gap(self, event: Event) -> None:
        from_ns, to_ns = _span(event)
        self.gaps.append(event)
        lost = self._followed.lost(event.source, from_ns) if self._followed is not None else {}
        for (signal, evse), track in list(self._tracks.items()):
            moment = signal in SIGNALS and SIGNALS[signal].kind == "moment"
            if moment or signal in self._derived:
                continue
            if event.source not in track.sources and event.source != "recorder":
                continue
            before = track.value
            track.forget(lost.get((signal, evse), from_ns), to_ns, f"{event.source}: {event.data.get('why', 'gap')}")
            if before is not None and track.last is not None:
                self._edges.append(Edge(signal, evse, before, track.last))
        for signal in self._derived:
            for evse in self.facts.evses:
                self._derived_gap(signal, evse, event)

    def _derived_gap(self, signal: str, evse: int, event: Event) -> None:
        """What a derived signal needs may be lost; if it can be told from the rest it goes on."""
        track = self.track(signal, evse)
        lost = [self.track(need, evse).last for need in DERIVED[signal][0]]
        gone = next((item for item in lost if item is not None and item.event is None and item.value is None), None)
        value, why = DERIVED[signal][1](self.facts, lost)
        before = track.value
        if gone is None or before is None:
            return
        if value is None:
            track.forget(gone.mark.stamp.lo_ns, int(event.data["to_ns"]), why)
        elif value != before:
            track.push(Change(gone.mark, value, None, why))
        if track.last is not None and track.value != before:
            self._edges.append(Edge(signal, evse, before, track.last))

    def _pilot_reset(self, event: Event) -> None:
        for signal in ("cp.state", "cp.mode", "pwm", "duty", "pwm.band", "offering", "frequency", "offered", "output"):
            for evse in self.evses(event):
                self._set(signal, evse, None, event, why="the emulator restarted")

    def _overrun(self, event: Event) -> None:
        _span(event)
        self.overruns.append(event)

    def _bench(self, event: Event) -> None:
        """Instruments may be silent before the bench was ready, and once it is being closed."""
        state = event.data.get("state")
        if state == "ready" and not self.ready_ns:
            self.ready_ns = event.stamp.order_ns
        if state not in ("safe", "unsafe", "closed"):
            self.shut_ns = None
        elif self.shut_ns is None:
            self.shut_ns = event.stamp.order_ns

    def _anchor(self, event: Event) -> None:
        if self.wall is None:
            self.wall = int(event.data["mono_ns"]), int(event.data["wall_ns"])

    def spans(self, events: Iterable[Event]) -> Iterator[tuple[Event, int, int]]:
        """Disturbances with their spans on the bench clock, nanoseconds."""
        for event in events:
            yield event, *_span(event)


def _span(event: Event) -> tuple[int, int]:
    return int(event.data["from_ns"]), int(event.data["to_ns"])
