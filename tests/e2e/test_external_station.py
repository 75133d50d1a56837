"""A station that is somebody else's software, attached by the example of the documentation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pilotbench.bench.config import HW_CONFIGS

from cli_runs import COMMAND, cli, environment, wait_until

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "station_on_ocpp.py"
ADAPTER = EXAMPLE.with_name("dut_port.py")


def test_the_session_is_driven_on_a_foreign_station(tmp_path: Path) -> None:
    run = tmp_path / "run"
    bench = subprocess.Popen(
        [*COMMAND, "run", "--external-station", "--out", str(run)],
        env=environment(tmp_path / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        port_file = run / "dut-port.json"
        wait_until(port_file.exists, 20, "the port file is there")
        port = json.loads(port_file.read_text())
        station = subprocess.run(
            [sys.executable, str(EXAMPLE), str(port_file)], capture_output=True, text=True, timeout=90, check=False
        )
        out, _ = bench.communicate(timeout=60)
    finally:
        bench.kill()
        bench.wait()
    assert station.returncode == 0, station.stderr
    assert f"DUT port in {port_file}" in " ".join(out.split())
    assert port["csms_url"] in out
    assert "case session: passed" in out
    assert bench.returncode in (0, 3), out  # 3: the machine stood still
    verdicts = {verdict["rule"]: verdict["verdict"] for verdict in json.loads((run / "verdicts.json").read_text())}
    assert "FAIL" not in verdicts.values()
    assert verdicts["profile.duty"] == verdicts["stop.open"] == "PASS"


def test_the_adapter_is_as_short_as_it_is_said_to_be() -> None:
    assert len(ADAPTER.read_text().splitlines()) <= 50


def test_it_is_waited_for_and_told_what_was_seen(tmp_path: Path) -> None:
    run = cli("run", "--external-station", "--wait-station", "2 s", "--out", str(tmp_path / "run"), state=tmp_path)
    assert run.code == 4
    assert "CP001 was not ready within 2 s" in " ".join(run.out.split())


def test_a_real_bench_has_no_place_for_it(tmp_path: Path) -> None:
    bench = HW_CONFIGS / "home-made-pilot.toml"
    run = cli("run", "--external-station", "--bench", str(bench), "--out", str(tmp_path / "run"), state=tmp_path)
    assert run.code == 2
    assert "needs the twin; this bench is real" in run.err
