"""How the matrix holds a run with a physical fault against what is listed of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pilotbench.bench.twin.faults import COMMON, FAULTS, complete
from pilotbench.bench.twin_control import parse_fault

from fault_matrix import STOOD_STILL
from physical_matrix import COURSES, ELSEWHERE, PhysicalPlay, Seen, physical_plays, seen

WELDED = PhysicalPlay("contactor-welded", "station FAIL", ("stop.open", "ab.dead"), COURSES["contactor-welded"])
ROWS = [
    {"name": name, "outcome": fault.outcome, "rules": list(fault.rules), "trip": fault.trip}
    for name, fault in FAULTS.items()
]


def play(outcome: str) -> PhysicalPlay:
    return PhysicalPlay("meter-freeze", outcome, (), COURSES["reset"])


def verdict(rule: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {"rule": rule, "verdict": outcome, "counts": True, "lean": None, "reason": None, "because": "", **more}


def stalled(rule: str) -> dict[str, Any]:
    return verdict(rule, "INCONCLUSIVE", lean="FAIL", reason="PRECONDITION", because=f"late; but {STOOD_STILL}")


def run(of: PhysicalPlay, *verdicts: dict[str, Any], code: int = 0, told: tuple[str, ...] = ()) -> Seen:
    """A run in which the fault began; `told` are trips, or `overrun`."""
    events: list[Any] = [SimpleNamespace(topic="twin.fault", data={"name": of.name, "on": True})]
    for one in told:
        topic = "twin.overrun" if one == "overrun" else "safety.trip"
        events.append(SimpleNamespace(topic=topic, data={"cause": one} if topic == "safety.trip" else {}))
    document = {"exit_code": code, "cases": [{}], "problems": [], "verdicts": list(verdicts)}
    return seen(of, document, events)


def test_every_fault_is_played_here_or_by_a_test_that_there_is() -> None:
    played = {one.name for one in physical_plays(ROWS)}
    assert played | set(ELSEWHERE) == set(FAULTS)
    assert set(COURSES) <= played
    for one in physical_plays(ROWS):
        said = parse_fault(f"{one.name}:{one.course.arguments}")
        args = {key: value for key, value in said.items() if key not in ("type", "name", "on", "device", "evse")}
        assert set(complete(one.name, args)) >= set(COMMON)


def test_hardware_that_breaks_its_promise_is_blamed_by_its_rules() -> None:
    assert run(WELDED, verdict("stop.open", "FAIL"), code=4).word == "as listed"
    assert not run(WELDED, verdict("stop.open", "PASS")).right
    wrong = run(WELDED, verdict("stop.open", "FAIL"), verdict("plug.status", "FAIL"))
    assert wrong.word == "NOT AS LISTED: blamed by plug.status"


def test_a_standstill_of_this_machine_is_told_and_played_again() -> None:
    one = run(WELDED, stalled("stop.open"), told=("overrun",))
    assert (one.right, one.by_machine, one.word) == (True, True, "seen, but this machine stood still")
    assert not run(WELDED, stalled("stop.open")).right
    assert not run(WELDED, stalled("plug.status"), told=("overrun",)).right


@pytest.mark.parametrize("outcome", ["handled", "supervisor trip", "bench ERROR", "inconclusive"])
def test_nothing_else_blames_the_station(outcome: str) -> None:
    assert not run(play(outcome), verdict("stop.open", "FAIL"), code=4).right


def test_a_bench_that_cannot_be_trusted_says_so() -> None:
    assert run(play("bench ERROR"), verdict("stop.open", "ERROR"), code=4).right
    assert not run(play("bench ERROR"), code=0).right


def test_a_trip_is_the_one_that_is_listed() -> None:
    silent = PhysicalPlay("meter-silent", "supervisor trip", (), COURSES["reset"], "meter-silent")
    one = run(silent, code=4, told=("meter-silent",))
    assert (one.right, one.told) == (True, "exit code 4; trip meter-silent")
    assert not run(silent, code=4, told=("over-current",)).right
    assert not run(silent, code=4).right
    assert not run(play("bench ERROR"), code=4, told=("meter-silent",)).right


@pytest.mark.parametrize("outcome", ["handled", "inconclusive"])
def test_what_the_bench_lives_with_trips_nothing(outcome: str) -> None:
    assert run(play(outcome), verdict("energy.agree", "INCONCLUSIVE"), code=3).right
    assert not run(play(outcome), verdict("energy.agree", "ERROR"), code=4).right
    assert not run(play(outcome), code=4, told=("meter-silent",)).right


def test_a_fault_that_never_began_shows_nothing() -> None:
    document = {"exit_code": 0, "cases": [{}], "problems": [], "verdicts": []}
    assert seen(play("handled"), document, []).word == "NOT AS LISTED: it never began"
