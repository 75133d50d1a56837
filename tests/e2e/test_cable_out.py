"""A run whose pilot emulator is gone ends as an error of the bench, soon, and blames nobody."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cli_runs import cli


@pytest.mark.long
def test_run_without_its_pilot_ends_with_four(tmp_path: Path) -> None:
    began_s = time.monotonic()
    run = cli(
        *("run", "--json", "--out", str(tmp_path / "out"), "--twin-fault", "unplugged:device=pilot"),
        state=tmp_path / "state",
    )
    assert time.monotonic() - began_s < 60
    assert run.code == run.document["exit_code"] == 4
    (case,) = run.document["cases"]
    assert case["outcome"] == "error"
    assert "is gone" in case["text"]
    assert any(problem.startswith("NOT SAFE") for problem in run.document["problems"]), "nobody sees the output"
    assert "FAIL" not in run.verdicts.values()
    assert "Traceback" not in run.err
