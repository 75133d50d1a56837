"""`pilotbench run`: cases on a bench, live progress, verdicts, and what the run leaves behind."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError, ConfigError
from ..assembly import RunOptions
from ..catalogue import CASES
from ..config import BenchFile, load_bench_file, virtual_bench
from ..correlation import Report, exit_code
from ..host import BenchHost
from ..report import CaseResult, create_run_folder, write_run
from ..stop import stop_signals
from ..timeline import parse_quantity
from .cases import run_cases
from .closing import close_quietly, one_line
from .display import Display, make_display

__all__ = ["RunRequest", "run_command"]

CODE_OF = {"passed": 0, "failed": 1, "incomplete": 3, "interrupted": 3, "error": 4}
SEVERITY = (0, 5, 3, 1, 2, 4)
"""Exit codes from the least to the most serious."""


class RunRequest(msgspec.Struct, frozen=True):
    """The command line of `pilotbench run`."""

    cases: tuple[str, ...]
    bench: Path | None
    out: Path | None
    station_fault: str | None
    station_oddity: str | None
    seed: int | None
    wait_station: str | None
    attach: bool
    json: bool


def run_command(request: RunRequest) -> int:
    """Do it all; returns the exit code. The worst verdict decides (see docs/exit-codes.md)."""
    if "list" in (request.station_fault, request.station_oddity):
        return _list_deviations(request.station_fault == "list")
    _check_cases(request.cases)
    file = load_bench_file(request.bench or virtual_bench())
    _check_deviations(request)
    folder = create_run_folder(file.name, out=request.out)
    display = make_display(quiet=request.json, stream=sys.stdout)
    with stop_signals():
        results, report, problems, started_s = _run(request, file, folder, display)
    code = _worst([*(CODE_OF[result.outcome] for result in results), *([4] if problems else [])], report)
    if report is not None:
        write_run(folder, report, cases=results, problems=problems, exit_code=code, bench=file.name)
    if request.json:
        sys.stdout.write(_document(file, folder, results, report, problems, code, started_s) + "\n")
        for problem in problems:
            sys.stderr.write(f"pilotbench: {problem}\n")
    else:
        display.end(report, results, problems, folder, code)
    return code


def _run(
    request: RunRequest, file: BenchFile, folder: Path, display: Display
) -> tuple[list[CaseResult], Report | None, list[str], float | None]:
    results: list[CaseResult] = []
    problems: list[str] = []
    options = RunOptions(
        directory=folder,
        station_fault=request.station_fault,
        oddity=request.station_oddity,
        boot=not request.attach,
        seed=request.seed,
        wait_station_s=_seconds(request.wait_station),
    )
    host = BenchHost(file, options=options, progress=display.note)
    display.follow(host)
    finished = False
    try:
        host.start()
        results = run_cases(host, request.cases)
        finished = all(result.outcome != "interrupted" for result in results)
        if finished:
            host.settle()
    except KeyboardInterrupt as stop:
        finished = False
        display.note(f"stopped by {stop.args[0] if stop.args else 'Ctrl-C'}: making safe")
        results.append(CaseResult("run", "interrupted", "stopped by a signal", 0.0))
    except BenchError as error:
        problems.append(one_line(error))
    finally:
        problems += [problem for problem in close_quietly(host, finished=finished) if problem not in problems]
        display.unfollow()
    outcome = host.outcome_text
    if outcome:
        display.note(outcome)
    return results, host.report, problems, host.started_s


def _worst(codes: list[int], report: Report | None) -> int:
    if report is not None:
        codes = [*codes, exit_code(report)]
    return max(codes or [4], key=SEVERITY.index)


def _document(
    file: BenchFile,
    folder: Path,
    results: list[CaseResult],
    report: Report | None,
    problems: list[str],
    code: int,
    started_s: float | None,
) -> str:
    document: dict[str, Any] = {
        "bench": file.name,
        "run": str(folder),
        "exit_code": code,
        "started_s": started_s,
        "digest": report.digest if report is not None else None,
        "verdicts": [verdict.to_dict() for verdict in report.verdicts] if report is not None else [],
        "cases": [msgspec.to_builtins(result) for result in results],
        "problems": problems,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parse_quantity(text, "time") / 1e9
    except ValueError as error:
        raise ConfigError(f"--wait-station: {error}.") from None


def _check_cases(cases: tuple[str, ...]) -> None:
    for case in cases:
        if case not in CASES:
            known = ", ".join(CASES)
            raise ConfigError(f"there is no case {case!r}. Known: {known}.")


def _check_deviations(request: RunRequest) -> None:
    for option, name, fault in (
        ("--station-fault", request.station_fault, True),
        ("--station-oddity", request.station_oddity, False),
    ):
        if name is None:
            continue
        known = _deviations(fault)
        if name not in known:
            raise ConfigError(f"{option}: the simulated station has no {name!r}. Known: {', '.join(known)}.")


def _deviations(faults: bool) -> dict[str, str]:
    import json
    import subprocess

    option = "--list-faults" if faults else "--list-oddities"
    command = [sys.executable, "-m", "pilotbench.bench.twin.station", option]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if answer.returncode:
        raise BenchError(f"the simulated station did not tell what it can do: {answer.stderr.strip()[-200:]}")
    return json.loads(answer.stdout)


def _list_deviations(faults: bool) -> int:
    for name, text in _deviations(faults).items():
        sys.stdout.write(f"{name:22} {text}\n")
    return 0
