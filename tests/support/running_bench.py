"""Starts `bench_load.py`, and reads what it found."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["RunningBench", "head_of", "quantile", "row_of", "running_bench"]


class RunningBench:
    """The program, with everything open; `port` is where the back end listens, if it has one."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        self.port: int = self._read()["port"]

    def begin(self) -> None:
        """Measure from now on."""
        self._say("begin")

    def end(self) -> dict[str, Any]:
        """Measure no longer; everything that was found."""
        self._say("end")
        return self._read()

    def _say(self, line: str) -> None:
        self._in.write(line + "\n")
        self._in.flush()

    def _read(self) -> dict[str, Any]:
        line = self._out.readline()
        assert line, "the bench's process broke; its traceback stands above"
        return json.loads(line)


@contextlib.contextmanager
def running_bench(spec: dict[str, Any]) -> Iterator[RunningBench]:
    """Start it, and see it end. `spec`: see `bench_load.Spec`."""
    command = [sys.executable, str(Path(__file__).with_name("bench_load.py")), json.dumps(spec)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield RunningBench(process)
        except BaseException:
            process.kill()
            raise


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def head_of(columns: Sequence[str]) -> str:
    """The head of a table in Markdown."""
    return f"{row_of(columns)}\n{'|---' * len(columns)}|"


def row_of(cells: Sequence[object]) -> str:
    """A row of it."""
    return f"| {' | '.join(map(str, cells))} |"
