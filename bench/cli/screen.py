"""`pilotbench tui`: the screen on a running bench."""

from __future__ import annotations

import contextlib
import sys
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from ...errors import BenchError
from ..assembly import RunOptions
from ..config import load_bench_file, speaking, virtual_bench
from ..correlation import exit_code
from ..host import BenchHost
from ..report import create_run_folder, write_run
from ..stop import signals_held, stop_signals
from .closing import close_quietly, one_line, worst
from .twin_faults import check_deviation

__all__ = ["tui_command"]

INTERRUPTED = 3


class Screen(Protocol):
    """What is asked of `tui.app.LiveApp`."""

    @property
    def return_code(self) -> int | None: ...

    def run(self) -> object: ...

    def leave(self) -> bool: ...


def tui_command(bench: Path | None, out: Path | None, station_fault: str | None, ocpp: str | None = None) -> int:
    """Start the bench, open the screen, and make safe when it is left; returns the exit code (docs/exit-codes.md)."""
    file = speaking(load_bench_file(bench or virtual_bench()), ocpp)
    if station_fault is not None:
        check_deviation("--station-fault", station_fault, "fault", file.station.ocpp)
    # The screen is a room on the same floor as the command line; it is opened by name, not imported.
    make_app = import_module("pilotbench.tui.app").make_app
    folder = create_run_folder(file.name, out=out)
    host = BenchHost(file, options=RunOptions(directory=folder, station_fault=station_fault), progress=print)
    app: Screen | None = None
    problems: list[str] = []
    codes: list[int] = []
    with stop_signals(lambda: app is not None and app.leave()) as came:
        try:
            app = cast("Screen", make_app(host))
            host.start()
            app.run()
            if app.return_code:
                raise BenchError("the screen ended by an error of its own")
        except KeyboardInterrupt:
            codes.append(INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - whatever it is, the bench is made safe, and that is told
            problems.append(one_line(error))
            codes.append(error.exit_code if isinstance(error, BenchError) else BenchError.exit_code)
        with signals_held():
            codes += [INTERRUPTED] if came else []
            if INTERRUPTED in codes:
                print("stopped: making safe")
            return _end(host, problems, codes)


def _end(host: BenchHost, problems: list[str], codes: list[int]) -> int:
    """Close, judge, write the files of the run and tell; returns the exit code."""
    folder = host.options.directory
    for problem in close_quietly(host, finished=INTERRUPTED not in codes):
        if problem not in problems:
            problems.append(problem)
            codes.append(BenchError.exit_code)
    report = host.report
    if report is None:
        with contextlib.suppress(OSError):
            folder.rmdir()  # nothing was run: nothing is left, unless something was there before
    else:
        codes.append(exit_code(report))
        try:
            write_run(folder, report, problems=problems, exit_code=worst(codes), bench=host.file.name)
        except BenchError as error:
            problems.append(one_line(error))
            codes.append(error.exit_code)
    for problem in problems:
        sys.stderr.write(f"pilotbench: {problem}\n")
    if host.outcome_text:
        print(host.outcome_text)
    if folder.is_dir():
        print(f"run     {folder}")
    return worst(codes)
