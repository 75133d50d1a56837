"""One event of a recording: the timeline around it, its stamp, its data, its session and its links."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from ...errors import ConfigError
from ..correlation.excerpt import describe, event_line, predecessors
from ..correlation.sessions.links import Link
from ..correlation.sessions.resolver import Sessions
from ..correlation.sessions.session import ChargingSession
from ..recording import Run
from ..timeline import Event, did_you_mean, difference

__all__ = ["event_document", "event_lines", "find_event", "marker_of", "session_name"]

MOST_LINES = 60
"""Lines of the excerpt; of more, the nearest are shown and the others counted."""
MOST_RAW = 400
_HIDDEN = frozenset(
    {
        "clock.anchor",
        "clock.model",
        "cp.volts",
        "csms.request",
        "ev.status",
        "meter.sample",
        "ocpp.clock",
        "ocpp.frame",
        "source",
        "tick",
        "verdict",
    }
)
_DOWN = frozenset({"gap", "twin.overrun", "clock.conflict"})
_WRONG = frozenset({"ocpp.violation", "ocpp.error", "ocpp.refused", "dut.alive_without_mains"})

Rows = list[dict[str, Any]] | None


def find_event(run: Run, name: str) -> Event:
    """The event called `name` (`pilot#42`).

    Raises:
        ConfigError: there is none; says what there is.
    """
    by_source: dict[str, list[Event]] = {}
    for event in run.events:
        if event.id == name:
            return event
        by_source.setdefault(event.source, []).append(event)
    source, mark, number = name.rpartition("#")
    cut = " The recording is cut, and it may have come after that." if run.truncated else ""
    if not by_source:
        raise ConfigError(f"--at {name}: the recording holds no event.{cut}")
    if not mark or not number.isdigit():
        loose = name.rstrip("0123456789")
        near = did_you_mean(f"{loose.rstrip('#-: ')}#{name[len(loose) :]}", (event.id for event in run.events), 0.75)
        raise ConfigError(f"--at {name}: an event is named by its source and number, e.g. pilot#42{near}.")
    if source not in by_source:
        known = ", ".join(sorted(by_source))
        near = did_you_mean(source, by_source)
        raise ConfigError(f"--at {name}: no source is called {source!r}{near}. There are: {known}.")
    events = sorted(by_source[source], key=lambda event: event.seq)
    nearest = min(events, key=lambda event: abs(event.seq - int(number)))
    raise ConfigError(
        f"--at {name}: there is no such event. The recording has {events[0].id} to {events[-1].id} "
        f"(did you mean '{nearest.id}'?).{cut}"
    )


def event_document(
    run: Run, sessions: Sessions, verdicts: Rows, event: Event, window: tuple[int, int]
) -> dict[str, Any]:
    """Everything about one event, as plain JSON values; `window` in nanoseconds before and after it."""
    shown, hidden = _around(run, event, window)
    before = predecessors(run.events)
    session = sessions.of(event.id)
    stamp = event.stamp
    return {
        "at": event.id,
        "event": {
            "id": event.id,
            "topic": event.topic,
            "source": event.source,
            "seq": event.seq,
            "evse": event.evse,
            "late": event.late,
            "data": event.data,
            "raw": event.raw,
        },
        "stamp": {**msgspec.structs.asdict(stamp), "wall": _wall(run, event)},
        "session": None if session is None else _session_document(session, event),
        "no_session": sessions.why_none(event.id),
        "links": [{**msgspec.structs.asdict(link), "solid": link.solid} for link in sessions.links(event.id)],
        "evidence_of": _evidence(verdicts, event),
        "excerpt": [
            {
                "id": item.id,
                "topic": item.topic,
                "from_ms": difference(stamp, item.stamp).lo / 1e6,
                "to_ms": difference(stamp, item.stamp).hi / 1e6,
                "marker": marker_of(item, event).strip(),
                "text": describe(item, before[item.id]),
            }
            for item in shown
        ],
        "hidden": hidden,
        "cut_in_window": _cut_here(run, event, window),
    }


def event_lines(run: Run, sessions: Sessions, verdicts: Rows, event: Event, window: tuple[int, int]) -> list[str]:
    """The same for people."""
    shown, hidden = _around(run, event, window)
    before = predecessors(run.events)
    session = sessions.of(event.id)
    links = sessions.links(event.id)
    tx = f"   tx={session.tx}" if session is not None and session.tx is not None else ""
    evse = f"   evse={event.evse}" if event.evse is not None else ""
    where = f"   session={session.id}" if session is not None else ""
    lines = [f"{event.id}  {event.topic}{evse}{tx}{where}{'   late' if event.late else ''}"]
    notes = {item.origin if item.target == event.id else item.target: item for item in links}
    for item in shown:
        link = notes.get(item.id)
        note = f"  {_arrow(link)} {link.kind}" if link is not None else ""
        lines.append(event_line(item, before[item.id], event.stamp, marker_of(item, event)) + note)
    if _cut_here(run, event, window):
        lines.append(f"  {'':23}{'recorder':<8}▒  the recording ends here: {run.truncated}")
    if hidden:
        lines.append(f"  not shown: {', '.join(f'{count} {topic}' for topic, count in sorted(hidden.items()))}")
    lines += _stamp_lines(run, event)
    lines += [f"data     {key} = {_value(value)}" for key, value in event.data.items()] or ["data     none"]
    if event.raw is not None:
        cut = "" if len(event.raw) <= MOST_RAW else f" … ({len(event.raw)} characters)"
        lines.append(f"raw      {event.raw[:MOST_RAW]!r}{cut}")
    lines += _session_lines(session, sessions, event)
    lines += _link_lines(run, event, links)
    lines += [f"evidence {row['verdict']} {row['rule']}: {row['because']}" for row in _evidence(verdicts, event)]
    return lines


def session_name(session: ChargingSession) -> str:
    """Id, outlet, transactions and tokens of a session, in a line."""
    keys = session.keys
    outlet = f"evse {session.evse}" if session.evse is not None else "evse unknown"
    parts = [session.id, outlet]
    parts += [
        f"{name.replace('_', ' ')} {', '.join(keys[name])}" for name in ("tx", "token", "remote_start") if keys[name]
    ]
    return "   ".join(parts)


def marker_of(event: Event, asked: Event | None = None) -> str:
    """What stands before an event in an excerpt: ▶ it was asked for, ▒ a hole, ✗ something is wrong."""
    if asked is not None and event.id == asked.id:
        return "▶"
    if event.topic in _DOWN:
        return "▒"
    return "✗" if event.topic in _WRONG or event.late else " "


# ---- inside


def _around(run: Run, event: Event, window: tuple[int, int]) -> tuple[list[Event], dict[str, int]]:
    """The events to show, in canonical order, and how many of each topic are left out."""
    lo, hi = event.stamp.order_ns - window[0], event.stamp.order_ns + window[1]
    near = [item for item in run.events if lo <= item.stamp.order_ns <= hi]
    shown = [item for item in near if item.topic not in _HIDDEN or item.id == event.id]
    if len(shown) > MOST_LINES:
        at = shown.index(event)
        first = max(0, min(at - MOST_LINES // 2, len(shown) - MOST_LINES))
        shown = shown[first : first + MOST_LINES]
    kept = {item.id for item in shown}
    hidden: dict[str, int] = {}
    for item in near:
        if item.id not in kept:
            hidden[item.topic] = hidden.get(item.topic, 0) + 1
    return shown, hidden


def _cut_here(run: Run, event: Event, window: tuple[int, int]) -> bool:
    return run.truncated is not None and run.events[-1].stamp.order_ns <= event.stamp.order_ns + window[1]


def _stamp_lines(run: Run, event: Event) -> list[str]:
    stamp = event.stamp
    width_ms = (stamp.hi_ns - stamp.lo_ns) / 1e6
    lines = [
        f"stamp    order {stamp.order_ns / 1e9:.9f} s",
        f"         bench clock {stamp.lo_ns / 1e9:.9f} .. {stamp.hi_ns / 1e9:.9f} s (width {width_ms:.3f} ms)",
        f"         wall {_wall(run, event) or 'unknown'}   domain {stamp.domain}   epoch {stamp.epoch}",
    ]
    if stamp.device_ns is None:
        lines.append("         stamped by the host")
    else:
        delay = (
            f"   sensor delay {stamp.delay_lo_ns / 1e6:g} .. {stamp.delay_hi_ns / 1e6:g} ms"
            if stamp.delay_hi_ns
            else ""
        )
        lines.append(
            f"         device {stamp.device_ns / 1e9:.9f} s   residual ±{stamp.residual_ns / 1e6:.3f} ms{delay}"
        )
    return lines


def _wall(run: Run, event: Event) -> str | None:
    wall_ns = run.wall_ns(event.stamp.order_ns)
    if wall_ns is None:
        return None
    whole, rest = divmod(wall_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _session_document(session: ChargingSession, event: Event) -> dict[str, Any]:
    member = session.member(event.id)
    return {
        "id": session.id,
        "evse": session.evse,
        "tx": session.tx,
        "keys": session.keys,
        "ambiguous": session.ambiguous,
        "why": session.why,
        "phase": None if member is None else member.phase,
        "track": None if member is None else member.track,
        "sure": None if member is None else member.sure,
    }


def _session_lines(session: ChargingSession | None, sessions: Sessions, event: Event) -> list[str]:
    if session is None:
        return [f"session  none{'' if not sessions.why_none(event.id) else ': ' + sessions.why_none(event.id)}"]
    member = session.member(event.id)
    place = "" if member is None else f"   phase {member.phase} ({member.track} track)"
    unsure = "   only by its time" if member is not None and not member.sure else ""
    lines = [f"session  {session_name(session)}{place}{unsure}"]
    if session.ambiguous:
        lines.append(f"         AMBIGUOUS: {session.why}")
    return lines


def _link_lines(run: Run, event: Event, links: list[Link]) -> list[str]:
    stamps = {item.id: item for item in run.events}
    lines: list[str] = []
    for link in links:
        other = stamps.get(link.origin if link.target == event.id else link.target)
        if other is None:
            continue
        ms = difference(event.stamp, other.stamp).mid / 1e6
        arrow = f"{other.id} {_arrow(link)} this" if link.target == event.id else f"this {_arrow(link)} {other.id}"
        lines.append(f"{arrow:<28} {ms:+.1f} ms   {link.kind} by {link.basis}: {link.why}   {describe(other)}")
    return [f"{'links' if not i else '':<9}{line}" for i, line in enumerate(lines)]


def _arrow(link: Link) -> str:
    """Solid where an id or a key says so, dashed where only the time does."""
    return "──▶" if link.solid else "╌╌▶"


def _evidence(verdicts: Rows, event: Event) -> list[dict[str, Any]]:
    """The verdicts that rest on the event."""
    rows = [row for row in verdicts or () if event.id in (row.get("evidence") or ())]
    return [{key: row.get(key) for key in ("rule", "verdict", "reason", "because")} for row in rows]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
