"""A bench that somebody else has: it is said who, and nothing is left of the run that never was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pilotbench.bench.cli.run import RunRequest, run_command
from pilotbench.bench.cli.screen import tui_command
from pilotbench.bench.config import virtual_bench
from pilotbench.bench.owner import Ownership

ENDS = {
    "run": lambda out: run_command(request(out)),
    "run --json": lambda out: run_command(request(out, json=True)),
    "tui": lambda out: tui_command(None, out, None),
}


def request(out: Path | None, *, json: bool = False) -> RunRequest:
    return RunRequest(
        cases=("session",),
        bench=None,
        out=out,
        station_fault=None,
        station_oddity=None,
        seed=None,
        wait_station=None,
        attach=False,
        json=json,
    )


@pytest.fixture(autouse=True)
def _owned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PILOTBENCH_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    owner = Ownership(virtual_bench(), "someone")
    yield
    owner.release()


@pytest.mark.parametrize("command", ENDS)
def test_no_run_folder_is_left(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    end: Callable[[Path | None], int] = ENDS[command]
    assert end(None) == 4
    said = capsys.readouterr()
    assert "is in use by someone (pid" in said.out + said.err
    assert not list((tmp_path / "runs").iterdir())
    assert "run     " not in said.out
    if command == "run --json":
        assert json.loads(said.out)["run"] is None


@pytest.mark.parametrize("command", ENDS)
def test_a_folder_with_something_in_it_stays(command: str, tmp_path: Path) -> None:
    notes = tmp_path / "out" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("mine", encoding="utf-8")
    assert ENDS[command](notes.parent) == 4
    assert notes.read_text(encoding="utf-8") == "mine"
