"""The session on OCPP 2.0.1 and 2.1: nothing fails, the version's own rules decide, offline as online."""

from __future__ import annotations

import pytest

from cli_runs import Sessions, cli

VERSIONS = ["2.0.1", "2.1"]
OWN = {
    "v2.boot.first",
    "v2.heartbeat",
    "v2.plug.status",
    "v2.tx.seq",
    "v2.tx.first",
    "v2.remote_stop.ended",
    "v2.meter.periodic",
    "v2.register.monotonic",
}
"""Rules that this course of events has to trigger."""


@pytest.fixture(scope="module", autouse=True)
def _ordered(sessions: Sessions) -> None:
    for version in VERSIONS:
        sessions.order("--ocpp", version)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_passes_and_is_judged_the_same_offline(sessions: Sessions, version: str) -> None:
    run = sessions.get("--ocpp", version)
    document = run.document
    told = [v["text"] for v in document["verdicts"] if v["verdict"] not in ("PASS", "NOT_APPLICABLE")]
    assert run.code == 0, "\n".join([*told, str(document["problems"]), run.err])
    passed = {rule for rule, verdict in run.verdicts.items() if verdict == "PASS"}
    assert passed >= OWN
    again = cli("check", str(run.folder), "--json", state=run.folder.parent / "check.state")
    assert again.document["digest"] == document["digest"]


def test_a_version_that_is_none_is_refused(sessions: Sessions) -> None:
    run = sessions.get("--ocpp", "2.2")
    assert run.code == 2
    assert "Known: 1.6, 2.0.1, 2.1" in run.err
