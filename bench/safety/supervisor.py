"""The supervisor's judgement: when the bench itself is in danger. Pure: events and instants in, a trip out.

It judges on arrival and does not wait for watermarks, as rules do: it protects the bench, and blames nobody. What a
station may do wrong for a moment is left to the rules, so each danger has to last for a while, counted on the
measured instants: from the latest at which it can have begun to the earliest at which it was still so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from ..timeline import Event
from .delivered import Delivered
from .senses import Senses

__all__ = ["Supervisor", "Trip", "Watch"]

LOST = ("FAULTED", "UNKNOWN")
GONE = (*LOST, "IDLE")
RECORDER = "recorder"
PLUGGED = ("B", "C", "D")
S2_CLOSED = ("C", "D")
HOT = ("temperature_c", "temperatures_c")
RECONNECTED_NS = 10 * 10**9
"""After a station came back it tells first what it did meanwhile; so long its silence about authorisation counts for
nothing."""


class Watch(msgspec.Struct, frozen=True):
    """What is looked for, and for how many seconds it must last. `meters`, `energising`: device -> outlet.

    `most_a` per phase; `most_v` phase to neutral; `most_wh` of one outlet in this run; `no_current_a` is the reading
    that still counts as no current. `e_stop` names the device that reports the emergency stop. `mains`: device and
    number of each relay through which the station is fed. `loads`: devices whose voltmeter sees the output.
    """

    no_current_a: float
    most_a: float
    most_v: float
    most_wh: float
    most_c: float
    authorisation: bool
    current_in_a_s: float
    unauthorised_s: float
    over_limit_s: float
    meter_silent_s: float
    device_lost_s: float
    meters: Mapping[str, int] = {}
    energising: Mapping[str, int] = {}
    e_stop: str | None = None
    mains: frozenset[tuple[str, int]] = frozenset()
    loads: frozenset[str] = frozenset()


class Trip(msgspec.Struct, frozen=True):
    """Why the bench is to be made safe now. `cause` is one word, `device` who saw it, `why` a sentence."""

    cause: str
    device: str
    why: str
    evse: int | None = None


class _Outlet:
    """What is known of one outlet."""

    def __init__(self, now_ns: int, loads: frozenset[str]) -> None:
        self.state: str | None = None
        """What the vehicle shows on CP; None before it was told."""
        self.plugged: bool | None = None
        self.s2_closed = False
        self.senses = Senses(loads)
        self.current_a = 0.0
        self.tells_current = False
        """The meter has told the current of a phase at least once."""
        self.heard_ns = now_ns
        self.authorised = False
        self.in_transaction = False
        self.delivered = Delivered()

    def energised(self, no_current_a: float) -> bool:
        """Voltage is there, or was when a sense fell silent, or current; where no sense says, a closed S2 counts."""
        live = self.senses.live
        if live or self.senses.lost or self.current_a > no_current_a:
            return True
        return live is None and self.s2_closed

    def shows(self, state: str) -> None:
        """CP changed: without the vehicle, a card that nobody used yet is forgotten."""
        if state == "A" and self.state != "A" and not self.in_transaction:
            self.authorised = False
        self.state = state


class Supervisor:
    """Follows one run from `now_ns` on. `look` takes every event, `tick` the time; both may return a trip."""

    def __init__(self, watch: Watch, now_ns: int) -> None:
        self._watch = watch
        self._outlets: dict[int, _Outlet] = {}
        self._now_ns = now_ns
        self._begun: dict[tuple[str, str], int] = {}
        self._lost: dict[str, tuple[int, str]] = {}
        self._feeds: set[tuple[str, int | None]] = set()
        """Supplies (None) and relays that are on, and feed the station."""
        self._online = False
        self._online_ns = now_ns
        self._e_stops = {watch.e_stop} if watch.e_stop else set[str]()

    def energised(self) -> bool:
        """Whether any outlet is, as far as is known."""
        return any(outlet.energised(self._watch.no_current_a) for outlet in self._outlets.values())

    def authorise(self, evse: int) -> None:
        """A transaction of an earlier run is open there."""
        outlet = self._outlet(evse)
        outlet.authorised = outlet.in_transaction = True

    def stood_still(self, from_ns: int, to_ns: int) -> None:
        """Nobody could tell anything meanwhile: what was waited for does not count against a device."""
        for outlet in self._outlets.values():
            outlet.heard_ns = min(to_ns, outlet.heard_ns + (to_ns - from_ns))
        for name, (since_ns, why) in self._lost.items():
            self._lost[name] = min(to_ns, since_ns + (to_ns - from_ns)), why

    # ---- what happened

    def look(self, event: Event) -> Trip | None:
        """Take one event on its arrival."""
        data, topic = event.data, event.topic
        outlet = self._outlet(event.evse or 1)
        match topic:
            case "meter.sample":
                return self._metered(event, outlet)
            case "supply.sample":
                outlet.heard_ns = max(outlet.heard_ns, event.stamp.order_ns)
                return self._delivered(event, outlet)
            case "cp.state":
                outlet.shows(str(data["state"]))
            case "stimulus" if data["verb"] == "resistor":
                state = data["args"].get("state")
                outlet.plugged, outlet.s2_closed = state in PLUGGED, state in S2_CLOSED
            case "stimulus" if data["verb"] in ("supply.output", "relay"):
                self._switched(str(data["device"]), data["args"])
            case "pilot.reset":
                outlet.plugged, outlet.s2_closed = False, False
            case "power.sample":
                outlet.senses.take(event)
                return self._over(event, _highest(data["current_a"]), _highest(data["voltage_v"]))
            case "output" | "chademo.charger" | "chademo.silent":
                outlet.senses.take(event)
            case "device.state":
                return self._device(event, str(data["device"]), str(data["state"]), str(data.get("why") or ""))
            case "estop":
                self._e_stops.add(event.source)
                if data["tripped"]:
                    return Trip("estop", event.source, f"the emergency stop at {event.source} is pressed")
            case "guardian":
                return self._guardian(str(data["state"]), str(data.get("detail") or ""))
            case "twin.overrun":
                self.stood_still(int(data["from_ns"]), int(data["to_ns"]))
            case _:
                if topic.startswith("ocpp."):
                    self._heard(event)
        for key in HOT:
            if key in data:
                return self._temperature(event, _highest(data[key]))
        return None

    def tick(self, now_ns: int) -> Trip | None:
        """Time goes on: is anything silent, or lost, for too long?"""
        self._now_ns = now_ns
        watch = self._watch
        for name, evse in watch.meters.items():
            outlet = self._outlet(evse)
            silent_s = (now_ns - outlet.heard_ns) / 1e9
            if not outlet.energised(watch.no_current_a):
                outlet.heard_ns = max(outlet.heard_ns, now_ns - round(watch.meter_silent_s * 5e8))
            elif silent_s > watch.meter_silent_s:
                return Trip("meter-silent", name, f"no reading of {name} for {silent_s:.1f} s while energised", evse)
        for name, (since_ns, why) in self._lost.items():
            for_s = (now_ns - since_ns) / 1e9
            # Its own sense may have seen the output go dead: then nothing is in danger.
            still = self._outlet(watch.energising[name]).energised(watch.no_current_a)
            if still and for_s > watch.device_lost_s:
                return Trip("device-lost", name, f"{name} is lost for {for_s:.1f} s, and was energised: {why}")
        return None

    # ---- one kind of event each

    def _metered(self, event: Event, outlet: _Outlet) -> Trip | None:
        watch, data, source = self._watch, event.data, event.source
        amps = _highest(data["current_a"])
        volts = _highest(data["voltage_v"])
        outlet.current_a = amps
        if data["current_a"] or not outlet.tells_current:
            # One that had currents and has none any more is silent about what counts.
            outlet.heard_ns = max(outlet.heard_ns, event.stamp.order_ns)
        outlet.tells_current = outlet.tells_current or bool(data["current_a"])
        flows = amps > watch.no_current_a
        away = outlet.plugged is False or outlet.state == "A"
        trips = (
            self._lasts(event, "current-in-a", flows and away, watch.current_in_a_s),
            self._lasts(event, "unauthorised", flows and self._unasked(outlet, event), watch.unauthorised_s),
        )
        over = self._over(event, amps, volts)
        energy = self._delivered(event, outlet)
        if trips[0] is not None:
            return Trip("current-in-a", source, f"{amps:.1f} A {trips[0]}, with no vehicle plugged", event.evse)
        if trips[1] is not None:
            return Trip("unauthorised", source, f"{amps:.1f} A {trips[1]} without authorisation", event.evse)
        return over or energy

    def _delivered(self, event: Event, outlet: _Outlet) -> Trip | None:
        """More energy than the envelope allows. A meter at the supply counts what the station uses for itself, too."""
        wh, most_wh = outlet.delivered.take(event.data, event.stamp), self._watch.most_wh
        if wh <= most_wh:
            return None
        why = f"{wh:.0f} Wh delivered in this run; [envelope] energy allows {most_wh:.0f} Wh"
        return Trip("energy", event.source, why, event.evse)

    def _over(self, event: Event, amps: float, volts: float) -> Trip | None:
        """More than the envelope allows, as a meter, a supply or a load measures it."""
        watch = self._watch
        current = self._lasts(event, "over-current", amps > watch.most_a, watch.over_limit_s)
        voltage = self._lasts(event, "over-voltage", volts > watch.most_v, watch.over_limit_s)
        if current is not None:
            why = f"{amps:.1f} A {current}, above {watch.most_a:.1f} A"
            return Trip("over-current", event.source, why, event.evse)
        if voltage is not None:
            return Trip(
                "over-voltage", event.source, f"{volts:.0f} V {voltage}, above {watch.most_v:.0f} V", event.evse
            )
        return None

    def _lasts(self, event: Event, cause: str, holds: bool, for_s: float) -> str | None:
        """`for 3.1 s` once it held in every reading for at least so long."""
        key = (cause, event.source)
        if not holds:
            self._begun.pop(key, None)
            return None
        begun_ns = self._begun.setdefault(key, event.stamp.hi_ns)
        lasts_s = (event.stamp.lo_ns - begun_ns) / 1e9
        return f"for {lasts_s:.1f} s" if lasts_s >= for_s else None

    def _unasked(self, outlet: _Outlet, event: Event) -> bool:
        """Current here is not authorised, and the station could have said so if it were.

        A station that is not connected may know a card by itself (its cache, its local list) and tells later.
        """
        if not self._watch.authorisation or outlet.authorised or not self._online:
            return False
        return event.stamp.lo_ns - self._online_ns > RECONNECTED_NS

    def _heard(self, event: Event) -> None:
        data = event.data
        match event.topic:
            case "ocpp.boot.answered" | "ocpp.attached" | "ocpp.connected":
                if not self._online:
                    self._online, self._online_ns = True, event.stamp.order_ns
            case "ocpp.disconnected":
                self._online = False
            case "ocpp.authorized" if data.get("accepted"):
                for outlet in self._outlets.values() if event.evse is None else [self._outlet(event.evse)]:
                    outlet.authorised = True
            case "ocpp.tx.started" | "ocpp.tx.updated" if data.get("accepted") is not False:
                outlet = self._outlet(event.evse or 1)
                outlet.in_transaction = True
                # In 2.x a transaction may begin when the vehicle is plugged, and its card come later.
                outlet.authorised = outlet.authorised or data.get("id_tag") is not None
            case "ocpp.tx.ended":
                outlet = self._outlet(event.evse or 1)
                outlet.authorised = outlet.in_transaction = False
            case _:
                pass

    def _device(self, event: Event, name: str, state: str, why: str) -> Trip | None:
        watch = self._watch
        if name == RECORDER and state in LOST:
            return Trip("not-recorded", name, f"nothing is recorded any more ({why}): what follows could not be proven")
        if name in self._e_stops and state in GONE:
            return Trip(
                "estop", name, f"{name}, which reports the emergency stop, is lost ({why}): it reads as tripped"
            )
        if state == "UNKNOWN" and any(device == name for device, _ in self._feeds):
            return Trip("supply-lost", name, f"{name} feeds the station, and nobody knows what it does: {why}")
        if name not in watch.energising:
            return None
        if state in LOST:
            if self._outlet(watch.energising[name]).energised(watch.no_current_a):
                self._lost.setdefault(name, (event.stamp.order_ns, why))
        else:
            self._lost.pop(name, None)
        return None

    def _switched(self, device: str, args: Mapping[str, Any]) -> None:
        number = args.get("n")
        if number is None or (device, number) in self._watch.mains or args.get("duty") == "mains":
            (self._feeds.add if args.get("on") else self._feeds.discard)((device, number))

    def _guardian(self, state: str, detail: str) -> Trip | None:
        if state == "lost":
            return Trip("guardian", "guardian", f"the guardian is lost ({detail or 'no reason known'})")
        if state == "acting":
            return Trip("guardian", "guardian", f"the guardian took over ({detail or 'no reason known'})")
        return None

    def _temperature(self, event: Event, hot_c: float) -> Trip | None:
        most_c = self._watch.most_c
        lasts = self._lasts(event, "over-temperature", hot_c > most_c, self._watch.over_limit_s)
        if lasts is None:
            return None
        return Trip("over-temperature", event.source, f"{hot_c:.0f} degC {lasts}, above {most_c:.0f} degC", event.evse)

    def _outlet(self, evse: int) -> _Outlet:
        if evse not in self._outlets:
            self._outlets[evse] = _Outlet(self._now_ns, self._watch.loads)
        return self._outlets[evse]


def _highest(value: object) -> float:
    """The highest amount in a reading of one value or several; what is no number counts for none."""
    many = cast("list[Any]", value) if isinstance(value, list) else [value]
    numbers = [abs(float(one)) for one in many if isinstance(one, (int, float))]
    return max((one for one in numbers if not math.isnan(one)), default=0.0)
