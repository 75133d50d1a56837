"""`pilotbench doctor`: everything about a bench that can be looked at without energising it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec

from ...errors import BenchError, ConfigError
from ..config import load_bench_file, virtual_bench
from ..owner import Ownership
from ..timeline import new_loop, parse_quantity
from ..upkeep.doctor import examine
from ..upkeep.findings import Finding, worst
from .output import write_document

__all__ = ["doctor_command"]

WATCH_MOST_S = 3600.0
MARKS = {"ok": "ok  ", "note": "note", "warn": "WARN", "bad": "BAD "}


def doctor_command(bench: Path | None, watch: str, *, json: bool) -> int:
    """Look, tell, and return 4 when something is bad, else 0.

    Raises:
        ConfigError: the bench file or `watch` is wrong.
        BenchError: somebody else has the bench.
    """
    try:
        watch_s = parse_quantity(watch, "time") / 1e9
    except ValueError as error:
        raise ConfigError(f"--watch: {error}.") from None
    if not 0 < watch_s <= WATCH_MOST_S:
        raise ConfigError(f"--watch: {watch!r} is no time to listen. Give one above 0 and up to 1 h, such as '10 s'.")
    file = load_bench_file(bench or virtual_bench())
    owner = Ownership(file.path)
    loop, _ = new_loop()
    try:
        with tempfile.TemporaryDirectory(prefix="pilotbench-doctor-") as folder:
            findings = loop.run_until_complete(examine(file, Path(folder), watch_s, _progress(quiet=json)))
            loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
        owner.release()
    code = BenchError.exit_code if worst(findings) == "bad" else 0
    if json:
        told = [msgspec.to_builtins(found) for found in findings]
        write_document({"bench": file.name, "exit_code": code, "findings": told})
    else:
        sys.stdout.write(_text(findings))
    return code


def _progress(*, quiet: bool) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if not quiet:
            sys.stderr.write(f"{text}…\n")

    return tell


def _text(findings: list[Finding]) -> str:
    lines: list[str] = []
    subjects = list(dict.fromkeys(found.subject for found in findings))
    for subject in subjects:
        lines.append(subject)
        for found in findings:
            if found.subject != subject:
                continue
            lines.append(f"  {MARKS[found.state]} {found.what}: {found.detail}")
            if found.fix and found.state != "ok":
                lines.append(f"       -> {found.fix}")
    counts = {state: sum(found.state == state for found in findings) for state in ("bad", "warn", "note")}
    lines += ["", f"{counts['bad']} bad, {counts['warn']} to look at, {counts['note']} notes"]
    lines.append("which rules this bench can decide: pilotbench rules doctor --bench FILE")
    return "\n".join(lines) + "\n"
