"""A full CAN bus over SLCAN: 4000 frames a second for a minute, what is lost, and what reading costs.

Each reader is a process of its own at the end of its own pty, so that its processor time is its own. Beside ours stands
the SLCAN bus of python-can as it comes, with the same frames. `PILOTBENCH_CAN_SECONDS` shortens the minute.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.benchmark

LOAD = Path(__file__).resolve().parents[1] / "support" / "can_load.py"
RATE = 4000
SECONDS = float(os.environ.get("PILOTBENCH_CAN_SECONDS", "60"))


def start(*args: object) -> subprocess.Popen[str]:
    command = [sys.executable, str(LOAD), *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def run(kind: str) -> dict[str, Any]:
    """One reader on one bus; what both said."""
    with start("feed", RATE, SECONDS) as feeder, start(kind, line(feeder)["port"], SECONDS + 3) as reader:
        assert line(reader)["ready"]
        assert feeder.stdin is not None
        feeder.stdin.write("go\n")
        feeder.stdin.flush()
        sent = line(feeder)
        return {**sent, **line(reader)}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("reader", "our reader, every frame taken apart"),
        ("driver", "ev.dbc, listening to its own frames, recorder on"),
        ("recorded", "ev.dbc with record_frames, every frame in the MCAP file"),
        ("stock", "python-can's slcan with its Notifier"),
    ],
)
def test_a_full_bus(kind: str, text: str) -> None:
    found = run(kind)
    lost = found["sent"] - found["frames"] if kind != "driver" else found["missing"]
    share_pct = 100 * found["cpu_s"] / SECONDS
    print(
        f"\n{text}: {found['sent']} sent at {RATE}/s, {found['dropped']} did not fit into the pty, "
        f"{lost} lost; {share_pct:.1f} % of a core, peak {found['peak_mb']} MB; "
        + ", ".join(f"{key} {found[key]}" for key in ("holes", "events", "mb", "recorder_lost") if key in found)
    )
    if kind != "stock":
        assert (lost, found["dropped"]) == (0, 0)
