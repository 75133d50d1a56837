"""`pilotbench check`: judge a recording offline."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError, RecordingError
from ..correlation import Facts, Report, evaluate, exit_code, load_pack
from ..recording import Run, read_run
from ..report import summary_lines
from .output import write_document

__all__ = ["check_command", "judge"]


def judge(recording: Path) -> tuple[Run, Report]:
    """Evaluate a recording with the rules, limits and facts that it carries.

    Raises:
        RecordingError: it cannot be read, or lacks what a run attaches at its start.
    """
    run = read_run(recording)
    try:
        facts = msgspec.json.decode(run.attachments["facts.json"], type=Facts)
        about = msgspec.json.decode(run.attachments["run.json"])
        with tempfile.TemporaryDirectory() as folder:
            packs = [_unpack(run, folder, f"rules/{name}.toml") for name in about["packs"]]
            limits = [_unpack(run, folder, f"limits/{name}.toml") for name in about["limits"]]
            pack = load_pack(packs, limits)
    except KeyError as error:
        raise RecordingError(
            f"the recording lacks its attachment {error}; it was cut before the run had begun, or is not a "
            "recording of pilotbench.",
            file=str(recording),
        ) from None
    return run, evaluate(run.events, pack, facts, truncated=run.truncated is not None or not _closed(run))


def check_command(recording: Path, *, json: bool) -> int:
    """Print the verdicts; returns the exit code that the run itself would have had for them.

    Raises:
        BenchError: as `judge`; with `json` the document says so too.
    """
    try:
        run, report = judge(recording)
    except BenchError as error:
        if json:
            write_document({**_document(recording, error.exit_code), "problems": [str(error)]})
        raise
    cut = run.truncated or (None if _closed(run) else "the run was killed or interrupted before its end")
    code = exit_code(report)
    if json:
        found = {"truncated": cut, "events": len(run.events), "digest": report.digest}
        verdicts = [verdict.to_dict() for verdict in report.verdicts]
        write_document({**_document(recording, code), **found, "verdicts": verdicts})
        return code
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
