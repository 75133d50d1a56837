"""`pilotbench tui`: the screen on a running bench."""

from __future__ import annotations

from pathlib import Path

from ..assembly import RunOptions
from ..config import load_bench_file, virtual_bench
from ..host import BenchHost
from ..report import create_run_folder, write_run
from ..stop import stop_signals

__all__ = ["tui_command"]


def tui_command(bench: Path | None, out: Path | None, station_fault: str | None) -> int:
    """Start the bench, open the screen, and make safe when it is left."""
    from importlib import import_module

    file = load_bench_file(bench or virtual_bench())
    folder = create_run_folder(file.name, out=out)
    host = BenchHost(file, options=RunOptions(directory=folder, station_fault=station_fault), progress=print)
    # The screen is a room on the same floor as the command line; it is opened by name, not imported.
    app = import_module("pilotbench.tui.app").make_app(host)
    with stop_signals():
        try:
            host.start()
            app.run()
        finally:
            report = host.close()
    if report is not None:
        write_run(folder, report)
    print(host.outcome_text or "")
    print(f"run     {folder}")
    return 0
