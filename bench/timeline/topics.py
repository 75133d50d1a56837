"""The vocabulary: every topic that may stand on the timeline, with the keys of its data.

Physical topics come from instruments, `ocpp.*` from what the station and the back end said
to each other in words that hold for every OCPP version, `csms.*` from what the back end asked
and how the station answered. Rules, the recorder and the screens use these names and no others;
a laboratory's own topics begin with `lab.`. `docs/vocabulary.md` says which OCPP message each
topic comes from, version by version.
"""

from __future__ import annotations

import functools
import re

from .hints import did_you_mean

__all__ = ["TOPICS", "check_topic", "keys_of", "kind_of"]

_TX = (
    "station, tx (number in 1.6, text in 2.x), connector, id_tag (as sent in this message), meter_wh (decimal text), "
    "claim, via (the message), seq_no, trigger (triggerReason), charging_state, offline (bool), remote_start_id, "
    "reservation, operation_mode, phases_used, cable_a"
)
"""Keys of the three topics of a transaction; None where the version or the message does not say."""

TOPICS: dict[str, str] = {
    # control pilot and proximity (driver of the pilot emulator)
    "cp.state": "state (A..F), pwm (bool), high_v, low_v: the level classified, on change of either",
    "cp.volts": "high_v, low_v: measured at the station's side of the emulator, on change",
    "cp.pwm": "on (bool), duty_pct, freq_hz (None: not measured exactly enough): 100 = static high, 0 = static low; on "
    "change",
    "output": "live (bool, any phase), phases (list of bool), kind: voltage at the outlet; the stamp holds the delay",
    "lock": "locked (bool)",
    "pilot.reset": "why: the emulator restarted; its resistor is A",
    # the vehicle's own side
    "ev.status": "plugged, s2_wish, soc_pct, current_a, battery_v, counter",
    "ev.command": "plugged, s2_closed, max_current_a, charge: what the bench tells the EV simulator, on change",
    # the station as it sees itself, through a port of its own
    "evse.monitor": "via (poll|AT|AB|AN|WF), state (A..D, or what keeps it from charging), pilot_state, flags (list), "
    "elapsed_s, current_a, voltage_v, limit_a (offered now), max_current_a, settings (hex), temperatures_c (list), "
    "session_wh, total_wh, gfi_trips, no_ground_trips, stuck_relay_trips, post_code, firmware",
    "can.error": "kind (error-frame|warning|passive|bus-off|overrun|refused|lost), detail: what an adapter says of its "
    "bus; each kind once a second at most",
    "can.frames": "dir (rx|tx), count, frames (text): everything on a bus, one event for what was read at once, as "
    "`201#0011 305#AABB@150`: identifier (8 digits for 29 bits) and data in hex, and where the adapter stamps "
    "by itself the microseconds after the stamp's lo_ns",
    "chademo.charger": "protocol, available_v, available_a, threshold_v, voltage_v, current_a, charging, malfunction, "
    "locked, incompatible, system_malfunction, stop, remaining_s, welding_detection: what a CHAdeMO charger says of "
    "itself",
    "chademo.silent": "why: what a CHAdeMO charger said last is over; what its output does now it does not say",
    "chademo.vehicle": "phase (out|waiting|checked|refused|permitted|closed|charging|stopping|stopped), why, "
    "request_a, permit (bool), contactor_open (bool), faults (bits as in its frame): how far the car is",
    # energy meter of the bench
    "meter.sample": "power_w, current_a (list), voltage_v (list), frequency_hz, energy_wh (decimal text), "
    "energy_step_wh (resolution)",
    "supply.sample": "power_w, current_a (list), voltage_v (list), frequency_hz, energy_wh (decimal text), "
    "energy_step_wh (resolution): of the station's supply; what it loses and uses for itself is in it",
    # DC side, supplies and loads
    "power.sample": "voltage_v, current_a, power_w, on (bool): as the device itself measures it",
    "relay.state": "n, duty (mains|pe|rcd|dc-leak|aux), on (bool), observed (bool: read back; else only commanded): on "
    "change; mains on = the station is fed, pe on = protective earth is connected, rcd and dc-leak on = a residual "
    "current flows",
    # what the bench did
    "stimulus": "device, verb, args: stamped from the write to the acknowledgement",
    "phase": "name, case: the step of the case that begins, and the case's name",
    # OCPP on the wire
    "ocpp.frame": "station, dir (rx|tx), kind (text|binary|ping|pong|close), code, reason, bytes, hex (bool), "
    "unsent_bytes, fragments (frames that a message came in, where there were several), "
    "rtt_ms (of a pong that answers the back end): raw = the text",
    "ocpp.connected": "station, version, subprotocols, remote, auth, profile (security profile 0..3), "
    "tls (its version), subject (of the client certificate)",
    "ocpp.disconnected": "station, code, reason",
    "ocpp.refused": "station, status, reason, remote, auth: a handshake that was turned away",
    "ocpp.call": "station, dir, action, message_id, payload, asked (bool, the back end asked for it), send (bool): "
    "send = it is never answered (2.1)",
    "ocpp.result": "station, dir, action, message_id, payload, latency_ms, by (behaviour|default|script): where an "
    "answer of the back end comes from",
    "ocpp.error": "station, dir, action, message_id, code, description, of (call|result): what could not be taken",
    "ocpp.violation": "station, layer (frame|rpc|schema|sequencing|security), code, text, action, dir",
    # OCPP in words that hold for every version
    "ocpp.boot": "station, model, vendor, firmware, reason (2.x only): the station reports a boot",
    "ocpp.boot.answered": "station, status (Accepted|Pending|Rejected), interval_s",
    "ocpp.attached": "station, how: a station that is served without a new boot",
    "ocpp.heartbeat": "station",
    "ocpp.status": "station, connector (0 the station itself), component (Connector|EVSE|ChargingStation), "
    "status (as sent), logical (available|occupied|faulted|unavailable|reserved|unknown), error, claim, "
    "via (StatusNotification|NotifyEvent)",
    "ocpp.problem": "station, connector, component, variable, problem (lock|ground|over-current|over-voltage|"
    "under-voltage|supply|over-temperature|power-switch|meter|reader|ev|signal|emergency-stop|internal|other), "
    "active (bool), code, vendor_code, info, claim, via: a fault that the station names, and its end",
    "ocpp.authorized": "station, id_tag, status, accepted (bool), how (authorize|start|remote), tx",
    "ocpp.tx.started": _TX + ", accepted (1.6 only): the answer to its token is ocpp.authorized how start",
    "ocpp.tx.updated": _TX + ": something of a running transaction changed",
    "ocpp.tx.ended": _TX + ", reason, orphan (bool): its start was not seen",
    "ocpp.register": "station, tx, context, value_wh (decimal text), claim: Energy.Active.Import.Register of the "
    "outlet, all phases",
    "ocpp.value": "station, tx, measurand, phase, location, context, value (decimal text), unit (without kilo), claim: "
    "any other measured value",
    "ocpp.variable": "station, name (as in station.config), value, trigger (Alerting|Delta|Periodic), cleared (bool), "
    "tx, claim, after_s (decimal text, to add to claim), via: what a monitor of the station reports, 2.x",
    "ocpp.reservation": "station, reservation, status (Expired|Removed|NoTransaction): it is over, 2.x",
    "ocpp.firmware": "station, status (as sent), request_id, via: how far an update of the firmware is",
    "ocpp.log": "station, kind (diagnostics|log), status (as sent), request_id, via: how far an upload is",
    "ocpp.security_event": "station, type, info, claim",
    "ocpp.monitor": "station, monitor (its id), name (as in station.config), type, kind (HardWired|Preconfigured|"
    "Custom; reports of 2.0.1 do not say), value (decimal text), severity, transaction (bool), request_id, via: a "
    "monitor that the station has",
    "ocpp.clock": "station, offset_lo_s, offset_hi_s, step (bool: it was set): the station's clock against the bench's",
    "station.config": "station, values (key -> text), unknown (list), complete (bool, it was asked for "
    "all): all that was read back from the station so far",
    # what the back end asked; accepted and status = the station's answer; sent_ns = when the request was sent;
    # late = the answer came after the back end had given up waiting
    "csms.request": "station, verb, args, accepted (bool), status, latency_ms, sent_ns: any request",
    "csms.charging_profile": "station, connector, limit_a, max_limit_a, limit_w, max_limit_w, purpose, "
    "stack_level, profile_id, tx, accepted (bool), status, sent_ns, late",
    "csms.profile_cleared": "station, args, accepted (bool), status, sent_ns, late",
    "csms.remote_start": "station, connector, id_tag, remote_start_id, tx, accepted (bool), status, sent_ns, late",
    "csms.remote_stop": "station, tx, accepted (bool), status, sent_ns, late",
    "csms.reset": "station, type (as sent), logical (hard|soft|idle|resume), accepted (bool), status, sent_ns, late",
    "csms.availability": "station, connector, operative (bool), accepted (bool), status, sent_ns, late",
    "csms.unlock": "station, connector, accepted (bool), status, sent_ns, late",
    "csms.trigger": "station, connector, message, accepted (bool), status, sent_ns, late",
    "csms.reservation": "station, connector, reservation, verb (reserve|cancel), id_tag, expires (as sent), "
    "accepted (bool), status, sent_ns, late",
    "csms.setting": "station, key (as in station.config), value, accepted (bool), status, sent_ns, late: one setting "
    "of a request that writes some",
    "csms.tx_status": "station, tx, ongoing (bool), messages_in_queue (bool), accepted (bool), status, sent_ns, late",
    "csms.local_list": "station, version, update (Full|Differential), entries, accepted (bool), status, sent_ns, late",
    # what the back end does beside the messages
    "csms.misbehaviour": "station, action, what (reply|delay|silence|error|wrong-id|malformed|duplicate|close|"
    "half-open|reset|restart|blackhole|bandwidth|latency|restored), message_id, detail, until_ns (so long it may "
    "excuse the station), of (ids of the events that it ends), nth (how many answers to this action in a row): the "
    "back end breaks the rules on purpose, or (no until_ns) does what it may",
    "csms.file": "station, dir (download|upload), path, status (of HTTP), ok (bool), bytes, total_bytes, range, "
    "remote, sha256, file (where an upload lies), fault, why, begun_ns: one transfer at the file port, whole or not",
    "csms.certificate": "station, verb (requested|signed|installed|listed|deleted|checked|provided), type, request_id, "
    "subject, serial, key (SHA-256 of the public key), accepted (bool), status, via, why",
    # the bench itself
    "source": "name, rank, topics (list), delay_ns: a source is born, or says what it speaks of and how late at most",
    "tick": "upto_ns: this source promises nothing older than this",
    "bench.left_over": "station, what (transaction|profiles|reservation|charging), id, evse, done (cleared|kept|lost|"
    "refused|none), detail: something of an earlier run that was found before this one",
    "gap": "from_ns, to_ns, why: this source may have missed something",
    "clock.model": "domain, epoch, offset_lo_ns, offset_hi_ns: device clock to bench clock",
    "clock.conflict": "domain, epoch, missing_ns, why: two of the bench's own times contradict each other",
    "clock.anchor": "mono_ns, wall_ns: the wall clock at one instant of the bench clock",
    "device.state": "device, state (IDLE|ACTIVE|DEGRADED|FAULTED|UNKNOWN), why",
    "bench.state": "state (starting|ready|running|making-safe|safe|unsafe|closed), why",
    "safety.arm": "state (armed|disarmed|expired|not-needed), until (wall clock), by, faults (list), csms (list), why",
    "safety.trip": "cause, device, why: the supervisor makes the bench safe and ends the run",
    "estop": "tripped (bool), input, why: the state of an emergency stop, as an instrument reports it",
    "guardian": "state (not-needed|started|late|acting|ended|lost), detail: the process that makes safe when this one "
    "cannot",
    "safe.step": "step, ok (bool), detail: one step of making safe",
    "twin.overrun": "who (model|station), from_ns, to_ns: the twin stood still on the bench clock",
    "twin.fault": "name, on (bool), device (None: an outlet), args: something of the twin broke or was mended",
    "twin.note": "text: what a process of the twin has to say",
    "dut.alive_without_mains": "station: it still talks OCPP although its supply is off",
    "verdict": "rule, verdict, reason, text: one decided instance, for the screens; never read by the engine",
}
"""Topic -> the keys of its data, with units in their names: `key (its values), key, ...: remark`."""

