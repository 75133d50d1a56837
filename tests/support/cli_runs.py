"""Runs of the real command line, each with a state directory of its own, for the end-to-end tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "pilotbench.bench.cli"]
RUN_WITHIN_S = 150
LONG_RUN_WITHIN_S = 900
"""For a run that waits for a limit of minutes."""
AT_ONCE = 1 if "PYTEST_XDIST_WORKER" in os.environ else 2
"""Sessions at the same time; beside another worker's own, one."""


@dataclass
class CliRun:
    """One finished `pilotbench` command."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def verdicts(self) -> dict[str, str]:
        return {verdict["rule"]: verdict["verdict"] for verdict in self.document["verdicts"]}


def environment(state: Path) -> dict[str, str]:
    """The environment of a command that shares no lock and no state with any other."""
    return {**os.environ, "PILOTBENCH_STATE_DIR": str(state), "NO_COLOR": "1"}


def cli(
    *args: str, state: Path, folder: Path | None = None, cwd: Path | None = None, within_s: float = RUN_WITHIN_S
) -> CliRun:
    """Run `pilotbench` to its end."""
    done = subprocess.run(
        [*COMMAND, *args],
        env=environment(state),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    return CliRun(done.returncode, done.stdout, done.stderr, folder or Path())


class Sessions:
    """Session runs by station fault, each made once, a few at a time."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._runs: dict[tuple[str, ...], Future[CliRun]] = {}

    def order(self, *options: str) -> Future[CliRun]:
        """Have a run made, without waiting for it."""
        if options not in self._runs:
            name = "-".join(options).strip("-") or "clean"
            folder = self._base / name

            def make() -> CliRun:
                args = ["run", "--json", "--out", str(folder), *options]
                return cli(*args, state=self._base / f"{name}.state", folder=folder)

            self._runs[options] = self._pool.submit(make)
        return self._runs[options]

    def get(self, *options: str) -> CliRun:
        return self.order(*options).result()

    def end(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def wait_until(true: Callable[[], bool], within_s: float, what: str) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)
