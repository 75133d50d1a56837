"""Writes what a run leaves beside its recording."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ... import __version__
from ...errors import RecordingError
from ..correlation import Report
from ..correlation import exit_code as code_of
from ..recording import Redactor
from .cases import CaseResult
from .junit import junit_xml
from .summary import summary_text
from .verdicts_json import verdicts_json

__all__ = ["write_run"]


def write_run(
    folder: Path,
    report: Report,
    *,
    cases: Sequence[CaseResult] = (),
    problems: Sequence[str] = (),
    exit_code: int | None = None,
    bench: str | None = None,
    redactor: Redactor | None = None,
) -> None:
    """Write `verdicts.json`, `junit.xml` and `summary.txt` (mode 0600) to `folder`.

    `exit_code` is that of the whole run, by default that of the verdicts. Credentials in excerpts
    are replaced; a `redactor` that knows the bench's secrets finds them anywhere.

    Raises:
        RecordingError: a file cannot be written.
    """
    clean = Redactor() if redactor is None else redactor
    code = code_of(report) if exit_code is None else exit_code
    properties = {"version": __version__, "exit_code": str(code), "run": str(folder)}
    if bench is not None:
        properties["bench"] = bench
    shown = [CaseResult(case.name, case.outcome, clean.text(case.text), case.duration_s) for case in cases]
    told = [clean.text(problem) for problem in problems]
    summary = summary_text(report, folder=folder, cases=shown, problems=told, exit_code=code)
    _write(folder / "verdicts.json", clean.blob(verdicts_json(report)))
    _write(folder / "junit.xml", junit_xml(report, shown, told, properties, clean))
    _write(folder / "summary.txt", clean.blob(summary.encode("utf-8", "backslashreplace")))


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(path.name + ".part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RecordingError(
            f"this file of the run cannot be written: {error.strerror}. The recording beside it holds all "
            "that is needed: `pilotbench check` gives the verdicts again.",
            file=str(path),
        ) from error
