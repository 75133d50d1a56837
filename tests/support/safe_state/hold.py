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

from safe_state.cells import SIGNALS

TOKEN = "04A2B3C4D5"
HOLD_S = 60.0
FOLDER = Path(os.environ["CELL_FOLDER"])
STATE = os.environ["CELL_STATE"]
CAUSE = os.environ["CELL_CAUSE"]
FROM_OUTSIDE = (*SIGNALS, "full disk")


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


def hold(timeline: Any) -> None:
    """Stay in the test until somebody ends it, as a test that waits for its station does."""
    timeline.wait_for("phase", within=f"{HOLD_S} s", name="nobody says this")


def go_on(vehicle: Any) -> None:
    """Go on with the test: the next step says that the pilot is gone."""
    for _ in range(200):
        vehicle.faults()
        threading.Event().wait(0.2)


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


def outlive(bench: Any) -> None:
    """The model goes on for its 3 s when the bench has closed, as copper does: the watchdog has to be seen."""
    child = bench.bench.twin
    say = child.say
    child.say = lambda message: None if message.get("type") == "stop" else say(message)


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
    if CAUSE in FROM_OUTSIDE:
        hold(timeline)
    wait_for_go()
    match CAUSE:
        case "hung loop":
            hang_loop(bench)
        case "hung device thread":
            hang_thread(bench)
            hold(timeline)
        case "exception in a test":
            caused()
            raise RuntimeError("a test that breaks")
        case "exception in teardown":
            return
        case "unplugged pilot":
            outlive(bench)
            caused()
            bench.twin.fault("unplugged", device="pilot")
            go_on(vehicle)
        case _:
            raise AssertionError(f"there is no cause {CAUSE!r}")