_LAB = re.compile(r"lab(\.[a-z0-9][a-z0-9_-]*)+\Z")

_KINDS = {
    **dict.fromkeys(("cp", "output", "lock", "pp", "pilot"), "pilot"),
    **dict.fromkeys(("can", "chademo"), "ev"),
    **dict.fromkeys(("ocpp", "csms", "station"), "csms"),
    **dict.fromkeys(("stimulus", "phase", "source", "tick", "gap", "clock", "device", "bench", "safe"), "bench"),
    **dict.fromkeys(("twin", "dut", "verdict", "safety", "guardian"), "bench"),
}
"""First part of a topic -> kind of source, where it is not the same word."""


def check_topic(topic: str) -> None:
    """Refuse a topic that is not in the vocabulary. A laboratory's own (`lab.door`) is always allowed.

    Raises:
        ValueError: it is not; names the nearest one.
    """
    if topic in TOPICS or _LAB.match(topic):
        return
    if topic == "lab" or topic.startswith("lab."):
        raise ValueError(f"topic {topic!r} is no name: after `lab.` come small letters, digits, - and _ (lab.door)")
    raise ValueError(f"unknown topic {topic!r}{did_you_mean(topic, TOPICS)}")


@functools.cache
def keys_of(topic: str) -> tuple[str, ...] | None:
    """The keys of a topic's data, in the order of the vocabulary; None for a `lab.` topic, which may have any.

    Raises:
        ValueError: the topic is not in the vocabulary.
    """
    check_topic(topic)
    if topic not in TOPICS:
        return None
    listed = re.sub(r"\([^)]*\)", "", TOPICS[topic]).partition(":")[0]
    return tuple(key.strip() for key in listed.split(","))


def kind_of(topic: str) -> str:
    """Which kind of source speaks of a topic: pilot, meter, ev, csms, bench, or the first part of its name."""
    first = topic.partition(".")[0]
    return _KINDS.get(first, first)
