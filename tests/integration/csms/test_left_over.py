"""Yesterday's transaction, reservation and profiles in a station that was on before the run: found, told, cleared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms import CsmsState
from pilotbench.bench.left_over import LeftOver, clear_left_overs

Play = Callable[..., Any]
UNTIL = "2027-01-01T00:00:00Z"


async def yesterday(rig: Any) -> None:
    """A transaction that nobody stops, and a reservation; then the back end goes away."""
    async with rig.peer() as station:
        await station.boot()
        await station.start()
        asked = asyncio.ensure_future(rig.csms.station("CP1").verbs.reserve(7, "TAG", expires=UNTIL, evse=2))
        await station.answer("ReserveNow", {"status": "Accepted"})
        await asked


def look(rig: Any, state: CsmsState, *, keep: bool = False) -> asyncio.Task[list[LeftOver]]:
    return asyncio.ensure_future(clear_left_overs(rig.csms, state, rig.timeline, "CP1", keep=keep))


def told(found: list[LeftOver]) -> set[tuple[str, int | str | None, str]]:
    return {(one.what, one.id, one.done) for one in found}


@pytest.fixture
def state(tmp_path: Path, play: Play) -> Callable[[Any], CsmsState]:
    play(yesterday)
    return lambda rig: rig.csms._desk.state


def test_all_of_it_is_cleared(play: Play, state: Callable[[Any], CsmsState], tmp_path: Path) -> None:
    results: list[LeftOver] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            looking = look(rig, state(rig))
            assert await station.answer("RemoteStopTransaction", {"status": "Accepted"}) == {"transactionId": 1}
            await station.stop(1)
            assert await station.answer("CancelReservation", {"status": "Accepted"}) == {"reservationId": 7}
            assert await station.answer("ClearChargingProfile", {"status": "Accepted"}) == {}
            results.extend(await looking)

    rig = play(story)
    assert told(results) == {
        ("transaction", 1, "cleared"),
        ("reservation", 7, "cleared"),
        ("profiles", None, "cleared"),
    }
    assert {event.data["what"] for event in rig.all("bench.left_over")} == {"transaction", "reservation", "profiles"}
    after = CsmsState(tmp_path / "state")
    assert (after.left_open("CP1"), after.reservations("CP1")) == ([], {})


def test_what_the_station_does_not_know_is_lost_and_forgotten(
    play: Play, state: Callable[[Any], CsmsState], tmp_path: Path
) -> None:
    results: list[LeftOver] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            looking = look(rig, state(rig))
            await station.answer("RemoteStopTransaction", {"status": "Rejected"})
            await station.answer("CancelReservation", {"status": "Rejected"})
            await station.answer("ClearChargingProfile", {"status": "Unknown"})
            results.extend(await looking)

    play(story)
    assert told(results) == {("transaction", 1, "lost"), ("reservation", 7, "lost")}
    after = CsmsState(tmp_path / "state")
    assert (after.left_open("CP1"), after.reservations("CP1")) == ([], {})


def test_kept_on_request(play: Play, state: Callable[[Any], CsmsState], tmp_path: Path) -> None:
    results: list[LeftOver] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            results.extend(await look(rig, state(rig), keep=True))

    rig = play(story)
    assert told(results) == {("transaction", 1, "kept"), ("reservation", 7, "kept")}
    assert not rig.all("csms.request")
    after = CsmsState(tmp_path / "state")
    assert [left.tx for left in after.left_open("CP1")] == [1]
    assert set(after.reservations("CP1")) == {7}


def test_an_error_of_the_station_is_told_and_stops_nothing(play: Play, state: Callable[[Any], CsmsState]) -> None:
    results: list[LeftOver] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            looking = look(rig, state(rig))
            for _ in range(3):
                frame = await station.recv()
                await station.send(f'[4, "{frame[1]}", "NotSupported", "", {{}}]')
            results.extend(await looking)

    play(story)
    assert {(one.what, one.done, "NotSupported" in one.detail) for one in results} == {
        ("transaction", "refused", True),
        ("reservation", "refused", True),
        ("profiles", "refused", True),
    }


def test_an_outlet_that_charges_in_a_transaction_nobody_knows_is_named(play: Play, tmp_path: Path) -> None:
    results: list[LeftOver] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            status = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
            await station.call("StatusNotification", status)
            results.extend(await look(rig, rig.csms._desk.state, keep=True))

    play(story)
    (one,) = results
    assert (one.what, one.evse) == ("charging", 1)
    assert "unplug, or reset the station" in str(one)
