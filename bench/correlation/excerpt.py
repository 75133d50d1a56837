"""The text of a verdict: the timeline around it, with what was measured and why it is so."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, cast

from ..timeline import Event, Stamp, difference
from .language.pack import NamedRule
from .verdict import Instance, Outcome, Range

__all__ = ["describe", "event_line", "excerpt", "one_line", "predecessors", "worth_showing"]

BEFORE_NS = 150_000_000
AFTER_NS = 60_000_000
MOST_LINES = 12
_MARKERS = {"trigger": "▶", "anchor": "▶", "scope begins": "▶", "begin": "▶"}
_BAD = frozenset(
    {"response", "violation", "perhaps a violation", "contradiction", "after the pause", "end", "register"}
)
_SHOWN = frozenset(
    {
        "cp.state",
        "cp.pwm",
        "output",
        "stimulus",
        "pilot.reset",
        "ocpp.connected",
        "ocpp.disconnected",
        "ocpp.boot",
        "ocpp.boot.answered",
        "ocpp.attached",
        "ocpp.status",
        "ocpp.authorized",
        "ocpp.tx.started",
        "ocpp.tx.ended",
        "ocpp.register",
        "csms.charging_profile",
        "csms.remote_start",
        "csms.remote_stop",
        "csms.reset",
        "csms.misbehaviour",
        "gap",
        "twin.overrun",
    }
)


def describe(event: Event, before: Event | None = None) -> str:
    """One event in a few words; `before` is the previous one of its topic and outlet, for edges."""
    try:
        return _described(event, before)
    except (TypeError, ValueError, AttributeError):  # data that are not what the vocabulary says
        return f"{event.topic} {event.data}"[:60]


def _described(event: Event, before: Event | None) -> str:
    data = event.data
    topic = event.topic
    if topic == "cp.state":
        high = data.get("high_v")
        volts = f" ({high:.2f} V)" if isinstance(high, int | float) else ""
        came = f"{_mode(before)}→" if before is not None else ""
        return f"CP {came}{_mode(event)}{volts}"
    if topic == "cp.pwm":
        return f"duty {data.get('duty_pct', 0):.2f} %" if data.get("on") else "PWM off"
    if topic == "output":
        return "output " + "→".join(_phases(e) for e in (before, event) if e is not None)
    if topic == "meter.sample":
        amps = "/".join(f"{value:.2f}" for value in cast("list[float]", data.get("current_a") or []))
        return f"current {amps} A, {data.get('energy_wh')} Wh"
    if topic == "stimulus":
        return f"{data.get('verb')} {_plain(data.get('args'))}  (bench)"
    if topic in ("ocpp.call", "ocpp.result"):
        return f"{data.get('dir')} {data.get('action')}"
    if topic == "ocpp.status":
        return f"{data.get('via') or 'StatusNotification'} {data.get('status')}"
    if topic == "ocpp.register":
        return f"register {data.get('value_wh')} Wh ({data.get('context')})"
    if topic in ("gap", "twin.overrun"):
        ms = (int(data.get("to_ns", 0)) - int(data.get("from_ns", 0))) / 1e6
        return f"{topic} of {ms:.0f} ms: {data.get('why') or data.get('who')}"
    if topic == "csms.misbehaviour":
        on = f" on {data['action']}" if data.get("action") else ""
        return f"{data.get('what')}{on}: {data.get('detail')}  (bench)"
    if topic == "phase":
        return f"phase {data.get('name')}" + (f" of case {data['case']}" if data.get("case") else "")
    keys = [key for key in data if key not in ("station", "claim", "payload", "message_id")]
    return f"{topic} {_plain({key: data[key] for key in keys})}"


def predecessors(events: Iterable[Event]) -> dict[str, Event | None]:
    """Event id -> the previous event of its topic and outlet, for the edges that `describe` tells."""
    before: dict[str, Event | None] = {}
    last: dict[tuple[str, int | None], Event] = {}
    for event in events:
        before[event.id] = last.get((event.topic, event.evse))
        last[event.topic, event.evse] = event
    return before


def event_line(event: Event, before: Event | None, zero: Stamp, marker: str = " ") -> str:
    """One line of a timeline: milliseconds since `zero` with their half-width, source, marker, description, id."""
    span = difference(zero, event.stamp)
    when = f"{span.mid / 1e6:+11.1f} ms ±{span.width / 2e6:<6.1f}"
    return f"  {when} {event.source:<8}{marker}  {describe(event, before):<42} {event.id}"


def _phases(event: Event) -> str:
    """`live` or `dead`, with the phases where only some of them are live."""
    phases = cast("list[bool]", event.data.get("phases") or [])
    if any(phases) and not all(phases):
        return "live (" + " ".join(f"L{i}" for i, on in enumerate(phases, 1) if on) + ")"
    return "live" if event.data.get("live") else "dead"


def _mode(event: Event) -> str:
    state = str(event.data.get("state"))
    return state + ("2" if event.data.get("pwm") else "1") if state in "ABCD" else state


def _plain(args: Any) -> str:
    if not isinstance(args, dict):
        return ""
    pairs = cast("dict[str, Any]", args)
    return " ".join(f"{key}={value}" for key, value in pairs.items() if value is not None)[:60]


def one_line(instance: Instance, named: NamedRule) -> str:
    """The verdict for a table: rule, verdict, what was measured against what, and why where it is not a PASS."""
    parts = [f"{instance.outcome.value} {named.id}"]
    if instance.reason is not None:
        parts[0] += f" ({instance.reason.value})"
    if instance.measured is not None:
        parts.append(f"{_span(instance.measured)}{_limit(instance)}")
    if instance.outcome is not Outcome.PASS:
        parts.append(instance.because)
    return ": ".join(parts)


def excerpt(instance: Instance, named: NamedRule, ring: Iterable[Event], tx: str | None) -> str:
    """Header, measurement, the timeline around the evidence, the cause, and what to do next."""
    rule = named.rule
    where = "".join(f"   {name}={value}" for name, value in (("evse", instance.evse), ("tx", tx)) if value is not None)
    reason = f"({instance.reason.value})" if instance.reason is not None else ""
    head = f"{instance.outcome.value}{reason} {named.id}  {rule.text}{where}   severity={rule.severity}"
    if rule.subject != "station":
        head += f"   subject={rule.subject}"
    lines = [head]
    measured = _measured(instance)
    if measured:
        lines.append(f"  {measured}")
    lines.extend(_timeline(instance, ring))
    because = instance.because
    if not named.verified:
        open_limits = ", ".join(item.name for item in named.limits if not item.verified)
        because += f"; rests on {open_limits}, not verified against the text of its standard"
    lines.append(f"  because: {because}")
    if instance.decides:
        lean = f"leans to {instance.lean.value}; " if instance.lean else ""
        lines.append(f"  {lean}{instance.decides}")
    lines.append(f"  rule: {rule.ref}")
    at = f"look: pilotbench show REC --at {instance.evidence[0].id}      " if instance.evidence else ""
    lines.append(f"  {at}judge again: pilotbench check REC")
    return "\n".join(lines)


def worth_showing(event: Event, evidence_ns: Container[int]) -> bool:
    """It tells something beside the evidence, or was received when a piece of evidence was."""
    return event.topic in _SHOWN or event.stamp.order_ns in evidence_ns


def _measured(instance: Instance) -> str:
    measured = instance.measured
    if measured is None:
        return ""
    text = f"measured {_span(measured)}{_limit(instance)}"
    margin = instance.margin
    if margin is not None and instance.limit is not None:
        lo = "-inf" if margin.lo is None else f"{margin.lo:.4g}"
        hi = "inf" if margin.hi is None else f"{margin.hi:.4g}"
        text += f"   margin {lo} .. {hi} {margin.unit}"
    text += _certainty(instance, measured.unit)
    clocks = sorted({ref.stamp.domain for ref in instance.evidence})
    if clocks:
        text += f"   clock {clocks[0]} (one domain)" if len(clocks) == 1 else f"   clocks {', '.join(clocks)}"
    delays = [ref.stamp for ref in instance.evidence if ref.stamp.delay_hi_ns > 0]
    if delays:
        text += f", output sense {delays[0].delay_lo_ns / 1e6:g}..{delays[0].delay_hi_ns / 1e6:g} ms"
    return text


def _certainty(instance: Instance, unit: str) -> str:
    """What an interval of energy is: bounds, or k = 2 with the risk of the verdict (or its lean)."""
    if instance.interval != "k=2":
        return "   bound" if unit == "Wh" else ""
    said = instance.lean or instance.outcome
    risk = {Outcome.PASS: "acceptance", Outcome.FAIL: "rejection"}.get(said)
    if risk is None or instance.risk is None:
        return "   k = 2"
    percent = instance.risk * 100
    shown = "below 0.01" if percent < 0.01 else f"{percent:.2g}"
    return f"   k = 2, risk of false {risk} {shown} %"


def _span(span: Range) -> str:
    if span.hi is None:
        return f"> {span.lo:.4g} {span.unit}" if span.lo is not None else "not bounded"
    if span.lo is None or span.lo == span.hi:
        return f"{span.hi:.4g} {span.unit}"
    return f"{(span.lo + span.hi) / 2:.4g} {span.unit} [{span.lo:.5g} .. {span.hi:.5g}]"


def _limit(instance: Instance) -> str:
    if instance.limit is None or instance.measured is None:
        return ""
    return f"   limit {instance.limit:.6g} {instance.measured.unit}"


def _timeline(instance: Instance, ring: Iterable[Event]) -> list[str]:
    """The evidence and its neighbours, relative to the first piece of evidence."""
    roles = {ref.id: ref.role for ref in instance.evidence}
    if not roles:
        return []
    stamps = {ref.id: ref.stamp for ref in instance.evidence}
    zero = instance.evidence[0].stamp
    around = [(ref.stamp.order_ns - BEFORE_NS, ref.stamp.order_ns + AFTER_NS) for ref in instance.evidence]
    known = {event.id: event for event in ring}
    before = predecessors(known.values())
    near = [
        event
        for name, event in known.items()
        if name in roles or (event.topic in _SHOWN and any(lo <= event.stamp.order_ns <= hi for lo, hi in around))
    ]
    near.sort(key=lambda event: event.order)
    extra = [event for event in near if event.id not in roles]
    while len(near) > MOST_LINES and extra:
        near.remove(extra.pop(0 if len(extra) % 2 else -1))
    lines: list[str] = []
    for event in near:
        role = roles.get(event.id, "")
        late = role in _BAD and instance.outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.ERROR)
        marker = "✗" if late else _MARKERS.get(role, " ")
        what = (
            f"  ── {role}{', late' if role == 'response' and instance.outcome is Outcome.FAIL else ''}" if role else ""
        )
        lines.append(event_line(event, before[event.id], zero, marker) + what)
    for missing in [key for key in stamps if key not in known]:
        lines.append(f"  {missing}: no longer in memory")
    return lines
