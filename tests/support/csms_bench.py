"""Runs a central system and its stations as two processes, and reads what the first one cost."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

HERE = Path(__file__).parent


class Process:
    """A child that is talked to by lines."""

    def __init__(self, *command: str) -> None:
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # other servers say much about connections that end
            text=True,
            encoding="utf-8",
        )

    def read(self) -> Any:
        """The next line, as JSON."""
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line, f"{self.child.args} ended with {self.child.wait(10)}"
        return json.loads(line)

    def write(self, line: str) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def cpu_s(self) -> float:
        """User and system time so far, threads included, in seconds (steps of 10 ms)."""
        times = psutil.Process(self.child.pid).cpu_times()
        return times.user + times.system

    def end(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        assert self.child.stdout is not None
        self.child.stdout.close()


class Load(NamedTuple):
    """What one server did under load; `us` is its CPU time per message in microseconds."""

    us: float
    per_s: float
    p50_ms: float
    p99_ms: float


@contextmanager
def server(name: str, *options: str) -> Iterator[tuple[Process, int]]:
    """A running server and its port. `name`: see csms_servers, or a command that prints its port."""
    process = Process(sys.executable, str(HERE / "csms_servers.py"), name, *options)
    try:
        yield process, process.read()
    finally:
        process.end()


@contextmanager
def stations(port: int, *options: str) -> Iterator[Process]:
    """A running process of stations."""
    process = Process(sys.executable, str(HERE / "csms_clients.py"), "--port", str(port), *options)
    try:
        yield process
    finally:
        process.end()


def load(running: Process, port: int, messages: int, number: int = 50) -> Load:
    """Send MeterValues from `number` stations, each one at a time, to a server that runs."""
    with stations(port, "--stations", str(number), "--messages", str(messages)) as clients:
        clients.read()
        before_s = running.cpu_s()
        clients.write("go")
        found = clients.read()
        spent_s = running.cpu_s() - before_s
        clients.write("end")
    assert found["messages"] == messages
    return Load(spent_s / messages * 1e6, messages / found["wall_s"], found["p50_ms"], found["p99_ms"])


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
