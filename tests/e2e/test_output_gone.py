"""Whatever happens to its output, its state and its start, a run says one thing and leaves its files."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pilotbench.bench.config import virtual_bench

from cli_runs import COMMAND, CliRun, cli, environment

ALONE = virtual_bench().read_text(encoding="utf-8").replace("[twin]", "[twin]\nexternal_station = true")
FILES = {"run.mcap", "verdicts.json", "junit.xml", "summary.txt"}


def short_run(tmp_path: Path) -> list[str]:
    """A run that ends soon: no station ever connects."""
    bench = tmp_path / "alone.toml"
    bench.write_text(ALONE, encoding="utf-8")
    return [
        *COMMAND,
        *("run", "--bench", str(bench), "--out", str(tmp_path / "out"), "--wait-station", "300 ms"),
    ]


def left(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "out").iterdir()}


def close_stdout() -> None:
    os.close(1)


def to_a_full_disk() -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


@pytest.mark.parametrize("break_it", [close_stdout, to_a_full_disk])
def test_a_run_without_output_is_complete_all_the_same(tmp_path: Path, break_it: Callable[[], None]) -> None:
    done = subprocess.run(
        short_run(tmp_path),
        env=environment(tmp_path / "state"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=40,
        check=False,
        preexec_fn=break_it,
    )
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 4, done.stderr
    assert left(tmp_path) >= FILES


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: Path) -> None:
    with subprocess.Popen(
        short_run(tmp_path),
        env=environment(tmp_path / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        assert process.wait(40) == 4
    assert told == ""
    assert left(tmp_path) >= FILES


def test_a_full_disk_is_told_and_the_document_is_printed(tmp_path: Path) -> None:
    def no_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    done = subprocess.run(
        [*short_run(tmp_path), "--json"],
        env=environment(tmp_path / "state"),
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        preexec_fn=no_room,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 4
    document = json.loads(done.stdout)
    assert any("run.mcap" in problem for problem in document["problems"]), document["problems"]


def stopped_in_its_start(tmp_path: Path) -> CliRun:
    folder = tmp_path / "out"
    process = subprocess.Popen(
        [*COMMAND, "run", "--json", "--out", str(folder)],
        env=environment(tmp_path / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not (folder / "twin" / "truth.jsonl").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)  # a look at somebody else's folder, bounded by the deadline
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=40)
    return CliRun(process.returncode, out, err, folder)


def test_a_start_that_is_stopped_prints_one_document_and_leaves_its_files(tmp_path: Path) -> None:
    done = stopped_in_its_start(tmp_path)
    assert done.err == ""
    assert done.code == 3
    assert [case["outcome"] for case in done.document["cases"]] == ["interrupted"]
    assert left(tmp_path) >= FILES


def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    done = cli("run", "--json", "--out", str(tmp_path / "out"), state=in_the_way)
    assert done.code == 4
    assert "Traceback" not in done.err
    assert str(in_the_way) in done.err
    assert "PILOTBENCH_STATE_DIR" in done.document["problems"][0]


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--bench", "none.toml"),
        ("run", "no-such-case"),
        ("run", "--wait-station", "0 s"),
        ("check", "none.mcap"),
    ],
)
def test_a_command_that_cannot_begin_prints_its_document_too(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = cli(*words, "--json", state=tmp_path / "state", cwd=tmp_path)
    assert len(done.err.strip().splitlines()) == 1
    assert done.document["exit_code"] == done.code
    assert done.document["problems"]
    assert done.document["verdicts"] == []
