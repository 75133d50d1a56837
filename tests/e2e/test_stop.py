"""Stopping a run in every way there is: the outputs go dead, the recording is complete, nothing is left behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from pilotbench.bench.recording import read_run

from cli_runs import COMMAND, cli, environment, wait_until

CHARGING_WITHIN_S = 40.0
GONE_WITHIN_S = 12.0


IN_THE_BACKGROUND = ("sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh")
"""As a script's `nohup … &` starts it: both signals are ignored in what it runs, unless that says otherwise."""


def start(tmp_path: Path, *before: str) -> tuple[subprocess.Popen[str], Path]:
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [*before, *COMMAND, "run", "--out", str(folder)],
        env=environment(tmp_path / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    return process, folder


def truth(folder: Path) -> list[dict[str, Any]]:
    """The twin's own log, whole lines only."""
    path = folder / "twin" / "truth.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def output_live(folder: Path) -> bool:
    states = [entry for entry in truth(folder) if " OUT " in entry.get("line", "")]
    return bool(states) and "1" in states[-1]["line"].split(" OUT ")[1].split("*")[0]


def charging(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until the output is live."""
    wait_until(lambda: output_live(folder) or process.poll() is not None, CHARGING_WITHIN_S, "output live")
    if process.poll() is not None:
        pytest.fail(f"the run ended before its output was live: {process.communicate()}")


def family(folder: Path) -> list[psutil.Process]:
    """Every process of the twin that belongs to this run."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(str(folder) in word for word in words) and "pilotbench.bench.twin" in " ".join(words):
            found.append(process)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_in_the_safe_state_with_a_complete_recording(tmp_path: Path, number: signal.Signals) -> None:
    process, folder = start(tmp_path, *IN_THE_BACKGROUND)
    charging(process, folder)
    # To the whole process group, as a terminal does it.
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=40)
    assert "Traceback" not in out + err
    assert process.returncode == 3, out + err
    assert not output_live(folder)
    assert "output proven dead" in out
    run = read_run(folder / "run.mcap")
    assert run.truncated is None
    states = [event.data["state"] for event in run.events if event.topic == "bench.state"]
    assert states[-3:] == ["making-safe", "safe", "closed"]
    assert (folder / "verdicts.json").exists()
    wait_until(lambda: not family(folder), GONE_WITHIN_S, "the twin's processes to end")


def test_signals_during_the_stop_do_not_cut_it_short(tmp_path: Path) -> None:
    process, folder = start(tmp_path)
    charging(process, folder)
    for _ in range(5):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.03)  # the interval between two presses of a nervous hand, not a wait for anything
    out, err = process.communicate(timeout=40)
    assert "output proven dead" in out, out + err
    assert "Traceback" not in out + err
    assert not output_live(folder)


def test_a_killed_run_goes_dead_by_the_watchdog_and_its_recording_is_judged(tmp_path: Path) -> None:
    process, folder = start(tmp_path)
    charging(process, folder)
    killed_ns = time.monotonic_ns()
    process.kill()
    _, said = process.communicate()
    assert "Its guardian did the rest: safe: everything acknowledged, output proven dead" in said
    assert f"guardian {folder / 'guardian.json'}" in said
    wait_until(lambda: not output_live(folder), GONE_WITHIN_S, "output dead after the watchdog expired")
    wait_until(lambda: not family(folder), GONE_WITHIN_S, "the twin's processes to end")
    run = read_run(folder / "run.mcap")
    assert run.truncated
    assert killed_ns - run.events[-1].stamp.order_ns < 1_500_000_000
    judged = cli("check", str(folder / "run.mcap"), state=tmp_path / "state")
    assert "cut" in judged.out
    assert judged.code in (0, 3)
    again = cli("check", str(folder), "--json", state=tmp_path / "state")
    assert again.document["truncated"]


def test_the_bench_is_free_again_after_a_kill(tmp_path: Path) -> None:
    process, folder = start(tmp_path)
    wait_until(lambda: bool(family(folder)), CHARGING_WITHIN_S, "the twin to start")
    process.kill()
    process.communicate()
    other = subprocess.Popen(
        [*COMMAND, "run", "--out", str(tmp_path / "second")],
        env=environment(tmp_path / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: (tmp_path / "second" / "run.mcap").exists(), 15, "the second run to begin")
    other.send_signal(signal.SIGTERM)
    out, err = other.communicate(timeout=40)
    assert "in use" not in out + err


def killed_runs(tmp_path: Path, count: int, at_once: int) -> None:
    """Start and kill runs at random moments; nothing of them may be left."""
    moments = random.Random(7)
    left = count
    running: list[tuple[subprocess.Popen[str], float, Path]] = []
    folders: list[Path] = []
    while left or running:
        while left and len(running) < at_once:
            base = tmp_path / f"kill{left}"
            base.mkdir()
            process, folder = start(base)
            folders.append(folder)
            running.append((process, time.monotonic() + moments.uniform(0.3, 4.0), folder))
            left -= 1
        for entry in list(running):
            process, when, _folder = entry
            if time.monotonic() >= when:
                process.kill()
                process.communicate()
                running.remove(entry)
        time.sleep(0.02)
    wait_until(lambda: not [p for folder in folders for p in family(folder)], 20, "every process of the twin to end")


def test_no_orphan_is_left_after_100_killed_runs(tmp_path: Path) -> None:
    killed_runs(tmp_path, 100, at_once=3)
