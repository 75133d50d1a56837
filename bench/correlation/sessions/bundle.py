"""Facts that are one message, and the topics that sessions are made of."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from ...timeline import Event
from .keys import Keys
from .session import ChargingSession, Member, TrackName

__all__ = ["INTERRUPTIONS", "MESSAGES", "PHYSICAL", "PROTOCOL", "SAMPLES", "Bundle", "physical_phase"]

SAMPLES = frozenset({"meter.sample", "ev.status", "cp.volts"})
"""Facts that come all the time: counted in a session, not listed."""
PHYSICAL = frozenset({"cp.pwm", "output", "lock", "stimulus", "pilot.reset", "ev.command"})
PROTOCOL = frozenset(
    {
        "ocpp.call",
        "ocpp.result",
        "ocpp.error",
        "ocpp.status",
        "ocpp.authorized",
        "ocpp.tx.started",
        "ocpp.tx.updated",
        "ocpp.tx.ended",
        "ocpp.register",
        "ocpp.value",
        "ocpp.problem",
        "csms.availability",
        "csms.charging_profile",
        "csms.remote_start",
        "csms.remote_stop",
        "csms.tx_status",
        "csms.unlock",
    }
)
MESSAGES = frozenset({"ocpp.call", "ocpp.result", "ocpp.error"})
INTERRUPTIONS = frozenset({"ocpp.connected", "ocpp.disconnected", "ocpp.boot", "ocpp.attached", "csms.reset"})
"""What interrupts a session and does not end it."""


class Bundle(msgspec.Struct, eq=False):
    """A message with its answer and what was made of it, or a single fact.

    - `session`, `sure`: where it is; `sure` is False when only its time puts it there.
    - `put`: how many of its facts stand in that session.
    - `settled`: where it is will not be revised.
    - `doubted`: sessions that fit equally well. `why`: why it is in none.
    """

    keys: Keys
    order_ns: int
    members: list[Member] = msgspec.field(default_factory=list[Member])
    session: ChargingSession | None = None
    sure: bool = False
    settled: bool = False
    put: int = 0
    doubted: list[ChargingSession] = msgspec.field(default_factory=list[ChargingSession])
    why: str = ""

    @property
    def weak(self) -> bool:
        """It says who wants to charge; the session may come later."""
        return self.keys.role in ("authorise", "remote_start")

    def note(self, event: Event, track: TrackName, phase: str) -> Member:
        """Add an event."""
        member = Member(event.id, event.topic, phase, track, event.order)
        self.members.append(member)
        return member


def physical_phase(event: Event, session: ChargingSession | None) -> str:
    """The phase a physical fact begins; "" for one that leaves it as it is."""
    data = event.data
    energised = session is not None and session.energised
    if event.topic == "cp.state":
        state = str(data.get("state"))
        if state == "A":
            return "unplug"
        if state in ("C", "D"):
            return "energise" if data.get("pwm") else "stop" if energised else ""
        if state != "B":
            return "disturbance"
        return "stop" if energised else ""
    if event.topic == "cp.pwm" and not data.get("on"):
        return "stop" if energised else ""
    if event.topic in ("cp.pwm", "output"):
        on = bool(data.get("on") or data.get("live"))
        return "" if on is energised else "energise" if on else "stop"
    if event.topic == "pilot.reset":
        return "disturbance"
    if event.topic == "stimulus":
        return _stimulus_phase(data, session)
    return ""


def _stimulus_phase(data: dict[str, Any], session: ChargingSession | None) -> str:
    verb, args = data.get("verb"), cast("dict[str, Any]", data.get("args") or {})
    if verb == "pp":
        return "unplug" if args.get("ohm") is None else "plug-in"
    if verb == "resistor":
        state = args.get("state")
        if state == "A":
            return "unplug"
        if state in ("C", "D"):
            return "energise"
        if state == "B":
            return "plug-in" if session is None or session.plugged is None else "stop"
        return "disturbance"
    if verb == "faults" and args.get("flags"):
        return "disturbance"
    return "authorise" if verb == "token" else ""
