"""`pilotbench run`: cases on a bench, live progress, verdicts, and what the run leaves behind."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Any

import msgspec

from ...errors import BenchError, ConfigError
from ..assembly import RunOptions
from ..catalogue import CASES
from ..config import load_bench_file, speaking, virtual_bench
from ..correlation import Report, exit_code
from ..host import BenchHost
from ..report import CaseResult, create_run_folder, write_run
from ..stop import signals_held, stop_signals
from ..timeline import parse_quantity
from ..twin_control import parse_fault
from .cases import run_cases
from .closing import close_quietly, one_line, worst
from .display import Display, make_display
from .output import write_document
from .twin_faults import check_deviation, check_faults, deviations

__all__ = ["RunRequest", "run_command"]

CODE_OF = {"passed": 0, "failed": 1, "incomplete": 3, "interrupted": 3, "error": 4}


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
    ocpp: str | None = None
    external_station: bool = False
    keep_state: bool = False
    twin_fault: tuple[str, ...] = ()


class _Ran:
    """What there is to tell of a run."""

    def __init__(self, problems: list[str] | None = None) -> None:
        self.results: list[CaseResult] = []
        self.problems = problems or []
        self.codes: list[int] = []
        self.report: Report | None = None
        self.started_s: float | None = None

    def fail(self, problem: str, code: int = BenchError.exit_code) -> None:
        if problem not in self.problems:
            self.problems.append(problem)
            self.codes.append(code)

    @property
    def exit_code(self) -> int:
        codes = [*self.codes, *(CODE_OF[result.outcome] for result in self.results)]
        if self.report is not None:
            codes.append(exit_code(self.report))
        return worst(codes)


def run_command(request: RunRequest) -> int:
    """Do it all; returns the exit code. The worst verdict decides (see docs/exit-codes.md).

    Raises:
        BenchError: the run could not even begin; with `json` the document says so too.
    """
    if "list" in (request.station_fault, request.station_oddity):
        return _list_deviations("fault" if request.station_fault == "list" else "oddity")
    display = make_display(quiet=request.json, stream=sys.stdout)
    try:
        host = _host(request, display)
    except BenchError as error:
        if request.json:
            write_document(_document(str(request.bench or virtual_bench()), None, _Ran([str(error)]), error.exit_code))
        raise
    ran = _Ran()
    with stop_signals():
        display.follow(host)
        finished = _run_cases(host, request.cases, ran)
        with signals_held():
            return _end(host, ran, display, finished=finished, json=request.json)


def _host(request: RunRequest, display: Display) -> BenchHost:
    """Check what was asked for, and make the run's folder."""
    _check_cases(request.cases)
    wait_s = _wait_s(request.wait_station)
    file = speaking(load_bench_file(request.bench or virtual_bench()), request.ocpp)
    _check_deviations(request, file.station.ocpp)
    twin_faults = tuple(parse_fault(text) for text in request.twin_fault)
    check_faults(twin_faults)
    options = RunOptions(
        directory=create_run_folder(file.name, out=request.out),
        station_fault=request.station_fault,
        oddity=request.station_oddity,
        boot=not request.attach,
        seed=request.seed,
        wait_station_s=wait_s,
        external_station=request.external_station,
        keep_state=request.keep_state,
        twin_faults=twin_faults,
    )
    return BenchHost(file, options=options, progress=display.note)


def _run_cases(host: BenchHost, cases: tuple[str, ...], ran: _Ran) -> bool:
    """Start and run; True when nothing asked the run to stop. What goes wrong is noted, never raised."""
    try:
        host.start()
        ran.results += run_cases(host, cases)
        if any(result.outcome == "interrupted" for result in ran.results):
            return False
        host.settle()
    except KeyboardInterrupt as stop:
        by = stop.args[0] if stop.args else "Ctrl-C"
        ran.results.append(CaseResult("run", "interrupted", f"stopped by {by}", 0.0))
        return False
    except BenchError as error:
        ran.fail(one_line(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - a traceback is no answer; the recording is completed all the same
        ran.fail(one_line(error))
    return True


def _end(host: BenchHost, ran: _Ran, display: Display, *, finished: bool, json: bool) -> int:
    """Close, judge, write the files of the run and tell; returns the exit code."""
    folder = host.options.directory
    if not finished:
        display.note("stopped: making safe")
    for problem in close_quietly(host, finished=finished):
        ran.fail(problem)
    display.unfollow()
    if host.outcome_text:
        display.note(host.outcome_text)
    report = ran.report = host.report
    ran.started_s = host.started_s
    if report is not None:
        try:
            write_run(
                folder,
                report,
                cases=ran.results,
                problems=ran.problems,
                exit_code=ran.exit_code,
                bench=host.file.name,
            )
        except BenchError as error:
            ran.fail(one_line(error))
    if json:
        write_document(_document(host.file.name, folder, ran, ran.exit_code))
        for problem in ran.problems:
            sys.stderr.write(f"pilotbench: {problem}\n")
    else:
        display.end(report, ran.results, ran.problems, folder, ran.exit_code)
    return ran.exit_code


def _document(bench: str, folder: Path | None, ran: _Ran, code: int) -> dict[str, Any]:
    report = ran.report
    return {
        "bench": bench,
        "run": str(folder) if folder is not None and folder.is_dir() else None,
        "exit_code": code,
        "started_s": ran.started_s,
        "digest": report.digest if report is not None else None,
        "verdicts": [verdict.to_dict() for verdict in report.verdicts] if report is not None else [],
        "cases": [msgspec.to_builtins(result) for result in ran.results],
        "problems": ran.problems,
    }


def _wait_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        wait_s = parse_quantity(text, "time") / 1e9
    except ValueError as error:
        raise ConfigError(f"--wait-station: {error}.") from None
    if wait_s <= 0:
        raise ConfigError(f"--wait-station: {text!r} is no time to wait. Give one above 0, such as '3 min'.")
    return wait_s


def _check_cases(cases: tuple[str, ...]) -> None:
    for case in cases:
        if case not in CASES:
            near = difflib.get_close_matches(case, CASES, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ConfigError(f"there is no case {case!r}{hint}. Known: {', '.join(CASES)}.")


def _check_deviations(request: RunRequest, version: str) -> None:
    given = {
        "--station-fault": request.station_fault is not None,
        "--station-oddity": request.station_oddity is not None,
        "--attach": request.attach,
    }
    unused = next((option for option, there in given.items() if there), None)
    if request.external_station and unused is not None:
        raise ConfigError(
            f"{unused} is for the simulated station, and --external-station starts none. Leave one of them out."
        )
    for option, name, kind in (
        ("--station-fault", request.station_fault, "fault"),
        ("--station-oddity", request.station_oddity, "oddity"),
    ):
        if name is not None:
            check_deviation(option, name, kind, version)


def _list_deviations(kind: str) -> int:
    for row in deviations(kind):
        sys.stdout.write(f"{row['name']:22} {row['text']}\n")
    return 0
