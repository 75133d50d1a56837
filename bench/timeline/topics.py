"""The vocabulary: every topic that may stand on the timeline, with the keys of its data.

Physical topics come from instruments, `ocpp.*` from what the station and the back end said
to each other in words that hold for every OCPP version, `csms.*` from what the back end asked
and how the station answered. Rules, the recorder and the screens use these names and no others.
"""

from __future__ import annotations

from .hints import did_you_mean

__all__ = ["TOPICS", "check_topic"]

TOPICS: dict[str, str] = {
    # control pilot and proximity (driver of the pilot emulator)
    "cp.state": "state (A..F), pwm (bool), high_v, low_v: the level classified, on change of either",
    "cp.volts": "high_v, low_v: measured at the station's side of the emulator, on change",
    "cp.pwm": "on (bool), duty_pct, freq_hz: 100 = static high, 0 = static low; on change",
    "output": "live (bool, any phase), phases (list of bool), kind, delay of the sense in the stamp",
    "lock": "locked (bool)",
    "pilot.reset": "why: the emulator restarted; its resistor is A",
    # the vehicle's own side
    "ev.status": "plugged, s2_wish, soc_pct, current_a, battery_v, counter",
    "ev.command": "plugged, s2_closed, max_current_a, charge: what the bench tells the EV simulator, on change",
    # energy meter of the bench
    "meter.sample": "power_w, current_a (list), voltage_v (list), energy_wh (decimal text)",
    # what the bench did
    "stimulus": "device, verb, args: stamped from the write to the acknowledgement",
    "phase": "name: the step of the case that begins; case: its name",
    # OCPP on the wire
    "ocpp.frame": "station, dir (rx|tx), kind (text|binary|ping|pong|close); raw = the text",
    "ocpp.connected": "station, version, subprotocols, remote",
    "ocpp.disconnected": "station, code, reason",
    "ocpp.refused": "station, status, reason: a handshake that was turned away",
    "ocpp.call": "station, dir, action, message_id, payload, asked (bool: the back end asked for it)",
    "ocpp.result": "station, dir, action, message_id, payload, latency_ms",
    "ocpp.error": "station, dir, action, message_id, code, description",
    "ocpp.violation": "station, layer (frame|rpc|schema|sequencing), code, text, action",
    # OCPP in words that hold for every version
    "ocpp.boot": "station, model, vendor, firmware: the station reports a boot",
    "ocpp.boot.answered": "station, status (Accepted|Pending|Rejected), interval_s",
    "ocpp.attached": "station, how: a station that is served without a new boot",
    "ocpp.heartbeat": "station",
    "ocpp.status": "station, connector, status (as sent), logical (available|occupied|faulted|"
    "unavailable|reserved|unknown), error, claim",
    "ocpp.authorized": "station, id_tag, status, accepted (bool), how (authorize|start|remote)",
    "ocpp.tx.started": "station, tx, id_tag, meter_wh (decimal text), claim, accepted",
    "ocpp.tx.ended": "station, tx, reason, meter_wh (decimal text), claim, orphan (bool)",
    "ocpp.register": "station, tx, context, value_wh (decimal text), claim: Energy.Active.Import.Register",
    "ocpp.clock": "station, offset_lo_s, offset_hi_s, step (bool: it was set): the station's clock against the bench's",
    "station.config": "station, values (key -> text), unknown (list): read back from the station",
    # what the back end asked; accepted = the station's answer
    "csms.request": "station, verb, args, accepted (bool), status, latency_ms: any request",
    "csms.charging_profile": "station, connector, limit_a, purpose, stack_level, tx, accepted, status",
    "csms.profile_cleared": "station, accepted, status",
    "csms.remote_start": "station, id_tag, accepted, status",
    "csms.remote_stop": "station, tx, accepted, status",
    "csms.reset": "station, type, accepted, status",
    # the bench itself
    "source": "name, rank: a source is born",
    "tick": "upto_ns: this source promises nothing older than this",
    "gap": "from_ns, to_ns, why: this source may have missed something",
    "clock.model": "domain, epoch, offset_lo_ns, offset_hi_ns: device clock to bench clock",
    "clock.conflict": "domain, epoch, missing_ns, why: two of the bench's own times contradict each other",
    "clock.anchor": "mono_ns, wall_ns: the wall clock at one instant of the bench clock",
    "device.state": "device, state (IDLE|ACTIVE|DEGRADED|FAULTED|UNKNOWN), why",
    "bench.state": "state (starting|ready|running|making-safe|safe|unsafe|closed), why",
    "safe.step": "step, ok (bool), detail: one step of making safe",
    "twin.overrun": "who (model|station), from_ns, to_ns: the twin stood still on the bench clock",
    "twin.note": "text: what a process of the twin has to say",
    "dut.alive_without_mains": "station: it still talks OCPP although its supply is off",
    "verdict": "rule, verdict, reason, text: one decided instance, for the screens; never read by the engine",
}
"""Topic -> the keys of its data, with units in their names."""


def check_topic(topic: str) -> None:
    """Refuse a topic that is not in the vocabulary.

    Raises:
        ValueError: it is not; names the nearest one.
    """
    if topic in TOPICS:
        return
    raise ValueError(f"unknown topic {topic!r}{did_you_mean(topic, TOPICS)}")
