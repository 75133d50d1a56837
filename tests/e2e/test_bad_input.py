"""What goes wrong is told in one clear paragraph, with the right exit code, and nothing is lost."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import socket
import subprocess
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from pilotbench.bench.config import virtual_bench

from cli_runs import COMMAND, CliRun, cli, environment

VIRTUAL = virtual_bench().read_text(encoding="utf-8")

REAL_PILOT_ONLY = """
schema = 1
name = "bad"

[station]
id = "CP001"
outlet = "socket"
rated = "32 A"
authorisation = "required"
boot_within = "2 s"

[csms]
listen = "127.0.0.1"
port = {csms_port}

[device.pilot]
driver = "pilot.line"
port = "{port}"

[envelope]
current = "32 A"
contactor_cycles = 10
pp_ohm = [220]

[safe]
emergency_stop = "red button left of the door"

[rules]
packs = ["iec61851", "safety"]
limits = ["iec61851-1", "ocpp", "lab"]
"""


def bench_file(tmp_path: Path, text: str) -> str:
    path = tmp_path / "bench.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def run(tmp_path: Path, text: str, *options: str) -> CliRun:
    folder = tmp_path / "out"
    return cli("run", "--bench", bench_file(tmp_path, text), "--out", str(folder), *options, state=tmp_path / "state")


def one_paragraph(result: CliRun, code: int, *says: str) -> None:
    told = result.err + result.out
    assert "Traceback" not in told
    assert result.code == code, told
    for words in says:
        assert words in told, told


class Peer:
    """The far end of a pty that says what it is told to say to whoever opens it."""

    def __init__(self, answer: bytes | None) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                got = os.read(self.master, 1024)
                if self._answer is not None and got:
                    os.write(self.master, self._answer)
            except OSError:
                return

    def close(self) -> None:
        os.close(self._slave)
        os.close(self.master)


@pytest.fixture
def silent() -> Iterator[Peer]:
    peer = Peer(None)
    yield peer
    peer.close()


@pytest.fixture
def stranger() -> Iterator[Peer]:
    peer = Peer(b"$OK 5.2.1^XX\r\n")
    yield peer
    peer.close()


def test_an_unknown_key_names_line_and_meaning(tmp_path: Path) -> None:
    result = run(tmp_path, VIRTUAL.replace('rated = "32 A"', 'ratd = "32 A"'))
    one_paragraph(result, 2, "bench.toml:", "did you mean 'rated'")
    assert len(result.err.strip().splitlines()) == 1


def test_a_wrong_unit_names_the_right_ones(tmp_path: Path) -> None:
    result = run(tmp_path, VIRTUAL.replace('rated = "32 A"', 'rated = "32 Hz"'))
    one_paragraph(result, 2, "bench.toml:", "'Hz'", "mA, A")


def test_a_missing_port_lists_those_that_exist(tmp_path: Path) -> None:
    result = run(tmp_path, REAL_PILOT_ONLY.format(port="/dev/ttyNONE7", csms_port=0))
    one_paragraph(result, 4, "pilot", "/dev/ttyNONE7")


def test_a_device_that_does_not_answer(tmp_path: Path, silent: Peer) -> None:
    result = run(tmp_path, REAL_PILOT_ONLY.format(port=silent.path, csms_port=0))
    one_paragraph(result, 4, "pilot", silent.path, "HELLO")


def test_the_wrong_device_is_quoted(tmp_path: Path, stranger: Peer) -> None:
    result = run(tmp_path, REAL_PILOT_ONLY.format(port=stranger.path, csms_port=0))
    one_paragraph(result, 4, "pilot", stranger.path, "5.2.1")


def test_a_serial_port_in_use_names_its_holder(tmp_path: Path, silent: Peer) -> None:
    with open(silent.path, "rb+", buffering=0) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = run(tmp_path, REAL_PILOT_ONLY.format(port=silent.path, csms_port=0))
    one_paragraph(result, 4, "pilot", silent.path, "in use")


def test_the_csms_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run(tmp_path, VIRTUAL.replace("port = 0  ", f"port = {port}  "))
    one_paragraph(result, 4, f"127.0.0.1:{port}", "in use")


def test_a_station_that_never_connects_is_told_with_a_count_down(tmp_path: Path) -> None:
    text = VIRTUAL.replace('id = "CP001"', 'id = "CP001"').replace("[twin]", "[twin]\nexternal_station = true")
    result = run(tmp_path, text, "--wait-station", "2500 ms")
    one_paragraph(result, 4, "CP001", "no connection attempt", "2.5 s")
    assert "waiting for station CP001" in result.out


def test_an_unknown_case_and_an_unknown_fault_list_the_known_ones(tmp_path: Path) -> None:
    one_paragraph(cli("run", "sesion", state=tmp_path), 2, "'sesion'", "session")
    one_paragraph(cli("run", "--station-fault", "late", state=tmp_path), 2, "'late'", "late-open")
    one_paragraph(cli("run", "--station-fault", "late-opn", state=tmp_path), 2, "did you mean 'late-open'?")
    one_paragraph(cli("tui", "--station-fault", "late-opn", state=tmp_path), 2, "did you mean 'late-open'?")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("meter-word-ordr", "did you mean 'meter-word-order'?"),
        ("phase-loss:phse=2", "did you mean 'phase'?"),
        ("phase-loss:for_s=soon", "for_s = 'soon' must be a number"),
        ("phase-loss:once=never", "must be one of now"),
    ],
)
def test_a_twin_fault_that_cannot_be_is_told_before_anything_runs(tmp_path: Path, fault: str, says: str) -> None:
    folder = tmp_path / "out"
    result = cli("run", "--twin-fault", fault, "--out", str(folder), state=tmp_path / "state")
    one_paragraph(result, 2, "--twin-fault", says, "pilotbench twin faults")
    assert not folder.exists()


@pytest.mark.parametrize("option", [["--station-fault", "late-open"], ["--station-oddity", "soft-start"], ["--attach"]])
def test_what_the_simulated_station_does_is_refused_where_there_is_none(tmp_path: Path, option: list[str]) -> None:
    result = cli("run", "--external-station", *option, state=tmp_path)
    one_paragraph(result, 2, option[0], "--external-station")


def test_a_folder_that_holds_a_run_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "run.mcap").write_bytes(b"precious")
    result = cli("run", "--out", str(folder), state=tmp_path / "state")
    one_paragraph(result, 2, str(folder))
    assert (folder / "run.mcap").read_bytes() == b"precious"


def test_a_second_owner_of_the_bench_is_told_who_the_first_is(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = subprocess.Popen(
        [*COMMAND, "run", "--out", str(tmp_path / "first")],
        env=environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert first.stdout is not None
    first.stdout.readline()
    second = cli("run", "--out", str(tmp_path / "second"), state=state)
    one_paragraph(second, 4, "in use", f"pid {first.pid}", "since")
    os.killpg(first.pid, signal.SIGTERM)
    first.communicate(timeout=40)


def test_a_twin_fault_on_a_real_bench_leaves_no_folder(tmp_path: Path) -> None:
    text = REAL_PILOT_ONLY.format(port="/dev/null", csms_port=0)
    one_paragraph(run(tmp_path, text, "--twin-fault", "cp-open"), 2, "this bench is real")
    assert not (tmp_path / "out").exists()
