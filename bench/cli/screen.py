"""`pilotbench tui`: the screen on a running bench."""

from __future__ import annotations

import sys
from pathlib import Path

from ...errors import BenchError
from ..assembly import RunOptions
from ..config import load_bench_file, speaking, virtual_bench
from ..correlation import exit_code
from ..host import BenchHost
from ..report import create_run_folder, write_run
from ..stop import stop_signals
from .closing import close_quietly
from .twin_faults import check_deviation

__all__ = ["tui_command"]


def tui_command(bench: Path | None, out: Path | None, station_fault: str | None, ocpp: str | None = None) -> int:
    """Start the bench, open the screen, and make safe when it is left."""
    from importlib import import_module

    file = speaking(load_bench_file(bench or virtual_bench()), ocpp)
    if station_fault is not None:
        check_deviation("--station-fault", station_fault, "fault", file.station.ocpp)
    folder = create_run_folder(file.name, out=out)
    host = BenchHost(file, options=RunOptions(directory=folder, station_fault=station_fault), progress=print)
    # The screen is a room on the same floor as the command line; it is opened by name, not imported.
    app = import_module("pilotbench.tui.app").make_app(host)
    problems: list[str] = []
    finished = True
    with stop_signals():
        try:
            host.start()
            app.run()
            problems += ["the screen ended by an error of its own"] if app.return_code else []
        except KeyboardInterrupt:
            finished = False
            print("stopped: making safe")
        except BenchError as error:
            problems.append(str(error))
        finally:
            problems += [problem for problem in close_quietly(host, finished=finished) if problem not in problems]
    report = host.report
    code = 4 if problems else 0 if report is None else exit_code(report)
    if report is not None:
        write_run(folder, report, problems=problems, exit_code=code, bench=file.name)
    for problem in problems:
        sys.stderr.write(f"pilotbench: {problem}\n")
    print(host.outcome_text)
    if folder.is_dir():
        print(f"run     {folder}")
    return code
