"""Faults of the station are caught by the rules that should see them, and what conforms is not blamed.

The ordinary suite plays some faults in each version, most of them in cases of a few seconds, an oddity and a clean
session; `make faults` plays everything.
"""

from __future__ import annotations

import pytest

from cli_runs import CliRun, Sessions
from fault_matrix import Judged, Play, judge, listed, plays

FAST = [
    "late-open@1.6",
    "close-unauthorised@2.0.1",
    "ids-again@2.1",
    "end-twice@1.6",
    "remote-as-local@2.0.1",
    "energy-5-percent@2.1",
    "double-status@2.0.1",
]
SHOWN_IN_A_SESSION = ("session", "local_stop", "remote_start", "metering", "idle")


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Play]:
    rows = listed(tmp_path_factory.mktemp("list"))["station"]
    return {play.label: play for play in plays(rows)}


@pytest.fixture(scope="module", autouse=True)
def _ordered(sessions: Sessions, every: dict[str, Play], request: pytest.FixtureRequest) -> None:
    """Have every run of this module made in the background, a few at a time."""
    for item in request.session.items:
        if item.path == request.path and isinstance(item, pytest.Function) and hasattr(item, "callspec"):
            sessions.order(*every[str(item.callspec.params["label"])].options)


def explain(run: CliRun, judged: Judged) -> str:
    document = run.document
    texts = [v["text"] for v in document["verdicts"] if v["verdict"] not in ("PASS", "NOT_APPLICABLE")]
    return "\n".join([str(judged), str(document["cases"]), str(document["problems"]), *texts, run.err])


def test_a_clean_station_fails_nothing(clean_run: CliRun, every: dict[str, Play]) -> None:
    told = clean_run.document["verdicts"]
    assert [v["rule"] for v in told if v["verdict"] in ("FAIL", "ERROR")] == []
    assert [v["rule"] for v in told if v["verdict"] == "INCONCLUSIVE" and v["counts"]] == []
    decided = {v["rule"] for v in told if v["verdict"] == "PASS"}
    shown = {
        rule
        for play in every.values()
        if play.course in SHOWN_IN_A_SESSION and play.version == "1.6"
        for rule in play.sure
    }
    # These wait for what a station in order never does: 5 %, state F, a message id or a message sent again, a plug that
    # can be pulled while the lock is closed.
    waiting = {
        "digital.pause",
        "pwm.bands",
        "f.opens",
        "f.lasts",
        "ef.stays_off",
        "message.id_ever",
        "retry.not_early",
        "lock.opens",
    }
    assert shown - decided == waiting


@pytest.mark.parametrize("label", FAST)
def test_a_station_is_blamed_for_what_it_does_and_nothing_else(
    sessions: Sessions, every: dict[str, Play], label: str
) -> None:
    play = every[label]
    run = sessions.get(*play.options)
    judged = judge(play, run)
    if judged.only_stalled:
        print(f"{label}: {judged.word}")  # by its recording; the verdict leans to FAIL and says so
    assert judged.right, explain(run, judged)
    for verdict in run.document["verdicts"]:
        if verdict["rule"] in judged.caught:
            assert verdict["text"].startswith("FAIL")
            assert any(event in verdict["text"] for event in verdict["evidence"]), verdict["text"]
