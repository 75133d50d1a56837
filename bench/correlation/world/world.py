"""All signals of a run, built from events in canonical order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from ...timeline import Event
from ..facts import Facts
from ..language.reading import Reading
from ..language.signals import CONFIG, SIGNALS, STATION_SIGNALS, Signal
from .amps import amps_of_duty, amps_of_pp, duty_of_amps, offers_current
from .claims import ClaimClock
from .derived import DERIVED, derive
from .followed import Followed, Later
from .mark import Mark
from .outlet import Outlets
from .permission import Permission
from .pilot_facts import PilotFacts
from .profiles import NO_LIMIT_A, ProfileBook
from .track import Change, Sample, Track

__all__ = ["Edge", "World"]

RING = 4000
REMEMBERED = 10_000
LATE_KEPT = 1000
LATE_NS = 30_000_000_000
"""Late events are kept by topic for longer than an instance stays open to them."""
DELAY_NS = 1_000_000_000
"""How long after a fact a source is taken to tell it, if it did not say so."""
SAMPLES = 20_000
"""Readings of a sampled signal that are kept: half an hour of a meter that is read ten times a second."""
ENERGIES = 200_000
"""Readings of the meter's register that are kept: what a transaction of five hours is compared with."""
AT_ONCE_NS = 1_000_000_000
"""A message that comes this soon after an edge was not held back."""
REACHED_PP = 1.0
"""How near to a profile's duty cycle counts as having come down to it (the tolerance of the ceiling)."""


class Edge(msgspec.Struct, frozen=True):
    """A signal of an outlet went from `before` to the change's value."""

    signal: str
    evse: int
    before: object
    change: Change


