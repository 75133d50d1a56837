"""A full CAN bus over SLCAN: 4000 frames a second, what is lost, and what reading costs: `make bench`.

Each reader is a process of its own at the end of its own pty, as with a serial adapter, so that its processor time is
its own. Beside ours stands the SLCAN bus of python-can as it comes, with the same frames. Columns:

- *lost*: frames that were offered and did not arrive, for whichever reason; *did not fit*: those of them for which the
  pty had no room, because the reader was too slow. A real adapter would have reported an overrun.
- *core*: CPU time of the reader's process, its recorder included, in percent of one core; the goal is 10.
- *a block*: frames that one read brought; with `record_frames` each block is one event `can.frames`, not one a frame.

A lost frame fails for each of our readers; the other figures are only printed. The bus with everything in the recording
is read for a minute, the others for a sixth of it; `PILOTBENCH_CAN_SECONDS` shortens the minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from can_feed import can_feed
from running_bench import row_of

pytestmark = pytest.mark.benchmark

LOAD = Path(__file__).resolve().parents[1] / "support" / "can_load.py"
RATE = 4000
MINUTE_S = float(os.environ.get("PILOTBENCH_CAN_SECONDS", "60"))
READERS = {
    "reader": ("our reader, every frame taken apart", MINUTE_S / 6),
    "driver": ("ev.dbc, listening to its own frames", MINUTE_S / 6),
    "recorded": ("ev.dbc, every frame recorded as can.frames", MINUTE_S),
    "stock": ("python-can's slcan with its Notifier", MINUTE_S / 6),
}
COLUMNS = ("reader", "offered", "lost", "did not fit", "core", "a block", "events/s", "file MB", "memory MB")


def run(kind: str, seconds: float) -> dict[str, Any]:
    """One reader on one bus; what both said."""
    with can_feed(RATE, seconds) as feeder:
        command = [sys.executable, str(LOAD), kind, feeder.port, str(seconds + 3)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert json.loads(reader.stdout.readline())["ready"]
            feeder.go()
            return {**feeder.sent(), **json.loads(reader.stdout.readline())}


@pytest.mark.parametrize("kind", list(READERS))
def test_a_full_bus(kind: str, rows: list[str]) -> None:
    name, seconds = READERS[kind]
    found = run(kind, seconds)
    # What listens to its own frames only counts those, and what is missing of them.
    lost = found["missing"] if kind == "driver" else found["sent"] - found["frames"]
    blocks = found["blocks"]
    cells = (
        name,
        found["sent"] + found["dropped"],
        lost + found["dropped"],
        found["dropped"],
        f"{100 * found['cpu_s'] / seconds:.1f} %",
        f"{found['frames'] / blocks:.1f}" if blocks else "",
        f"{found['events'] / seconds:.0f}" if "events" in found else "",
        found.get("mb", ""),
        found["peak_mb"],
    )
    rows.append(row_of(cells))
    if kind != "stock":
        assert (lost, found["dropped"], found["holes"], found.get("recorder_lost", 0)) == (0, 0, 0, 0)
