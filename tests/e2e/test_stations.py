"""Stations that are not the run's own: foreign software on the DUT port, and one that was on before the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pilotbench.bench.config import virtual_bench
from pilotbench.bench.recording import read_run

from cli_runs import COMMAND, cli, environment, wait_until

EXTERNAL = virtual_bench().read_text(encoding="utf-8").replace("[twin]", "[twin]\nexternal_station = true")


def transactions(folder: Path) -> list[int]:
    return [event.data["tx"] for event in read_run(folder).events if event.topic == "ocpp.tx.started"]


def test_a_foreign_station_is_tested_and_one_that_was_on_is_attached_to(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text(EXTERNAL, encoding="utf-8")
    folder, state = tmp_path / "foreign", tmp_path / "state"
    run = subprocess.Popen(
        [*COMMAND, "run", "--bench", str(bench), "--out", str(folder), "--wait-station", "20 s"],
        env=environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: (folder / "dut-port.json").exists(), 15, "the port's file in the run's folder")
    command = [sys.executable, "-m", "pilotbench.bench.twin.station", "--port-file", str(folder / "dut-port.json")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as station:
        out, err = run.communicate(timeout=90)
        assert run.returncode == 0, out + err
        assert station.wait(10) == 0, "a station ends by itself when the model closes the port"
    assert transactions(folder) == [1]
    assert not (folder / "dut-port.json").is_symlink()

    # The same bench again, with a station that says nothing of a boot: served at once, ids go on.
    attached = tmp_path / "attached"
    again = cli("run", "--attach", "--json", "--out", str(attached), state=state)
    assert again.code == 0, again.out + again.err
    assert again.verdicts["boot.first"] == "NOT_APPLICABLE"
    events = read_run(attached).events
    assert [event for event in events if event.topic == "ocpp.attached"]
    assert not [event for event in events if event.topic == "ocpp.boot"]
    assert transactions(attached) == [2]
