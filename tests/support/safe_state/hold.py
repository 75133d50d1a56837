"""What the owner of a bench runs: a plain pytest file on the plugin's own fixtures, brought to a state, and waiting.

Its orders come in the environment: CELL_STATE, CELL_CAUSE and CELL_FOLDER. `ready.json` says that the state is reached;
an empty file `go` lets the cause happen, and `cause.json` says when it did.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOKEN = "04A2B3C4D5"
HOLD_S = 60.0
FOLDER = Path(os.environ["CELL_FOLDER"])
STATE = os.environ["CELL_STATE"]
CAUSE = os.environ["CELL_CAUSE"]


def write(name: str, **content: object) -> None:
    fresh = FOLDER / (name + ".new")
    fresh.write_text(json.dumps(content))
    fresh.replace(FOLDER / name)


def caused() -> None:
    write("cause.json", at_ns=time.monotonic_ns())


def wait_for_go() -> None:
    deadline = time.monotonic() + HOLD_S
    while not (FOLDER / "go").exists():
        assert time.monotonic() < deadline, "nobody said go"
        time.sleep(0.005)  # a look at a folder, bounded by the deadline


def hold() -> None:
    """Stay in the test until somebody ends it."""
    threading.Event().wait(HOLD_S)
    raise AssertionError("nothing ended this test")


def bring_to(bench: Any, vehicle: Any, timeline: Any) -> None:
    if STATE == "idle":
        return
    mark = timeline.now_ns()
    vehicle.plug(cable_a=32)
    timeline.wait_for("cp.state", within="10 s", since_ns=mark, state="B")
    if STATE == "plugged":
        return
    vehicle.present(TOKEN)
    timeline.wait_for("meter.sample", lambda sample: max(sample["current_a"]) > 6.0, within="20 s", since_ns=mark)
    if STATE == "welded":
        bench.twin.fault("contactor-welded")


def hang_loop(bench: Any) -> None:
    async def hang() -> None:
        caused()
        threading.Event().wait(HOLD_S)

    bench.call(hang(), HOLD_S)


def hang_thread(bench: Any) -> None:
    """The pilot's reader never comes back from its read, as in a driver of the kernel that hangs."""
    pilot = next(driver for driver in bench.bench.instruments if driver.role == "pilot")
    hung = threading.Event()

    def read(size: int = 1) -> bytes:
        if not hung.is_set():
            hung.set()
            caused()
        threading.Event().wait(HOLD_S)
        return b""

    pilot._line._port.read = read
    assert hung.wait(5.0)
    hold()


@pytest.fixture
def broken_teardown(vehicle: Any) -> Iterator[None]:
    yield
    if CAUSE == "exception in teardown":
        caused()
        raise RuntimeError("a teardown that breaks")


def test_hold(bench: Any, vehicle: Any, timeline: Any, broken_teardown: None) -> None:
    bring_to(bench, vehicle, timeline)
    guarded = bench.bench.guarded
    write("ready.json", owner=os.getpid(), guardian=guarded.guard.pid, twin=bench.bench.twin.process.pid)
    wait_for_go()
    match CAUSE:
        case "hung loop":
            hang_loop(bench)
        case "hung device thread":
            hang_thread(bench)
        case "exception in a test":
            caused()
            raise RuntimeError("a test that breaks")
        case "exception in teardown":
            return
        case "unplugged pilot":
            caused()
            bench.twin.fault("unplugged", device="pilot")
            hold()
        case _:
            hold()
