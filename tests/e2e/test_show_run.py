"""`pilotbench show` on the recording of a real run."""

from __future__ import annotations

from pathlib import Path

from cli_runs import CliRun, cli


def test_a_run_is_one_session_and_every_fact_of_it_can_be_asked_for(clean_run: CliRun, tmp_path: Path) -> None:
    recording = str(clean_run.folder / "run.mcap")
    overview = cli("show", recording, "--json", state=tmp_path)
    assert (overview.code, overview.err) == (0, "")
    document = overview.document
    (session,) = document["sessions"]
    assert (session["id"], session["evse"], session["ambiguous"], session["orphan"]) == ("s1", 1, False, False)
    (transaction,) = session["transactions"]
    assert transaction["started"]
    assert transaction["ended"]
    assert {row["rule"] for row in document["verdicts"]} == set(clean_run.verdicts)
    assert {"plug-in", "authorise", "energise", "stop", "unplug"} <= {item["phase"] for item in session["physical"]}

    one = cli("show", recording, "--at", session["plugged"], "--after", "2 s", state=tmp_path)
    assert (one.code, one.err) == (0, "")
    assert "session=s1" in one.out
    assert "stimulus by key: the bench set state B at outlet 1" in one.out

    wrong = cli("show", recording, "--at", "pilot#0", state=tmp_path)
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean 'pilot#" in wrong.err
    assert len(wrong.err.strip().splitlines()) == 1
