"""Every station fault turns exactly the rules it should to FAIL, and nothing else.

A session takes about half a minute, so the ordinary suite plays the six faults of the demo; the marker
`faults` holds the rest of the matrix and the strange-but-conforming stations (`make faults`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from cli_runs import CliRun, Sessions


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to: rules that FAIL, rules that this course leaves undecided, the exit code.

    `perhaps`: a further rule that FAILs by the instant at which the fault meets the rest of the bench.
    """

    fails: frozenset[str]
    undecided: frozenset[str] = frozenset()
    code: int = 1
    perhaps: frozenset[str] = frozenset()


def only(*fails: str, undecided: str = "", code: int = 1, perhaps: str = "") -> Expected:
    return Expected(frozenset(fails), frozenset(undecided.split()), code, frozenset(perhaps.split()))


DEMO = {
    "late-open": only("stop.open"),
    "wrong-duty": only("profile.floor"),
    "no-status": only("plug.status"),
    "energy-5-percent": only("energy.agree"),
    # The transaction begins while current flows, so its energy has an edge that nobody can measure.
    "close-unauthorised": only("no_current.unauth", "start.order", undecided="energy.agree"),
    "ignores-profile": only("profile.duty"),
}
MORE = {
    "slow-close": only("start.close"),
    # It is live in B for seconds, too.
    "closes-without-pwm": only("ab.stays_off", "ab.dead", "start.order"),
    # It opens at the moment at which the vehicle stops to draw current, or before it.
    "recloses": only("c1.stays_off", "start.order", perhaps="c1.waits"),
    "no-start": only("tx.start"),
    # Until the transaction is told as ended, samples may be owed.
    "late-stop": only("tx.stop", undecided="meter.sampled"),
    # The status goes out before the answer to the boot: two requests at once.
    "chatty-boot": only("boot.first", "calls.one"),
    "no-heartbeat": only("heartbeat", code=0),
    # A welded contactor cannot be made safe by the bench, and the run says so.
    # The station sees it and reports Faulted, while its outlet is live in state A.
    "stays-closed": only("stop.open", "ab.dead", "faulted.no_energy", code=4),
    "wrong-meter-stop": only("energy.register"),
}
IN_2_1 = {
    "late-open": only("stop.open"),
    "wrong-duty": only("profile.floor"),
    "slow-close": only("start.close"),
    "ignores-profile": only("profile.duty"),
    "no-status": only("v2.plug.status"),
    "energy-5-percent": only("energy.agree"),
    "wrong-meter-stop": only("energy.agree"),
    "close-unauthorised": only("no_current.unauth", "start.order", undecided="energy.agree"),
    "no-start": only("v2.power_path.tx"),
    "late-stop": only(
        "v2.state.not_charging",
        "v2.state.suspended_evse",
        "v2.remote_stop.event",
        "v2.remote_stop.ended",
        undecided="energy.agree v2.register.monotonic",
    ),
    "chatty-boot": only("v2.boot.first", "v2.rpc.one_call"),
    "no-heartbeat": only("v2.meter.periodic"),
}
"""The same faults of a station that speaks 2.1: physics by the same rules, messages by its own."""
ODDITIES = [
    "slow-but-allowed",
    "integer-pwm",
    "early-start",
    "late-start",
    "finishing-late",
    "extra-heartbeats",
    "suspended-evse",
    "double-status",
]


def undecided(run: CliRun) -> set[str]:
    """Rules that count and were left open, and every contradiction of the bench with itself."""
    told: list[dict[str, Any]] = run.document["verdicts"]
    return {v["rule"] for v in told if v["verdict"] == "ERROR" or (v["verdict"] == "INCONCLUSIVE" and v["counts"])}


def failing(run: CliRun) -> set[str]:
    return {rule for rule, verdict in run.verdicts.items() if verdict == "FAIL"}


def explain(run: CliRun) -> str:
    document: dict[str, Any] = run.document
    texts = [v["text"] for v in document["verdicts"] if v["verdict"] not in ("PASS", "NOT_APPLICABLE")]
    return "\n".join([str(document["cases"]), str(document["problems"]), *texts, run.err])


@pytest.fixture(scope="module", autouse=True)
def _ordered(sessions: Sessions, request: pytest.FixtureRequest) -> None:
    """Have every run of this module made in the background, a few at a time."""
    own = [item for item in request.session.items if item.path == request.path]
    names = [item.callspec.params for item in own if hasattr(item, "callspec")]
    for params in names:
        if "fault" in params:
            sessions.order("--station-fault", params["fault"])
        elif "fault_in_2_1" in params:
            sessions.order("--ocpp", "2.1", "--station-fault", params["fault_in_2_1"])
        elif "oddity" in params:
            sessions.order("--station-oddity", params["oddity"])


def holds(sessions: Sessions, fault: str, expected: Expected, *more: str) -> None:
    run = sessions.get(*more, "--station-fault", fault)
    assert failing(run) - expected.perhaps == expected.fails, explain(run)
    assert undecided(run) <= expected.undecided, explain(run)
    assert run.code == expected.code, explain(run)
    for verdict in run.document["verdicts"]:
        if verdict["rule"] in expected.fails:
            assert verdict["text"].startswith("FAIL")
            assert any(event in verdict["text"] for event in verdict["evidence"]), verdict["text"]


def test_a_clean_station_fails_nothing(clean_run: CliRun) -> None:
    assert failing(clean_run) == set()
    assert undecided(clean_run) == set(), explain(clean_run)
    decided = {rule for rule, verdict in clean_run.verdicts.items() if verdict == "PASS"}
    tripped = frozenset[str]().union(*(expected.fails for expected in (*DEMO.values(), *MORE.values())))
    assert tripped - decided <= {"faulted.no_energy"}, explain(clean_run)  # nobody is Faulted here


@pytest.mark.parametrize("fault", DEMO)
def test_a_fault_of_the_demo_fails_exactly_its_rules(sessions: Sessions, fault: str) -> None:
    holds(sessions, fault, DEMO[fault])


@pytest.mark.faults
@pytest.mark.parametrize("fault", MORE)
def test_a_further_fault_fails_exactly_its_rules(sessions: Sessions, fault: str) -> None:
    holds(sessions, fault, MORE[fault])


@pytest.mark.faults
@pytest.mark.parametrize("fault_in_2_1", IN_2_1)
def test_a_fault_in_2_1_fails_exactly_its_rules(sessions: Sessions, fault_in_2_1: str) -> None:
    holds(sessions, fault_in_2_1, IN_2_1[fault_in_2_1], "--ocpp", "2.1")


@pytest.mark.faults
@pytest.mark.parametrize("oddity", ODDITIES)
def test_a_strange_but_conforming_station_is_not_blamed(sessions: Sessions, oddity: str) -> None:
    run = sessions.get("--station-oddity", oddity)
    assert failing(run) == set(), explain(run)
    assert run.code in (0, 3), explain(run)
