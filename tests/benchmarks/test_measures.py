"""Figures worth watching, each beside a floor measured in the same run: `make bench`.

They judge nothing, but for one thing: a stamp of the pilot that does not hold the true instant fails.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli_runs import COMMAND, cli
from stamps import compare

pytestmark = pytest.mark.benchmark


def wall_s(command: list[str], times: int = 9) -> float:
    """Median wall time of a command, in seconds."""
    taken: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def test_help_against_a_bare_interpreter() -> None:
    bare_s = wall_s([sys.executable, "-c", "pass"])
    help_s = wall_s([*COMMAND, "--help"])
    print(f"\npilotbench --help {help_s:.3f} s; bare interpreter {bare_s:.3f} s; ratio {help_s / bare_s:.1f}")


def test_stamp_error_and_start_of_a_session(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    began = time.perf_counter()
    run = cli("run", "--json", "--out", str(folder), state=tmp_path / "state")
    whole_s = time.perf_counter() - began
    compared = compare(folder)
    errors = [entry.error_us for entry in compared if entry.topic in ("cp.volts", "cp.pwm")]
    widths = [entry.width_us for entry in compared if entry.topic in ("cp.volts", "cp.pwm")]
    print(
        f"\nsession {whole_s:.1f} s, exit {run.code}; bench start to station booted {run.document['started_s']:.2f} s"
    )
    outside = sum(not entry.holds for entry in compared)
    print(
        f"pilot stamps: {len(errors)} edges, error p50 {quantile(errors, 0.5):.0f}, p99 {quantile(errors, 0.99):.0f} us"
    )
    print(f"declared width p50 {quantile(widths, 0.5):.0f} us, {outside} of {len(compared)} outside their bounds")
    assert outside == 0
