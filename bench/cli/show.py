"""`pilotbench show`: what a recording holds, and what is around one of its events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError, ConfigError, RecordingError
from ..correlation import Facts
from ..correlation.sessions.resolver import Sessions
from ..recording import Run, read_run
from ..timeline import parse_quantity
from .output import write_document
from .show_event import event_document, event_lines, find_event
from .show_run import run_document, run_lines

__all__ = ["WINDOW", "sessions_of", "show_command", "verdict_rows_of"]

WINDOW = "500 ms"
"""How far the excerpt reaches before and after the event."""
EVERY = 1_000_000
"""A recording is looked at as a whole: no session of it is summarised or forgotten."""


def show_command(recording: Path, at: str | None, *, before: str | None, after: str | None, json: bool) -> int:
    """Print the overview of a recording or, with `at`, one event with its surroundings; returns the exit code 0.

    Raises:
        ConfigError: there is no such event, or a window is no time; says what there is.
        RecordingError: the file is no recording or cannot be read.
    """
    try:
        if at is None and (before is not None or after is not None):
            raise ConfigError("--before and --after say how much is shown around an event: name it with --at.")
        window = _window("--before", before), _window("--after", after)
        run = read_run(recording)
        verdicts = verdict_rows_of(run)
        event = None if at is None else find_event(run, at)
        sessions = sessions_of(run)
        if event is None:
            document = run_document(run, sessions, verdicts)
            lines = [] if json else run_lines(run, sessions, verdicts)
        else:
            document = event_document(run, sessions, verdicts, event, window)
            lines = [] if json else event_lines(run, sessions, verdicts, event, window)
    except BenchError as error:
        if json:
            write_document({"recording": str(recording), "exit_code": error.exit_code, "problems": [str(error)]})
        raise
    if json:
        head: dict[str, Any] = {"recording": str(recording), "exit_code": 0, "problems": [], "truncated": run.truncated}
        write_document({**head, **document})
        return 0
    if run.truncated:
        lines.insert(0, f"The recording is cut: {run.truncated}. What is before the cut is shown.")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


class _Bench(msgspec.Struct):
    """Of the facts in a recording those that sessions need; whatever else another version wrote is left alone."""

    station: str = ""
    evses: tuple[int, ...] = (1,)


def sessions_of(run: Run) -> Sessions:
    """The sessions of a recording, for the station that it names (where it names none: for any).

    Raises:
        RecordingError: the facts in it cannot be read.
    """
    try:
        bench = msgspec.json.decode(run.attachments.get("facts.json", b"{}"), type=_Bench)
    except msgspec.MsgspecError as error:
        raise RecordingError(f"its attachment facts.json cannot be read: {error}.", file=str(run.path)) from error
    sessions = Sessions(Facts(station=bench.station, evses=bench.evses), keep=EVERY, summaries=EVERY)
    for event in run.events:
        sessions.take(event)
    return sessions


def verdict_rows_of(run: Run) -> list[dict[str, Any]] | None:
    """The verdicts beside the recording, or else those inside it; None where there are none."""
    beside = run.path.with_name("verdicts.json")
    try:
        content = beside.read_bytes()
    except OSError:
        content = run.attachments.get("verdicts.json")
    if not content:
        return None
    try:
        return msgspec.json.decode(content, type=list[dict[str, Any]])
    except msgspec.MsgspecError as error:
        raise RecordingError(
            f"the verdicts cannot be read: {error}. Move the file away, and judge again with pilotbench check.",
            file=str(beside),
        ) from error


def _window(option: str, text: str | None) -> int:
    try:
        ns = parse_quantity(WINDOW if text is None else text, "time")
    except ValueError as error:
        raise ConfigError(f"{option} {error}") from None
    if ns < 0:
        raise ConfigError(f"{option} {text!r}: give a time of 0 or more, e.g. '2 s'.")
    return round(ns)
