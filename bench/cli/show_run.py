"""A recording as a whole: its sessions, the marks worth looking at, and its verdicts."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

from ..correlation.excerpt import describe, predecessors
from ..correlation.sessions.resolver import Sessions
from ..correlation.sessions.session import PHASES, ChargingSession, TrackName
from ..recording import Run
from ..timeline import Event
from .show_event import marker_of, session_name

__all__ = ["run_document", "run_lines"]

MOST_MARKS = 200
"""Marks that are printed; of more, the others are counted by topic."""
_MARKS = frozenset(
    {
        "clock.conflict",
        "csms.reset",
        "dut.alive_without_mains",
        "gap",
        "ocpp.attached",
        "ocpp.boot",
        "ocpp.disconnected",
        "ocpp.error",
        "ocpp.problem",
        "ocpp.refused",
        "ocpp.violation",
        "phase",
        "pilot.reset",
        "twin.overrun",
    }
)
_STATES = {"device.state": ("DEGRADED", "FAULTED", "UNKNOWN"), "bench.state": ("unsafe",)}
_GOOD = ("PASS", "NOT_APPLICABLE")
_TRACKS: tuple[TrackName, ...] = ("physical", "protocol")

Rows = list[dict[str, Any]] | None


def run_document(run: Run, sessions: Sessions, verdicts: Rows) -> dict[str, Any]:
    """The overview as plain JSON values; times in seconds since the first event."""
    zero = _zero(run)
    before = predecessors(run.events)
    return {
        "events": len(run.events),
        "duration_s": _seconds(run.events[-1].stamp.order_ns, zero) if run.events else 0.0,
        "sessions": [_session_document(session, zero) for session in sessions.all()],
        "marks": [
            {
                "id": item.id,
                "topic": item.topic,
                "at_s": _seconds(item.stamp.order_ns, zero),
                "text": describe(item, before[item.id]),
            }
            for item in _marks(run)
        ],
        "verdicts": verdicts
        and [{key: row.get(key) for key in ("rule", "verdict", "reason", "because", "evidence")} for row in verdicts],
    }


def run_lines(run: Run, sessions: Sessions, verdicts: Rows) -> list[str]:
    """The overview for people."""
    zero = _zero(run)
    seconds = _seconds(run.events[-1].stamp.order_ns, zero) if run.events else 0.0
    lines = [f"{run.path}   {len(run.events)} events in {seconds:.1f} s", "sessions"]
    for session in sessions.all():
        lines += _session_lines(session, zero)
    if not sessions.all():
        lines.append("  none: nothing was plugged in, and no transaction was told of")
    lines += ["marks", *_mark_lines(run, zero)]
    lines += ["verdicts", *_verdict_lines(verdicts)]
    lines.append(f"look closer: pilotbench show {run.path} --at EVENT")
    return lines


def _zero(run: Run) -> int:
    return run.events[0].stamp.order_ns if run.events else 0


def _seconds(order_ns: int, zero: int) -> float:
    return round((order_ns - zero) / 1e9, 6)


def _session_document(session: ChargingSession, zero: int) -> dict[str, Any]:
    closed = session.closed
    return {
        "id": session.id,
        "evse": session.evse,
        "keys": session.keys,
        "opened_s": _seconds(session.opened.order_ns, zero),
        "closed_s": None if closed is None else _seconds(closed.order_ns, zero),
        "plugged": session.plugged,
        "unplugged": session.unplugged,
        "ambiguous": session.ambiguous,
        "why": session.why,
        "orphan": session.orphan,
        "interruptions": session.interruptions,
        "transactions": [
            {
                "tx": item.tx,
                "started": item.started,
                "ended": item.ended,
                "offline": item.offline,
                "missing": item.missing,
            }
            for item in session.transactions
        ],
        **{
            track: [{"id": item.id, "phase": item.phase, "sure": item.sure} for item in session.track(track)]
            for track in _TRACKS
        },
    }


def _session_lines(session: ChargingSession, zero: int) -> list[str]:
    closed = session.closed
    until = "still open at the end" if closed is None else f"{_seconds(closed.order_ns, zero):+.3f} s"
    span = f"{_seconds(session.opened.order_ns, zero):+.3f} s .. {until}"
    lines = [f"  {session_name(session)}   {span}{'   orphan: its beginning was not seen' if session.orphan else ''}"]
    for track in _TRACKS:
        firsts = [
            f"{phase} {session.milestones[track, phase].id}" for phase in PHASES if (track, phase) in session.milestones
        ]
        if firsts:
            lines.append(f"      {track:<9} {'   '.join(firsts)}")
    if session.interruptions:
        lines.append(f"      meanwhile {', '.join(session.interruptions[:8])}")
    for item in session.transactions:
        for lo, hi in item.missing:
            missing = f"seqNo {lo}" if lo == hi else f"seqNo {lo} to {hi}"
            lines.append(f"      ✗ transaction {item.tx}: {missing} never came")
    if session.ambiguous:
        lines.append(f"      AMBIGUOUS: {session.why}")
    return lines


def _marks(run: Run) -> list[Event]:
    found: list[Event] = []
    for event in run.events:
        bad = event.data.get("state") in _STATES.get(event.topic, ())
        args = cast("dict[str, Any]", event.data.get("args") or {})
        fault = event.topic == "stimulus" and event.data.get("verb") == "faults" and bool(args.get("flags"))
        if event.topic in _MARKS or bad or fault or event.late:
            found.append(event)
    return found


def _mark_lines(run: Run, zero: int) -> list[str]:
    marks, before = _marks(run), predecessors(run.events)
    lines = [
        f"  {_seconds(event.stamp.order_ns, zero):+11.3f} s  {event.source:<8}{marker_of(event)}  "
        f"{describe(event, before[event.id]):<60} {event.id}{'  late' if event.late else ''}"
        for event in marks[:MOST_MARKS]
    ]
    if len(marks) > MOST_MARKS:
        rest = Counter(event.topic for event in marks[MOST_MARKS:])
        lines.append(f"  and {', '.join(f'{count} {topic}' for topic, count in rest.most_common())}")
    if run.truncated:
        lines.append(f"  {'':11}    {'recorder':<8}▒  the recording ends here: {run.truncated}")
    return lines or ["  none"]


def _verdict_lines(verdicts: Rows) -> list[str]:
    if verdicts is None:
        return ["  none are stored: pilotbench check judges the recording"]
    lines = [
        f"  {row.get('line') or row.get('verdict')}   {', '.join(row.get('evidence') or ())}"
        for row in verdicts
        if row.get("verdict") not in _GOOD
    ]
    counts = Counter(str(row.get("verdict")) for row in verdicts)
    return [*lines, "  " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))]
