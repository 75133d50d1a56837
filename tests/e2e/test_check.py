"""A recording is judged again offline: same verdicts, same digest, and every change is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from pilotbench.bench.recording import read_run, rewrite
from pilotbench.bench.timeline import Event

from cli_runs import CliRun, cli


def check(recording: Path, tmp_path: Path) -> dict[str, Any]:
    run = cli("check", str(recording), "--json", state=tmp_path / "state")
    assert run.err == ""
    return run.document


def shifted(event: Event, by_ns: int) -> Event:
    """The same event, `by_ns` later on every clock but in the same place of the order."""
    stamp = event.stamp
    moved = msgspec.structs.replace(
        stamp,
        lo_ns=stamp.lo_ns + by_ns,
        hi_ns=stamp.hi_ns + by_ns,
        device_ns=None if stamp.device_ns is None else stamp.device_ns + by_ns,
    )
    return msgspec.structs.replace(event, stamp=moved)


def verdict_of(document: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(verdict for verdict in document["verdicts"] if verdict["rule"] == rule)


def test_offline_gives_the_verdicts_and_the_digest_of_the_run(clean_run: CliRun, tmp_path: Path) -> None:
    again = check(clean_run.folder / "run.mcap", tmp_path)
    assert again["digest"] == clean_run.document["digest"]
    assert again["verdicts"] == clean_run.document["verdicts"]
    assert again["truncated"] is None


def test_the_verdicts_that_were_stored_are_not_needed(clean_run: CliRun, tmp_path: Path) -> None:
    bare = tmp_path / "bare.mcap"
    rewrite(
        clean_run.folder / "run.mcap",
        bare,
        lambda event: None if event.topic == "verdict" else event,
        keep_attachments=lambda name: name != "verdicts.json",
    )
    assert "verdicts.json" not in read_run(bare).attachments
    assert check(bare, tmp_path)["digest"] == clean_run.document["digest"]


def test_moving_the_output_event_fails_exactly_its_rule(clean_run: CliRun, tmp_path: Path) -> None:
    source = clean_run.folder / "run.mcap"
    before = check(source, tmp_path)
    stop = verdict_of(before, "stop.open")
    assert stop["verdict"] == "PASS"
    output = {event.id for event in read_run(source).events if event.topic == "output" and not event.data["live"]}
    moved = next(name for name in stop["evidence"] if name in output)
    late = tmp_path / "late.mcap"
    rewrite(source, late, lambda event: shifted(event, 100_000_000) if event.id == moved else event)
    after = check(late, tmp_path)
    changed = {
        verdict["rule"]: verdict["verdict"]
        for verdict in after["verdicts"]
        if verdict["verdict"] != verdict_of(before, verdict["rule"])["verdict"]
    }
    assert changed == {"stop.open": "FAIL"}
    assert after["exit_code"] == 1


def test_moving_one_evidence_stamp_by_a_nanosecond_changes_the_digest(clean_run: CliRun, tmp_path: Path) -> None:
    source = clean_run.folder / "run.mcap"
    before = check(source, tmp_path)
    moved = verdict_of(before, "plug.status")["evidence"][-1]
    other = tmp_path / "moved.mcap"
    rewrite(source, other, lambda event: shifted(event, 1) if event.id == moved else event)
    assert check(other, tmp_path)["digest"] != before["digest"]


def test_a_run_leaves_what_people_and_machines_read(clean_run: CliRun) -> None:
    folder = clean_run.folder
    assert {"run.mcap", "verdicts.json", "junit.xml", "summary.txt"} <= {path.name for path in folder.iterdir()}
    verdicts = json.loads((folder / "verdicts.json").read_text())
    for verdict in verdicts:
        assert {"rule", "verdict", "reason", "subject", "measured", "limit", "margin", "evidence"} <= set(verdict)
    suites = ElementTree.parse(folder / "junit.xml").getroot()
    names = {case.get("name") for case in suites.iter("testcase")}
    assert {verdict["rule"] for verdict in verdicts} <= names
    assert not list(suites.iter("failure"))
    assert clean_run.document["digest"] in (folder / "summary.txt").read_text()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_recording_cut_anywhere_is_judged_up_to_the_cut(clean_run: CliRun, tmp_path: Path, share: float) -> None:
    content = (clean_run.folder / "run.mcap").read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(content[: round(len(content) * share)])
    document = check(cut, tmp_path)
    assert document["truncated"]
    assert not [verdict for verdict in document["verdicts"] if verdict["verdict"] in ("FAIL", "ERROR")]


@pytest.mark.parametrize("content", [b"", b"not a recording at all", None])
def test_what_is_no_recording_is_told_in_one_paragraph(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "strange.mcap"
    if content is not None:
        path.write_bytes(content)
    run = cli("check", str(path), state=tmp_path / "state")
    assert run.code == 4
    assert str(path) in run.err
    assert "Traceback" not in run.err
    assert len(run.err.strip().splitlines()) == 1
