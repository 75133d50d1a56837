"""The pytest plugin as a lab uses it: in a folder of its own, with plain tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pilotbench.bench.recording import read_run

from cli_runs import environment

CHARGE = """
def test_charge(vehicle, timeline):
    vehicle.plug(cable_a=32)
    vehicle.present("04A2B3C4D5")
    timeline.wait_for("ocpp.tx.started", within="15 s")
    timeline.wait_for("meter.sample", lambda sample: max(sample["current_a"]) > 30, within="15 s")
    vehicle.pause()
    timeline.wait_for("output", live=False)
    timeline.check("stop.open").require()
"""

OWN = f"""
from pilotbench.bench.correlation.fluent import when

quick = when("cp.state C|D -> A|B").then("output dead").within("limit.seq8_1").text("t").ref("r").named("own.quick")
hasty = when("cp.state C|D -> A|B").then("output dead").within("1 ms").text("t").ref("r").named("own.hasty")

{CHARGE}
    assert timeline.check(quick).require().measured.hi < 100
    assert timeline.check(hasty).verdict.verdict == "FAIL"
"""

GRAB = """
import pytest
from pilotbench import SafetyError


def test_the_driver_itself_is_held_to_the_envelope(bench, vehicle, csms):
    ev = next(driver for driver in bench.bench.instruments if driver.name == "ev")
    with pytest.raises(SafetyError, match="current"):
        bench.call(ev.command(max_current_a=63.0, charge=True))
    pilot = next(driver for driver in bench.bench.instruments if driver.name == "pilot")
    with pytest.raises(SafetyError, match="pp_ohm"):
        bench.call(pilot.pp(100))
    with pytest.raises(SafetyError, match="csms_forbidden"):
        csms.call("UnpublishFirmware", {"checksum": "0"}, validate=False)


def test_the_bench_lives_across_tests(bench, vehicle):
    vehicle.plug()
    assert bench.running
"""


def pytest_in(folder: Path, content: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_lab.py").write_text(content, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_lab.py", "--bench-out", "out", *options],
        cwd=folder,
        env=environment(folder / "state"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_test_of_a_few_lines_charges_a_car_and_checks_a_rule(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, OWN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stop.open" in done.stdout
    run = read_run(tmp_path / "out")
    assert run.truncated is None
    assert run.events[-1].data.get("state") != "unsafe"


def test_the_same_test_fails_on_a_station_that_opens_late(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, CHARGE, "--station-fault", "late-open")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAIL stop.open" in done.stdout
    assert "163" in done.stdout or "limit 100 ms" in done.stdout


def test_a_rule_that_failed_fails_the_session_though_every_test_passed(tmp_path: Path) -> None:
    lenient = CHARGE.replace('timeline.check("stop.open").require()', 'timeline.check("stop.open")')
    done = pytest_in(tmp_path, lenient, "--station-fault", "late-open")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


def test_whoever_grabs_a_driver_is_still_held_to_the_envelope(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, GRAB)
    assert done.returncode in (0, 5), done.stdout + done.stderr
    assert "2 passed" in done.stdout, done.stdout + done.stderr


STOPPED = """
import os
import signal


def test_stopped_while_rules_still_wait(bench, vehicle, csms, timeline):
    mark = timeline.now_ns()
    vehicle.plug()
    timeline.wait_for("ocpp.status", status="Preparing", since_ns=mark)
    vehicle.present("04A2B3C4D5")
    timeline.wait_for("ocpp.tx.started", within="15 s")
    timeline.wait_for("meter.sample", lambda sample: max(sample["current_a"]) > 25, within="15 s")
    csms.set_limit(16.0)
    bench.phase("stop")
    os.kill(os.getpid(), signal.SIGTERM)
    timeline.wait_for("phase", name="never", within="20 s")
"""


def test_a_stop_signal_makes_safe_before_anything_is_torn_down(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, STOPPED)
    assert done.returncode == 2, done.stdout + done.stderr
    run = read_run(tmp_path / "out")
    asked = next(event for event in run.events if event.topic == "phase" and event.data["name"] == "stop")
    dead = next(
        event
        for event in run.events
        if event.topic == "output" and not event.data["live"] and event.stamp.order_ns > asked.stamp.order_ns
    )
    assert dead.stamp.order_ns - asked.stamp.order_ns < 5_000_000_000
    states = [event.data for event in run.events if event.topic == "bench.state"]
    assert states[-1] == {"state": "closed", "why": "interrupted"}
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"verdicts.json", "junit.xml", "summary.txt"}


def test_a_bench_that_does_not_come_up_is_told_in_words(tmp_path: Path) -> None:
    done = pytest_in(tmp_path, CHARGE, "--bench", "nowhere.toml")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "the bench is not up: nowhere.toml: there is no such bench file" in done.stdout
    assert "Traceback" not in done.stdout
    assert "plugin.py" not in done.stdout
