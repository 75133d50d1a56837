"""The shipped post with two outlets, both charging at once: each outlet is judged by its own facts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cli_runs import environment
from on_the_twin import on_the_twin

BOTH = """
def charging(least_a, most_a):
    return lambda sample: least_a < max(sample["current_a"]) < most_a


def test_both(bench, vehicle, timeline):
    right = bench.vehicle_at(2)
    vehicle.plug(cable_a=32)
    right.plug(cable_a=20)
    mark = timeline.now_ns()
    vehicle.present("04A2B3C4D5")
    timeline.wait_for("ocpp.tx.started", within="15 s", since_ns=mark, evse=1)
    right.present("04FFEEDDCC")
    timeline.wait_for("ocpp.tx.started", within="15 s", since_ns=mark, evse=2)
    timeline.wait_for("meter.sample", charging(25, 33), within="15 s", evse=1)
    timeline.wait_for("meter.sample", charging(15, 21), within="15 s", evse=2)
    mark = timeline.now_ns()
    vehicle.pause()
    timeline.wait_for("output", live=False, within="10 s", since_ns=mark, evse=1)
    vehicle.unplug()
    timeline.wait_for("ocpp.tx.ended", within="15 s", since_ns=mark, evse=1)
    timeline.wait_for("meter.sample", charging(15, 21), within="5 s", evse=2)
    assert not timeline.seen("output", live=False, within="1 ms", since_ns=mark, evse=2)
    right.pause()
    timeline.wait_for("output", live=False, within="10 s", since_ns=mark, evse=2)
    right.unplug()
    timeline.wait_for("ocpp.tx.ended", within="15 s", since_ns=mark, evse=2)
    for rule in ("start.close", "stop.open"):
        timeline.check(rule).require()
"""

WRONG = """
import pytest
from pilotbench import BenchError


def test_what_cannot_come(timeline):
    with pytest.raises(BenchError, match="it has no 'evsee'; it has live"):
        timeline.wait_for("output", evsee=1)
    with pytest.raises(BenchError, match="did you mean 'ocpp.tx.started'"):
        timeline.seen("ocpp.tx.start")
"""


def speaking_2() -> str:
    """The bench file of the post on the twin, its station speaking 2.0.1."""
    text = on_the_twin("two-outlet-post")
    text = text.replace('ocpp = "1.6"', 'ocpp = "2.0.1"').replace('"ocpp16"', '"ocpp201"')
    return text.replace('"ocpp", "lab"', '"ocpp", "ocpp2", "lab"')


def test_two_cars_charge_at_once_and_no_rule_takes_one_for_the_other(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text(speaking_2(), encoding="utf-8")
    (tmp_path / "test_lab.py").write_text(BOTH + WRONG, encoding="utf-8")
    words = ["-p", "no:cacheprovider", "test_lab.py", "--bench", "bench.toml", "--bench-out", "out"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=tmp_path,
        env=environment(tmp_path / "state"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " FAIL" not in done.stdout
