"""The judge of the safe-state table: what it lets pass, and what it must never let pass."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest

from safe_state.cells import Cell
from safe_state.judge import Played, judge

CAUSE_NS = 1_000_000_000
CHARGING = Cell("SIGKILL", "charging", "guardian")
WELDED = Cell("SIGKILL", "welded", "guardian")
LIMIT_MS = 250


def at(ms: float, fact: str, value: object) -> dict[str, object]:
    """A line of the model's log, `ms` after the cause."""
    return {"t_ns": CAUSE_NS + round(ms * 1e6), "fact": fact, "value": value, "evse": 1}


ON = [at(-900, "plug", True), at(-500, "output", [True] * 3), at(-400, "current", True), at(-990, "mains", True)]
OFF = [at(20, "current", False), at(30, "plug", False), at(50, "output", [False] * 3)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "run" / "twin").mkdir(parents=True)
    (tmp_path / "state" / "locks").mkdir(parents=True)
    (tmp_path / "owner.log").write_text("")
    return tmp_path


def judged(
    run: Path,
    *log: dict[str, object],
    cell: Cell = CHARGING,
    code: int = -9,
    left: tuple[str, ...] = (),
    stalled_ms: tuple[float, float] | None = None,
) -> Played:
    (run / "run" / "twin" / "truth.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))
    if stalled_ms:
        begin, end = (CAUSE_NS + round(ms * 1e6) for ms in stalled_ms)
        (run / "run" / "twin" / "stalls.jsonl").write_text(json.dumps({"from_ns": begin, "to_ns": end}) + "\n")
    return judge(cell, run, CAUSE_NS, code, list(left))


def test_all_three_went_off_in_time(run: Path) -> None:
    played = judged(run, *ON, *OFF)
    assert not played.trouble
    assert (played.cp_ms, played.load_ms, played.dead_ms) == (30, 20, 50)


@pytest.mark.parametrize("stays", ["plug", "current", "output"])
def test_what_stays_on_is_never_excused(run: Path, stays: str) -> None:
    off = [line for line in OFF if line["fact"] != stays]
    played = judged(run, *ON, *off, stalled_ms=(0, 60_000))
    assert len(played.trouble) == 1
    assert not played.late


def test_what_comes_back_on_counts_until_it_is_off_for_good(run: Path) -> None:
    assert judged(run, *ON, *OFF, at(100, "output", [False, True, False])).trouble == ["the output is live"]
    again = judged(run, *ON, *OFF, at(100, "output", [True] * 3), at(400, "output", [False] * 3))
    assert again.trouble == [f"400 ms, later than {LIMIT_MS} ms"]


def test_lateness_is_excused_by_the_time_the_machine_stood_still_and_no_more(run: Path) -> None:
    late = [*ON, *OFF[:2], at(340, "output", [False] * 3)]
    excused = judged(run, *late, stalled_ms=(40, 140))
    assert not excused.trouble
    assert excused.late
    assert excused.stalled_ms == 100
    assert judged(run, *late, stalled_ms=(40, 120)).trouble
    # What it did before the cause, or after the end, made nothing late.
    assert judged(run, *late, stalled_ms=(-500, 60)).trouble
    assert judged(run, *late, stalled_ms=(300, 900)).trouble


def test_a_state_that_was_not_reached_shows_nothing(run: Path) -> None:
    assert judged(run, *ON[:1], *OFF).trouble == ["nothing was tried: current, output was off before the cause"]
    assert judged(run).trouble


def test_a_weld_takes_the_supply_and_a_word_about_it(run: Path) -> None:
    assert judged(run, *ON, *OFF, cell=WELDED).trouble == ["the station's supply was not opened"]
    assert not judged(run, *ON, *OFF, at(40, "mains", False), cell=WELDED).trouble
    orderly = Cell("SIGTERM", "welded", "guardian")
    silent = judged(run, *ON, *OFF, at(40, "mains", False), cell=orderly, code=1)
    assert silent.trouble == ["nobody said why the supply was opened"]


def test_what_is_left_behind_and_a_run_that_ends_well(run: Path) -> None:
    assert judged(run, *ON, *OFF, left=("guardian 7",)).trouble == ["left behind: guardian 7"]
    assert judged(run, *ON, *OFF, code=0).trouble == ["the run ended as if nothing had happened"]
    with (run / "state" / "locks" / "bench.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert judged(run, *ON, *OFF).trouble == ["still locked: bench.lock"]


def test_out_of_reach_is_judged_by_the_load_and_by_what_is_said(run: Path) -> None:
    cell = Cell("unplugged pilot", "charging", "guardian")
    assert judged(run, *ON, OFF[0], cell=cell, code=1).trouble == ["nobody said that it is not safe"]
    (run / "owner.log").write_text("NOT SAFE: CP at A was not acknowledged")
    assert not judged(run, *ON, OFF[0], cell=cell, code=1).trouble
    assert judged(run, *ON, cell=cell, code=1).trouble == ["the load is on"]
