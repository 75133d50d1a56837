"""A screen that dies when it is opened: whoever started it reads how safe the bench is, and the exit code says it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cli_runs import COMMAND, environment

DRIVER = """
import os, signal
from textual.drivers.headless_driver import HeadlessDriver

class Dying(HeadlessDriver):
    def start_application_mode(self):
        how = os.environ["DIES_BY"]
        if how == "exception":
            raise OSError("this terminal has no keyboard")
        super().start_application_mode()
        os.kill(os.getpid(), getattr(signal, how))
"""
PROVEN = "safe: output proven dead"


def died(tmp_path: Path, how: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "dying_driver.py").write_text(DRIVER, encoding="utf-8")
    return subprocess.run(
        [*COMMAND, "tui", "--out", str(tmp_path / "run")],
        env=environment(tmp_path / "state")
        | {"TEXTUAL_DRIVER": "dying_driver:Dying", "DIES_BY": how, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_by_an_exception(tmp_path: Path) -> None:
    done = died(tmp_path, "exception")
    assert (done.returncode, PROVEN in done.stdout) == (4, True), done.stdout + done.stderr
    assert "this terminal has no keyboard" in done.stderr
    assert (tmp_path / "run" / "summary.txt").read_text(encoding="utf-8").endswith("exit    4\n")


def test_by_a_stop_signal(tmp_path: Path) -> None:
    done = died(tmp_path, "SIGHUP")
    assert (done.returncode, PROVEN in done.stdout) == (3, True), done.stdout + done.stderr
    assert done.stderr == ""


def test_by_sigkill(tmp_path: Path) -> None:
    done = died(tmp_path, "SIGKILL")
    assert done.returncode == -9
    assert "Its guardian did the rest: safe: everything acknowledged, output proven dead" in done.stderr
    assert os.fspath(tmp_path / "run" / "guardian.json") in done.stderr
