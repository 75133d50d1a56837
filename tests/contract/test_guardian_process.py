"""The guardian on wires of its own: two units on one segment, what it says of several outlets, and who is disarmed."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from pilotbench.bench.safety.guardian.act import StepDone, act, verdict
from pilotbench.bench.safety.guardian.plan import Recipe, Step, Wire


class Segment:
    """Units on one two-wire line: a request that another one runs into is answered by nobody."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.garbled: list[bytes] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="segment")
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            request = self._read(0.05)
            if not request:
                continue
            while more := self._read(0.02):  # silence ends a frame, as on Modbus
                request += more
            if request in (b"1?", b"2?"):
                os.write(self.master, request[:1] + b"!")
            else:
                self.garbled.append(request)

    def _read(self, within_s: float) -> bytes:
        ready, _, _ = select.select([self.master], [], [], within_s)
        return os.read(self.master, 100) if ready else b""

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def segment() -> Iterator[Segment]:
    made = Segment()
    yield made
    made.close()


def unit(segment: Segment, number: int) -> Recipe:
    step = Step("supply", "off", f"{number}?".encode().hex(), rf"{number}!", within_ms=250, attempts=3)
    return Recipe(f"board{number}", Wire("serial", segment.path, baud=9600), (step,))


def test_two_units_on_one_segment_take_turns(segment: Segment) -> None:
    outcome = act((unit(segment, 1), unit(segment, 2)))
    assert outcome.safe, outcome.text
    assert segment.garbled == []


def test_an_outlet_that_nobody_sees_is_not_called_dead() -> None:
    dead = StepDone("left", "faults", "output dead", "output", True, 1, 1.0)
    at_a = StepDone("right", "pilot", "CP to A", "", True, 1, 1.0)
    one = verdict([dead], {"left": 1, "car": 1})
    two = verdict([dead, at_a], {"left": 1, "right": 2})
    assert one.text == "safe: everything acknowledged, output proven dead"
    assert "safe" not in two.text
    assert "not observed at outlet 2" in two.text


@pytest.mark.parametrize("last", ["done", "silence"])
def test_the_permission_is_taken_away_when_it_acts(tmp_path: Path, last: str) -> None:
    permission = tmp_path / "armed.json"
    permission.write_text("{}", encoding="utf-8")
    owner = (
        "import json, os, subprocess, sys, time\n"
        "guardian = subprocess.Popen([sys.executable, '-m', 'pilotbench.bench.safety.guardian'],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)\n"
        "plan, last = json.loads(sys.argv[1]) | {'owner': os.getpid()}, sys.argv[2]\n"
        "guardian.stdin.write(json.dumps(plan).encode() + b'\\n'); guardian.stdin.flush()\n"
        "assert b'ready' in guardian.stdout.readline()\n"
        "print(guardian.pid, flush=True)\n"
        'guardian.stdin.write(b\'{"end": "done"}\\n\' if last == \'done\' else b\'{"watch": "closely"}\\n\')\n'
        "guardian.stdin.flush()\n"
        "guardian.wait()\n"
    )
    plan = {
        "dead_ms": 300,
        "report": str(tmp_path / "guardian.json"),
        "permission": str(permission),
        "recipes": [],
    }
    done = subprocess.run([sys.executable, "-c", owner, json.dumps(plan), last], capture_output=True, timeout=20)
    assert (done.returncode == 0) is (last == "done"), done.stderr
    if last == "silence":
        guardian = os.pidfd_open(int(done.stdout)) if Path(f"/proc/{int(done.stdout)}").exists() else None
        if guardian is not None:
            assert select.select([guardian], [], [], 10)[0]
    assert permission.exists() is (last == "done")
