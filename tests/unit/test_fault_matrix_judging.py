"""How the matrix judges a run: caught, missed, blamed wrongly, and seen although this machine stood still."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.config import load_bench_file, virtual_bench

from cli_runs import CliRun
from fault_matrix import STOOD_STILL, Judged, Play, changed, compare, judge, plays
from fault_report import in_turn

FAULT = Play("fault", "late-open", "1.6", sure=("stop.open", "ab.dead"), perhaps=("start.order",))
CLEAN = Play("clean", "clean 1", "2.1", seed=1)
PASSED = [{"name": "session", "outcome": "passed", "text": ""}]


def verdict(
    rule: str, outcome: str, reason: str | None = None, lean: str | None = None, why: str = ""
) -> dict[str, Any]:
    return {"rule": rule, "verdict": outcome, "reason": reason, "lean": lean, "because": why}


def stalled(rule: str = "stop.open", **other: Any) -> dict[str, Any]:
    """What a rule says whose window met a standstill of the twin."""
    why = f"no response within the limit; but {STOOD_STILL}"
    said = {"reason": "PRECONDITION", "lean": "FAIL", "because": why}
    return {**verdict(rule, "INCONCLUSIVE"), **said, **other}


def judged(play: Play, *verdicts: dict[str, Any], overruns: int = 0, cases: Any = PASSED, problems: Any = ()) -> Judged:
    return compare(play, {"verdicts": list(verdicts), "cases": cases, "problems": list(problems)}, overruns)


def test_one_of_its_rules_is_enough() -> None:
    one = judged(FAULT, verdict("stop.open", "FAIL"), verdict("ab.dead", "PASS"))
    assert (one.right, one.caught, one.missed) == (True, ("stop.open",), ("ab.dead",))
    assert one.word == "caught"


@pytest.mark.parametrize("outcome", ["PASS", "NOT_APPLICABLE", "INCONCLUSIVE"])
def test_none_of_its_rules_is_not_caught(outcome: str) -> None:
    one = judged(FAULT, verdict("stop.open", outcome), verdict("start.order", "FAIL"))
    assert not one.right
    assert one.word == "NOT CAUGHT"


def test_a_consequence_is_allowed_and_another_rule_is_not() -> None:
    assert judged(FAULT, verdict("stop.open", "FAIL"), verdict("start.order", "FAIL")).right
    wrong = judged(FAULT, verdict("stop.open", "FAIL"), verdict("plug.status", "FAIL"))
    assert (wrong.right, wrong.extra) == (False, ("plug.status",))


def test_a_standstill_counts_as_seen_only_when_one_was_recorded() -> None:
    one = judged(FAULT, stalled(), overruns=2)
    assert (one.right, one.only_stalled) == (True, True)
    assert one.word == "seen, but this machine stood still"
    assert not judged(FAULT, stalled(), overruns=0).right


@pytest.mark.parametrize(
    "other",
    [
        {"lean": "PASS"},
        {"lean": None},
        {"reason": "CLOCK"},
        {"because": "config.TimeSource is not known"},
        {"rule": "plug.status"},
        {"verdict": "PASS"},
    ],
)
def test_a_standstill_that_hid_no_fail_of_its_rules_is_no_excuse(other: dict[str, Any]) -> None:
    assert not judged(FAULT, stalled(**other), overruns=5).right


def test_only_what_this_machine_spoiled_is_played_again() -> None:
    assert judged(FAULT, stalled(), overruns=2).by_machine
    assert not judged(FAULT, stalled(), verdict("plug.status", "FAIL"), overruns=2).by_machine
    assert not judged(FAULT, verdict("stop.open", "PASS"), overruns=2).by_machine
    assert not judged(FAULT, verdict("stop.open", "FAIL"), stalled("ab.dead"), overruns=2).by_machine


@pytest.mark.parametrize(
    ("why", "halted"),
    [("the bench has not moved for 601 ms", True), ("the bench ended without a word", False), (None, False)],
)
def test_a_guardian_that_ended_a_run_says_whether_this_machine_stood_still(
    why: str | None, halted: bool, tmp_path: Path
) -> None:
    if why is not None:
        (tmp_path / "guardian.json").write_text(json.dumps({"why": why}))
    one = judge(FAULT, CliRun(-9, "", "killed", tmp_path))
    assert (one.right, one.by_machine) == (False, halted)
    assert (why or "killed") in one.trouble
    assert one.word == ("no run, this machine stood still" if halted else "no run")


def test_what_conforms_is_not_blamed_and_its_run_goes_through() -> None:
    assert judged(CLEAN, verdict("stop.open", "PASS"), stalled("plug.status"), overruns=1).right
    assert not judged(CLEAN, verdict("stop.open", "FAIL")).right
    assert not judged(CLEAN, cases=[{"name": "session", "outcome": "incomplete", "text": "no ocpp.tx.started"}]).right
    assert not judged(CLEAN, problems=["the meter is gone"]).right
    assert not judged(CLEAN, cases=[]).right


def test_a_bench_that_contradicts_itself_is_no_run() -> None:
    one = judged(FAULT, verdict("energy.agree", "ERROR"))
    assert (one.right, one.word) == (False, "no run")


def test_a_play_may_want_a_bench_of_its_own(tmp_path: Path) -> None:
    play = Play("fault", "late-open", "1.6", bench={"rated": '"80 A"', "pp_ohm": "[100]"})
    option, path, *rest = play.command(tmp_path / "new")
    assert (option, tuple(rest)) == ("--bench", play.options)
    file = load_bench_file(Path(path))
    assert (file.station.rated, file.envelope.pp_ohm) == (80.0, [100])
    assert Play("clean", "clean 1", "1.6").command(tmp_path)[0] != "--bench"
    without = tmp_path / "without.toml"
    without.write_text(changed(virtual_bench().read_text("utf-8"), {"device.ev": ""}))
    assert set(load_bench_file(without).device) == {"pilot", "meter"}


@pytest.mark.parametrize("key", ["rating", "driver"])
def test_a_key_that_a_bench_file_has_not_once_is_no_setting(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key} stands"):
        changed(virtual_bench().read_text("utf-8"), {key: "1"})


def test_what_takes_minutes_begins_first() -> None:
    rows = [
        {"kind": "fault", "course": "session", "versions": ["1.6", "2.1"], "trips": {}, "perhaps": {}, **row}
        for row in ({"name": "quick", "long": False, "bench": {}}, {"name": "slow", "long": True, "bench": {}})
    ]
    every = list(plays(rows))
    labels = [every[index].label for index in in_turn(every)]
    assert labels == ["slow@1.6", "slow@2.1", "quick@1.6", "quick@2.1"]
