"""The folder of a run and the files in it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pilotbench.bench.correlation import Outcome, Range, Reason, Report, Verdict
from pilotbench.bench.recording import Redactor
from pilotbench.bench.report import CaseResult, create_run_folder, summary_lines, write_run
from pilotbench.errors import ConfigError, RecordingError


def verdict(
    rule: str, outcome: Outcome, *, force: str = "shall", severity: str = "function", text: str = ""
) -> Verdict:
    measured = None if outcome is Outcome.NOT_APPLICABLE else Range(153.0, 163.4, "ms")
    return Verdict(
        rule=rule,
        title=f"{rule} in words",
        verdict=outcome,
        reason=Reason.CLOCK if outcome is Outcome.INCONCLUSIVE else None,
        subject="station",
        severity=severity,
        force=force,
        ref="IEC 61851-1",
        counts=force == "shall",
        verified=True,
        measured=measured,
        limit=100.0,
        limit_names=(),
        margin=Range(-63.4, -53.0, "ms"),
        lean=None,
        decides=None,
        interval="bound",
        evidence=("pilot#1", "pilot#2"),
        because="the first edge after it",
        text=text,
        line=rule,
        rule_digest="d" * 64,
        instances=(),
    )


REPORT = Report(
    [
        verdict("plug.status", Outcome.PASS),
        verdict("stop.open", Outcome.FAIL, severity="safety", text="FAIL stop.open\n  raw \x00\x1b[1m <&>"),
        verdict("start.close", Outcome.INCONCLUSIVE, text="INCONCLUSIVE start.close\n  the clocks"),
        verdict("no.current", Outcome.ERROR, text="ERROR no.current"),
        verdict("advice", Outcome.FAIL, force="should", text="FAIL advice"),
        verdict("boot.quiet", Outcome.NOT_APPLICABLE),
    ],
    "ab" * 32,
    truncated=False,
)
CASES = (
    CaseResult("session", "passed", "", 12.5),
    CaseResult("unlock", "failed", "call: not unlocked", 1.0),
    CaseResult("reset", "incomplete", "no boot", 1.0),
    CaseResult("power", "error", "meter on /dev/x: silent", 1.0),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    out = create_run_folder("virtual", out=tmp_path / "out")
    write_run(out, REPORT, cases=CASES, problems=["the meter is gone"], exit_code=4, bench="virtual")
    return out


def test_junit_counts_and_names_every_case_and_rule(folder: Path) -> None:
    root = ET.parse(folder / "junit.xml").getroot()
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    keys = ("tests", "failures", "errors", "skipped")
    counts = {name: [suite.get(key) for key in keys] for name, suite in suites.items()}
    assert counts == {"cases": ["5", "2", "2", "0"], "rules": ["6", "2", "1", "1"]}
    assert [root.get(key) for key in keys] == ["11", "4", "3", "1"]
    rules = {case.get("name"): case for case in suites["rules"].findall("testcase")}
    undecided = rules["start.close"].find("failure")
    assert undecided is not None
    assert undecided.get("type") == "inconclusive"
    assert "CLOCK" in str(undecided.get("message"))
    assert rules["advice"].find("failure") is None
    assert "FAIL" in str(rules["advice"].findtext("system-out"))
    assert rules["boot.quiet"].find("skipped") is not None
    assert "<&>" in str(rules["stop.open"].findtext("failure"))
    held = {item.get("name"): item.get("value") for item in suites["rules"].findall("properties/property")}
    assert held["digest"] == REPORT.digest
    assert held["bench"] == "virtual"
    assert set(held) >= {"version", "exit_code"}


def test_verdicts_json_is_a_list_of_objects(folder: Path) -> None:
    rows = json.loads((folder / "verdicts.json").read_text())
    assert [row["rule"] for row in rows] == [verdict.rule for verdict in REPORT.verdicts]
    fail = rows[1]
    assert fail["measured"] == {"lo": 153.0, "hi": 163.4, "unit": "ms"}
    assert fail["margin"]["lo"] == -63.4
    assert (fail["verdict"], fail["subject"], fail["limit"], fail["evidence"]) == (
        "FAIL",
        "station",
        100.0,
        ["pilot#1", "pilot#2"],
    )


def test_the_summary_fits_the_eye_and_ends_with_what_matters(folder: Path) -> None:
    lines = (folder / "summary.txt").read_text().splitlines()
    row = next(line for line in lines if line.startswith("stop.open"))
    assert "153 .. 163.4 ms" in row
    assert "100 ms" in row
    assert f"digest  {REPORT.digest}" in lines
    assert "ERROR   the meter is gone" in lines
    assert any("case    unlock: failed call: not unlocked" in line for line in lines)
    assert lines[-1] == "exit    4   SAFETY FAIL: stop.open"
    assert str(folder) in "\n".join(lines)


def test_the_verdicts_decide_the_exit_code_when_nobody_else_did(tmp_path: Path) -> None:
    out = create_run_folder("x", out=tmp_path / "o")
    write_run(out, Report([verdict("a", Outcome.PASS)], "00", truncated=True))
    text = (out / "summary.txt").read_text()
    assert text.endswith("exit    0\n")
    assert "ends before the run did" in text
    assert summary_lines(Report([], "00", truncated=False))[-1] == "digest  00"


def test_files_are_private_and_hold_no_credential(tmp_path: Path) -> None:
    out = create_run_folder("x", out=tmp_path / "o")
    text = 'FAIL x\n  {"key":"AuthorizationKey","value":"hunter2"} lab-wide-token'
    report = Report([verdict("x", Outcome.FAIL, text=text)], "00", truncated=False)
    case = CaseResult("c", "error", "ws://CP001:hunter2@host lab-wide-token", 0.0)
    write_run(out, report, cases=[case], problems=["password=hunter2"], redactor=Redactor(["lab-wide-token"]))
    for file in ("verdicts.json", "junit.xml", "summary.txt"):
        assert (out / file).stat().st_mode & 0o777 == 0o600
        written = (out / file).read_text()
        assert "hunter2" not in written, file
        assert "lab-wide" not in written, file
    assert not list(out.glob("*.part"))
    json.loads((out / "verdicts.json").read_text())
    ET.parse(out / "junit.xml")


def test_two_runs_of_one_second_have_two_folders(tmp_path: Path) -> None:
    made = {create_run_folder("my bench/ü", base=tmp_path / "runs") for _ in range(5)}
    assert len(made) == 5
    assert all(folder.is_dir() and folder.parent == tmp_path / "runs" for folder in made)
    assert all("my-bench" in folder.name and folder.name[8] == "T" for folder in made)


def test_out_is_exactly_that_folder_and_never_a_run_twice(tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    assert create_run_folder("x", out=out) == out
    (out / "notes.md").write_text("mine")
    (out / "run.mcap").touch()
    assert create_run_folder("x", out=out) == out
    assert not (out / "run.mcap").exists(), "an empty one is left by a start that failed"
    assert (out / "notes.md").read_text() == "mine"
    (out / "run.mcap").write_bytes(b"events")
    with pytest.raises(ConfigError, match=r"there is a run in it already \(run\.mcap\)"):
        create_run_folder("x", out=out)
    assert (out / "run.mcap").read_bytes() == b"events"


def test_a_folder_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="this is a file"):
        create_run_folder("x", out=tmp_path / "file")
    with pytest.raises(ConfigError, match="cannot be made"):
        create_run_folder("x", out=tmp_path / "file" / "below")
    with pytest.raises(ConfigError, match="cannot be made"):
        create_run_folder("x", base=tmp_path / "file")
    with pytest.raises(RecordingError, match=r"verdicts\.json"):
        write_run(tmp_path / "gone", Report([], "00", truncated=False))
