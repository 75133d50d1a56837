"""`pilotbench check`: judge a recording offline."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError, RecordingError, RuleError
from ..correlation import Facts, Pack, Report, evaluate, exit_code, load_pack
from ..recording import Run, read_run
from ..report import summary_lines
from .output import write_document
from .pack_files import limit_files, pack_file

__all__ = ["check_command", "judge"]


def judge(recording: Path, packs: Sequence[str] = (), limits: Sequence[str] = ()) -> tuple[Run, Report]:
    """Evaluate a recording with the facts that it carries, and its rules and limits or (by name or file) others.

    With `packs` and without `limits`: the limits of the recording, and those shipped files that it does not have.

    Raises:
        RecordingError: it cannot be read, or lacks what a run attaches at its start.
        RuleError: its packs, or those given, cannot be read by this program.
        ConfigError: a pack or limits file that was given is not there.
    """
    run = read_run(recording)
    if "facts.json" not in run.attachments and run.attachments.get("run.json", b"").startswith(b'{"bench":null'):
        raise RecordingError(
            "a back end alone recorded this (`pilotbench csms`): there is no bench in it, and so nothing to judge. "
            "`pilotbench show` reads it.",
            file=str(recording),
        )
    try:
        facts = msgspec.json.decode(run.attachments["facts.json"], type=Facts)
        about = msgspec.json.decode(run.attachments["run.json"], type=_About)
        with tempfile.TemporaryDirectory() as folder:
            own = [_unpack(run, folder, f"limits/{name}.toml") for name in about.limits]
            if packs:
                known = limit_files(limits) if limits else _with_shipped(own)
                pack = load_pack([pack_file(name) for name in packs], known)
            else:
                files = [_unpack(run, folder, f"rules/{name}.toml") for name in about.packs]
                pack = _recorded(files, limit_files(limits) if limits else own, recording)
    except KeyError as error:
        raise RecordingError(
            f"the recording lacks its attachment {error}; it was cut before the run had begun, or is not a "
            "recording of pilotbench.",
            file=str(recording),
        ) from None
    except msgspec.MsgspecError as error:
        raise RecordingError(
            f"what it says of its bench cannot be read ({error}): another version of pilotbench wrote it.",
            file=str(recording),
        ) from error
    return run, evaluate(run.events, pack, facts, truncated=run.truncated is not None or not _closed(run))


class _About(msgspec.Struct):
    """Of run.json what is needed here."""

    packs: list[str]
    limits: list[str]


def _recorded(packs: Sequence[Path], limits: Sequence[Path], recording: Path) -> Pack:
    """The recording's own packs: their schema, or their words, may be those of another version."""
    try:
        return load_pack(packs, limits)
    except RuleError as error:
        where = Path(error.pack or "").name
        text = str(error).removeprefix(error.pack or "").lstrip(" :")
        raise RuleError(
            f"its own pack {where}: {text}\nTo judge it with packs that this program reads, add --pack NAME|FILE",
            pack=str(recording),
        ) from error


def _with_shipped(own: Sequence[Path]) -> list[Path]:
    names = {path.name for path in own}
    return [*own, *(path for path in limit_files(()) if path.name not in names)]


def check_command(recording: Path, packs: Sequence[str] = (), limits: Sequence[str] = (), *, json: bool) -> int:
    """Print the verdicts; returns the exit code that the run itself would have had for them.

    Raises:
        BenchError: as `judge`; with `json` the document says so too.
    """
    try:
        run, report = judge(recording, packs, limits)
    except BenchError as error:
        if json:
            write_document({**_document(recording, error.exit_code), "problems": [str(error)]})
        raise
    cut = run.truncated or (None if _closed(run) else "the run was killed or interrupted before its end")
    code = exit_code(report)
    if json:
        found = {
            "truncated": cut,
            "events": len(run.events),
            "digest": report.digest,
            "packs": list(packs) or None,
            "left_out": run.foreign,
        }
        verdicts = [verdict.to_dict() for verdict in report.verdicts]
        write_document({**_document(recording, code), **found, "verdicts": verdicts})
        return code
    if packs:
        sys.stdout.write(f"Judged with {', '.join(packs)}, not with the packs of the recording.\n")
    for channel, count in run.foreign.items():
        sys.stdout.write(f"{count} messages on the channel {channel!r} are not of pilotbench: left out.\n")
    if cut:
        sys.stdout.write(f"The recording is cut: {cut}. What is before the cut is judged.\n")
    sys.stdout.write("\n".join(summary_lines(report)) + f"\nexit    {code}\n")
    return code


def _document(recording: Path, code: int) -> dict[str, Any]:
    """The document of a recording that says nothing."""
    return {
        "recording": str(recording),
        "truncated": None,
        "events": 0,
        "packs": None,
        "left_out": {},
        "exit_code": code,
        "digest": None,
        "verdicts": [],
        "problems": [],
    }


def _closed(run: Run) -> bool:
    for event in reversed(run.events):
        if event.topic == "bench.state":
            return event.data["state"] == "closed" and event.data["why"] == "finished"
    return False


def _unpack(run: Run, folder: str, name: str) -> Path:
    path = Path(folder) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(run.attachments[name])
    return path
