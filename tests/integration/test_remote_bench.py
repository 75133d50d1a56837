"""Benches with devices behind a network: the page's lines load, and the doctor says what the network costs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pilotbench.bench.config import BenchFile, load_bench_file, virtual_bench
from pilotbench.bench.instruments import make_instruments
from pilotbench.bench.timeline import ClosedGate, Timeline
from pilotbench.bench.upkeep.doctor import reach_of

from cli_runs import cli
from serial_server import SerialServer
from twin_client import TwinProcess

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "remote.md").read_text(encoding="utf-8")


def bench_with(devices: str, folder: Path) -> Path:
    """A bench that is not virtual, with these devices."""
    text = virtual_bench().read_text(encoding="utf-8").partition("[twin]")[0]
    before, _, rest = text.partition("[device.pilot]")
    after = rest[rest.index("[envelope]") :].replace("[safe]\n", '[safe]\nemergency_stop = "on the wall"\n')
    path = folder / "remote.toml"
    path.write_text(f"{before}{devices}\n{after}", encoding="utf-8")
    return path


def page_lines() -> str:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    return block


def reach(file: BenchFile) -> dict[str, tuple[str, str]]:
    drivers = make_instruments(file, Timeline(), ClosedGate(), {})
    return {found.subject: (found.state, found.detail) for found in reach_of(drivers)}


def test_the_lines_of_the_page_make_a_bench_and_each_is_remote(tmp_path: Path) -> None:
    told = reach(load_bench_file(bench_with(page_lines(), tmp_path)))
    assert set(told) == {"pilot", "relays", "source", "ev"}, "the meter energises nothing"
    for name, (state, detail) in told.items():
        assert (state, "is another machine" in detail) == ("warn", True), name


@pytest.mark.parametrize(
    ("port", "state", "says"),
    [
        ("socketcand:127.0.0.1:29536/can0", "ok", "reaches it"),
        ("socket://localhost:4001", "ok", "reaches it"),
        ("rfc2217://10.0.0.8:4001", "warn", "10.0.0.8 is another machine"),
        ("pcan:PCAN_USBBUS1", "warn", "out of its reach: only the driver can reach it"),
    ],
)
def test_the_guardians_reach(tmp_path: Path, port: str, state: str, says: str) -> None:
    lines = page_lines().replace("socketcand:192.168.50.8:29536/can0", port)
    told = reach(load_bench_file(bench_with(lines, tmp_path)))
    assert told["ev"][0] == state
    assert says in told["ev"][1]


@pytest.fixture
def server(twin: Callable[..., TwinProcess]) -> Iterator[tuple[SerialServer, dict[str, str]]]:
    devices = {
        "pilot": {"kind": "pilot.line"},
        "meter": {"kind": "meter.modbus", "wire": "tcp"},
        "far": {"kind": "ev.socketcand"},
    }
    ready = twin(devices=devices).ready
    made = SerialServer(ready["pilot"], hold_s=0.02)
    yield made, ready
    made.close()


def test_the_doctor_states_what_the_network_costs(tmp_path: Path, server: tuple[SerialServer, dict[str, str]]) -> None:
    pilot, ready = server
    lines = re.sub(r"\[device\.(relays|source)\]\n(.+\n)+\n?", "", page_lines())
    lines = lines.replace("rfc2217://192.168.50.7:4001", pilot.url)
    lines = lines.replace("tcp://192.168.50.21:502", ready["meter"]).replace("janitza-umg604", "eastron-sdm630")
    lines = lines.replace("socketcand:192.168.50.8:29536/can0", ready["far"])
    path = bench_with(lines, tmp_path)
    told = cli("doctor", "--bench", str(path), "--watch", "1 s", "--json", state=tmp_path / "state")
    found = {(entry["subject"], entry["what"]): entry for entry in told.document["findings"]}
    for device in ("pilot", "meter", "ev"):
        assert found[device, "opening"]["state"] == "ok", told.out
        assert "reached through 127.0.0.1" in found[device, "network"]["detail"]
        assert found[device, "stamps"]["detail"]
    assert found["pilot", "guardian"]["state"] == found["ev", "guardian"]["state"] == "ok"
    (most,) = re.findall(r"steps known to ([\d.]+) ms", found["pilot", "stamps"]["detail"])
    assert 40 <= float(most) <= 200, "20 ms each way"
    (half,) = re.findall(r"offset known to ([\d.]+) ms", found["pilot", "clock"]["detail"])
    assert 20 <= float(half) <= 60
    assert found["pilot", "clock"]["state"] == "warn"