class World:
    """Tracks per signal and outlet, samples per outlet, the station's configuration, disturbances.

    `apply` takes events in canonical order and returns the edges that they made.
    """

    def __init__(self, facts: Facts, reached_pp: float = REACHED_PP) -> None:
        self.facts = facts
        self.now_ns = 0
        self.ready_ns = 0
        self.shut_ns: int | None = None
        self.ring: deque[Event] = deque(maxlen=RING)
        self.delays: dict[str, int] = {}
        self.samples: dict[int, list[Sample]] = {evse: [] for evse in facts.evses}
        self.energy: dict[int, list[Event]] = {evse: [] for evse in facts.evses}
        self.registers: deque[Event] = deque(maxlen=REMEMBERED)
        self.tx_events: deque[Event] = deque(maxlen=REMEMBERED)
        self.gaps: deque[Event] = deque(maxlen=REMEMBERED)
        self.overruns: deque[Event] = deque(maxlen=REMEMBERED)
        self.late: deque[Event] = deque(maxlen=REMEMBERED)
        self.late_of: dict[str, deque[Event]] = {}
        self.claims = ClaimClock()
        self.wall: tuple[int, int] | None = None
        self._tracks: dict[tuple[str, int], Track] = defaultdict(Track)
        self._books = {evse: ProfileBook() for evse in facts.evses}
        self._cable_a: float | None = facts.rated_a if facts.outlet == "cable" else None
        self._tx: dict[int, str] = {}
        self._all_settings: Event | None = None
        self._over: deque[str] = deque(maxlen=RING)
        self._reset_pending = ""
        self._reached_pp = reached_pp
        self._edges: list[Edge] = []
        self.turned: list[tuple[Edge, Event]] = []
        """Edges that lie between two readings, each with the event by which monitors take it; the group empties it."""
        self.faults: deque[str] = deque(maxlen=REMEMBERED)
        self.doubts: dict[str, float] = {}
        self._followed: Followed | None = None
        self._derives: dict[str, list[str]] = {}
        self._derived: frozenset[str] = frozenset()
        self._own_samples: dict[tuple[str, int], list[Sample]] = {}
        self._permission = Permission(facts, self.track, self._set)
        self._outlets = Outlets(facts, self.track, self._set)
        self._pilot = PilotFacts(facts, self.track, self._set, reached_pp)
        self._handle = self._handlers()
        self.handled = frozenset({*self._handle, "source"})

    def follow(self, signals: Mapping[str, Signal], later: Later) -> None:
        """Keep these signals too, by their definitions and by what they are derived from. `later` sets timers."""
        read = {name: signal for name, signal in signals.items() if signal.reading is not None}
        self._followed = Followed(read, self.facts.evses, self, later)
        self._derived = frozenset(DERIVED.keys() & signals.keys())
        for name in sorted(self._derived):
            for need in DERIVED[name][0]:
                self._derives.setdefault(need, []).append(name)
        self.handled |= self._followed.by_topic.keys()

    @property
    def config(self) -> dict[str, str] | None:
        """The station's configuration as last read back; None when it was not."""
        return self._permission.config

    def track(self, signal: str, evse: int) -> Track:
        """The track of a signal; an empty one when nothing was said of it."""
        if signal.startswith(CONFIG):
            return self._setting_track(signal)
        return self._tracks[signal, 0 if signal in STATION_SIGNALS else evse]

    def _setting_track(self, signal: str) -> Track:
        """A setting that was not among all those of the station: it has none of that name."""
        if (signal, 0) not in self._tracks and self._all_settings is not None:
            self._tracks[signal, 0].push(Change(Mark.of(self._all_settings), "", self._all_settings))
        return self._tracks[signal, 0]

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

    def note(self, event: Event) -> Sequence[Edge]:
        """Take an event that changes no signal: time goes on, and it is there to be shown."""
        stamp = event.stamp
        order_ns = stamp.order_ns
        if order_ns > self.now_ns:
            self.now_ns = order_ns
        self.ring.append(event)
        if event.late or order_ns - stamp.lo_ns > self.delays.get(event.source, DELAY_NS):
            self.late.append(event)
            kept = self.late_of.get(event.topic)
            if kept is None:
                kept = self.late_of[event.topic] = deque(maxlen=LATE_KEPT)
            kept.append(event)
            while kept[0].stamp.order_ns < order_ns - LATE_NS:
                kept.popleft()
        return ()

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

    def evses(self, event: Event) -> Iterable[int]:
        """The outlets an event speaks of: its own, or all when it names none."""
        if event.evse is None:
            return self.facts.evses
        return (event.evse,) if event.evse in self.facts.evses else ()

    def _set(
        self, signal: str, evse: int, value: object, event: Event, *, at: Mark | None = None, why: str = ""
    ) -> None:
        track = self.track(signal, evse)
        before = track.value
        change = Change(at or Mark.of(event), value, event, why)
        if track.push(change):
            self._edges.append(Edge(signal, evse, before, change))
            if signal in ("online", "tx"):
                self._outlets.online(event)
            if signal in self._derives:
                self._derive(signal, evse, event, change.mark)

    # ---- signals by definition, and derived ones

    def outlets(self, event: Event, outlet: int | None) -> Iterable[int]:
        """The outlets that a signal of an event is about: its own, or the one that the definition names."""
        if outlet is None:
            return self.evses(event)
        return (outlet,) if outlet in self.facts.evses else ()

    def turn(self, signal: str, evse: int, change: Change, event: Event) -> None:
        """A follower found a change; `event` is how monitors take it."""
        track = self.track(signal, evse)
        before = track.value
        if track.push(change):
            self.turned.append((Edge(signal, evse, before, change), event))
            self._derive(signal, evse, event, change.mark, turned=True)

    def sampled(self, signal: str, evse: int, event: Event, value: float) -> None:
        """A follower read a number."""
        if signal != "current":
            _keep(self._own_samples.setdefault((signal, evse), []), Sample(event, value), SAMPLES)

    def samples_of(self, signal: str, evse: int) -> list[Sample]:
        """The readings of a sampled signal, oldest first, as far as they are kept."""
        if signal == "current":
            return self.samples[evse]
        return self._own_samples.setdefault((signal, evse), [])

    def faulted(self, event: Event, text: str) -> None:
        """A source contradicts what was declared of its signal."""
        self.faults.append(f"{event.id}: {text}")

    def doubted(self, signal: str, u: float) -> None:
        """The error bound of a signal that is summed up."""
        self.doubts[signal] = max(u, self.doubts.get(signal, 0.0))

    def delay_ns(self, source: str) -> int:
        """How much later than the fact a source tells it at most."""
        return self.delays.get(source, DELAY_NS)

    def gap_ns(self, signal: str, reading: Reading | None) -> int:
        """So long after a reading nothing is known any more: as defined, or as the bench file says of its meter."""
        if reading is not None and signal not in SIGNALS:
            return reading.max_gap_ns
        return round(self.facts.meter_max_gap_s * 1e9)

    def _derive(self, signal: str, evse: int, event: Event, mark: Mark, *, turned: bool = False) -> None:
        for name in self._derives.get(signal, ()):
            for one in self.facts.evses if signal in STATION_SIGNALS else (evse,):
                track = self.track(name, one)
                before = track.value
                needs = [self.track(need, one) for need in DERIVED[name][0]]
                change = derive(name, self.facts, track, needs, mark, event)
                if change is None:
                    continue
                edge = Edge(name, one, before, change)
                if turned:
                    self.turned.append((edge, event))
                else:
                    self._edges.append(edge)
                self._derive(name, one, event, mark, turned=turned)

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

    # ---- pilot

    def _cp_state(self, event: Event) -> None:
        state, pwm = str(event.data["state"]), bool(event.data["pwm"])
        mode = state + ("2" if pwm else "1") if state in "ABCD" else state
        for evse in self.evses(event):
            before = self.track("cp.state", evse).known
            self._set("cp.state", evse, state, event)
            self._set("cp.mode", evse, mode, event)
            self._outlets.plug(evse, event)
            self._pilot.state(evse, event)
            if state == "A" and before not in (None, "A"):
                self._permission.unplugged(evse, event)
            elif state != "A" and before == "A":
                self._permission.plugged(evse, event)

    def _cp_pwm(self, event: Event) -> None:
        duty = float(event.data["duty_pct"])
        offers = bool(event.data["on"]) and offers_current(duty)
        for evse in self.evses(event):
            before = self.track("duty", evse).value
            self._set("pwm", evse, offers, event)
            self._set("duty", evse, duty if offers else 0.0, event)
            self._set("offered", evse, amps_of_duty(duty) if offers else 0.0, event)
            limit = self._books[evse].limit_a()
            if offers and limit is not None and limit < NO_LIMIT_A and isinstance(before, float):
                bound = duty_of_amps(limit) + self._reached_pp
                if before > bound >= duty:
                    self.track("profile.reached", evse).changes.clear()
                    self._set("profile.reached", evse, limit, event)
            self._pilot.pwm(evse, event, before)

    def _output(self, event: Event) -> None:
        for evse in self.evses(event):
            self._set("output", evse, bool(event.data["live"]), event)

    def _lock(self, event: Event) -> None:
        for evse in self.evses(event):
            self._set("lock", evse, bool(event.data["locked"]), event)

    def _stimulus(self, event: Event) -> None:
        verb, args = event.data.get("verb"), cast("dict[str, Any]", event.data.get("args") or {})
        if verb in ("pp", "faults"):
            self._pilot.stimulus(self.evses(event), event)
        if verb == "pp":
            self._outlets.coded(self.evses(event), event)
        if verb == "pp" and self.facts.outlet == "socket":
            ohm = args.get("ohm")
            self._cable_a = None if ohm is None else amps_of_pp(float(ohm))
            for evse in self.evses(event):
                self._allowance(evse, event)
        elif verb == "token":
            self.claims.token(event)
            for evse in self.evses(event):
                self._permission.token(evse, event)
        elif verb in ("mains", "supply", "power") or (
            verb == "relay" and self.facts.mains_relay is not None and args.get("n") == self.facts.mains_relay
        ):
            if args.get("on") is True:
                self._set("boot", 0, "booting", event)
            if isinstance(args.get("on"), bool):
                for evse in self.facts.evses:
                    self._set("supply", evse, args["on"], event)

    # ---- meter

    def _meter(self, event: Event) -> None:
        currents = cast("list[float]", event.data.get("current_a") or [])
        for evse in self.evses(event):
            if currents:
                _keep(self.samples[evse], Sample(event, max(abs(float(value)) for value in currents)), SAMPLES)
            if event.data.get("energy_wh") is not None:
                _keep(self.energy[evse], event, ENERGIES)

    # ---- OCPP

    def _connected(self, event: Event) -> None:
        self._set("connected", 0, True, event)
        self._outlets.operative(event)
        if self._reset_pending:
            self._set("boot", 0, "booting", event)
            self._reset_pending = ""
        elif self.facts.powered_by_bench and self.track("boot", 0).value is None:
            self._set("boot", 0, "booting", event)

    def _disconnected(self, event: Event) -> None:
        self._set("connected", 0, False, event)
        self._set("online", 0, False, event)

    def _boot(self, event: Event) -> None:
        self._reset_pending = ""
        self._set("boot", 0, "booting", event)
        self._set("online", 0, False, event)

    def _boot_answered(self, event: Event) -> None:
        if event.data.get("status") != "Accepted":
            return
        self._set("boot", 0, "accepted", event)
        self._set("online", 0, True, event)
        for evse in self.facts.evses:
            if self.track("status", evse).value is None:
                self._set("status", evse, "unreported", event)
            if self.track("tx", evse).value is None:
                self._set("tx", evse, False, event)
                self._set("tx.state", evse, "none", event)

    def _attached(self, event: Event) -> None:
        self._set("connected", 0, True, event)
        self._outlets.operative(event)
        if self.track("boot", 0).value != "booting":  # served or not: one that was powered up owes its boot first
            self._set("boot", 0, "accepted", event)
        self._set("online", 0, True, event)

    def _reset(self, event: Event) -> None:
        # the station may finish what it is doing; the boot shows on its next connection
        whole = event.evse is None  # 2.x may reset one outlet alone (B12.FR.01): no boot follows
        if event.data.get("accepted") and whole and event.data.get("type") in ("Hard", "Immediate"):
            self._reset_pending = "Hard"

    def _status(self, event: Event) -> None:
        logical = str(event.data.get("logical", "unknown"))
        self.claims.heard(event)
        for evse in self._only(event):
            self._cause_of_status(evse, event)
            self._set("status", evse, None if logical == "unknown" else logical, event)
            self._set("status.sent", evse, str(event.data.get("status")), event)
            self._outlets.reported(evse, event)

    def _cause_of_status(self, evse: int, event: Event) -> None:
        """A status that an edge of the pilot made possible was written after it: that bounds the station's clock."""
        plugged: list[Change] = []  # what the pilot showed since the last state A, newest first
        for change in reversed(self.track("cp.state", evse).changes):
            if change.value == "A":
                break
            plugged.append(change)
        if event.data.get("status") == "Preparing":
            if plugged and self._only_plugged(evse, plugged[-1], event):
                self.claims.caused(event, plugged[-1].mark.stamp.lo_ns)
        elif event.data.get("status") == "Charging":
            # No connector charges before S2 closed. Later closings do not count: the message may be of an earlier one.
            closed = [change for change in plugged if change.value in ("C", "D")]
            if len(closed) == 1:
                self.claims.caused(event, closed[0].mark.stamp.lo_ns)

    def _only_plugged(self, evse: int, plug: Change, event: Event) -> bool:
        """Preparing begins with a card too (1.6 section 7.7): nobody was let in, and the plug came just before.

        Longer before, a card that nobody was told of may have come first, and the message have been held back.
        """
        if plug.value is None or (self.track("auth", evse).value != "no" and self.facts.authorisation != "free"):
            return False
        fresh = event.stamp.hi_ns - plug.mark.stamp.lo_ns < AT_ONCE_NS
        return fresh and self.track("status", evse).value == "available"

    def _only(self, event: Event) -> Iterable[int]:
        """Outlets of a message about a connector: connector 0 is the station itself, no outlet."""
        return () if event.evse is None else self.evses(event)

    def _authorized(self, event: Event) -> None:
        for evse in self.evses(event):
            self._permission.answered(evse, event)

    def _remote_start(self, event: Event) -> None:
        if event.data.get("accepted"):
            for evse in self.evses(event):
                self._permission.begins(evse, event)

    def _remote_stop(self, event: Event) -> None:
        if not event.data.get("accepted"):
            return
        tx = str(event.data.get("tx"))
        for evse in self.evses(event):
            if self._tx.get(evse) == tx:
                self.claims.stop_asked(evse, event)
                self._permission.ends(evse, event)

    def _tx_started(self, event: Event) -> None:
        self.tx_events.append(event)
        self.claims.heard(event)
        for evse in self._begins_on(event):
            self._tx[evse] = str(event.data.get("tx"))
            granted = self.track("auth", evse).last
            self.claims.tx_started(event, granted.event if granted is not None and granted.value == "yes" else None)
            self._set("tx", evse, True, event)
            self._set("tx.state", evse, str(event.data.get("charging_state") or "unreported"), event)

    def _tx_updated(self, event: Event) -> None:
        """A transaction of 2.x may begin before its outlet is known; the first message that names one tells it."""
        tx = str(event.data.get("tx"))
        for evse in self._begins_on(event):
            if evse not in self._tx and tx not in self._over:
                self._tx[evse] = tx
                self._set("tx", evse, True, event)
        for evse in self.evses_of_tx(event):
            self._tx_state(evse, event)

    def _begins_on(self, event: Event) -> Iterable[int]:
        """The outlet of a transaction that begins; where there is only one, it needs no name."""
        return self.facts.evses if event.evse is None and len(self.facts.evses) == 1 else self._only(event)

    def _tx_state(self, evse: int, event: Event) -> None:
        state = event.data.get("charging_state")
        if state:
            self._set("tx.state", evse, str(state), event)

    def _tx_ended(self, event: Event) -> None:
        self.tx_events.append(event)
        self.claims.heard(event)
        for evse in self.evses_of_tx(event):
            self.claims.tx_ended(evse, event)
            self._set("tx", evse, False, event)
            self._set("tx.state", evse, "none", event)
            self._permission.ends(evse, event)
            self._books[evse].end_transaction()
            self._allowance(evse, event)
            self._tx.pop(evse, None)
        self._over.append(str(event.data.get("tx")))

    def evses_of_tx(self, event: Event) -> Iterable[int]:
        """The outlets of a message about a transaction: by its number, or else the outlet it names.

        An outlet that runs another transaction is not meant: what was queued while offline ends nothing of today.
        """
        tx = str(event.data.get("tx"))
        known = [evse for evse, running in self._tx.items() if running == tx]
        return known or [evse for evse in self._only(event) if evse not in self._tx]

    def outlets_stopped(self, event: Event) -> Iterable[int]:
        """The outlets that a remote stop is about: where its transaction runs, or where none is known by number."""
        tx = str(event.data.get("tx"))
        known = [evse for evse, running in self._tx.items() if running == tx]
        return known or [evse for evse in self.evses(event) if evse not in self._tx]

    def _register(self, event: Event) -> None:
        self.claims.heard(event)
        self.registers.append(event)

    def _config(self, event: Event) -> None:
        self._permission.configured(event, booted=self.track("boot", 0).value is not None)

        for key, value in self._permission.config.items() if self._permission.config else ():
            self._set(CONFIG + key, 0, value, event)
        for key in cast("list[Any]", event.data.get("unknown") or []):
            self._set(CONFIG + str(key), 0, "", event)
        if event.data.get("complete"):
            self._all_settings = event
            missing = [name for name, _ in self._tracks if name.startswith(CONFIG)]
            for name in missing:
                if name.removeprefix(CONFIG) not in (self._permission.config or {}):
                    self._set(name, 0, "", event)

    def _setting(self, event: Event) -> None:
        """One that takes effect with the next reboot is not known meanwhile."""
        key, status = CONFIG + str(event.data.get("key")), event.data.get("status")
        if status == "RebootRequired" or event.data.get("accepted"):
            in_force = None if status == "RebootRequired" else str(event.data.get("value"))
            self._permission.changed(str(event.data.get("key")), in_force)
        if status == "RebootRequired":
            self._set(key, 0, None, event, why="it takes effect with a reboot")
        elif event.data.get("accepted"):
            self._set(key, 0, str(event.data.get("value")), event)

    def _profile(self, event: Event) -> None:
        if event.data.get("accepted"):
            for evse in self.evses(event):
                self._books[evse].accept(event.data)
                self._allowance(evse, event)

    def _profile_cleared(self, event: Event) -> None:
        if event.data.get("accepted"):
            for evse in self.evses(event):
                self._books[evse].clear(event.data.get("args"))
                self._allowance(evse, event)

    def _allowance(self, evse: int, event: Event) -> None:
        limit = self._books[evse].limit_a()
        self._set("profile", evse, limit, event)
        self._pilot.profile(evse, event)
        if limit is None or self._cable_a is None or self._books[evse].partial:
            self._set("allowance", evse, None, event, why="cable or profiles are not known")
        else:
            self._set("allowance", evse, min(limit, self._cable_a, self.facts.rated_a), event)

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


def _keep(kept: list[Any], item: Any, most: int) -> None:
    """Append; of more than so many the oldest tenth goes."""
    kept.append(item)
    if len(kept) > most:
        del kept[: most // 10]
