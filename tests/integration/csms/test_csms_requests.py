"""Requests of the back end to the station: one at a time, through the gate, answered, late, refused or lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.bench.csms import CallRefused
from pilotbench.errors import CsmsError, SafetyError, StationTimeout

Play = Callable[..., Any]


def test_a_limit_is_set_and_told(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.set_limit(16, tx=4))
            payload = await station.answer("SetChargingProfile", {"status": "Accepted"})
            profile = payload["csChargingProfiles"]
            assert profile["chargingProfilePurpose"] == "TxProfile"
            assert profile["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 16.0}]
            answer = await asking
            assert (answer.accepted, answer.status) == (True, "Accepted")

    rig = play(story)
    limit = rig.one("csms.charging_profile")
    assert limit.evse == 1
    assert {k: limit.data[k] for k in ("connector", "limit_a", "purpose", "tx", "accepted", "status")} == {
        "connector": 1,
        "limit_a": 16.0,
        "purpose": "TxProfile",
        "tx": 4,
        "accepted": True,
        "status": "Accepted",
    }
    request = rig.one("csms.request", verb="SetChargingProfile")
    assert request.data["latency_ms"] > 0
    frame = next(e for e in rig.all("ocpp.frame", dir="rx") if e.raw.startswith("[3"))
    assert (limit.stamp.lo_ns, limit.stamp.hi_ns) == (frame.stamp.lo_ns, frame.stamp.hi_ns)
    assert limit.data["sent_ns"] <= limit.stamp.hi_ns


VERBS: list[tuple[str, Callable[[Any], Any], dict[str, Any], dict[str, Any], bool]] = [
    (
        "RemoteStartTransaction",
        lambda v: v.remote_start(1, "TAG"),
        {"connectorId": 1, "idTag": "TAG"},
        {"status": "Accepted"},
        True,
    ),
    ("RemoteStopTransaction", lambda v: v.remote_stop(9), {"transactionId": 9}, {"status": "Rejected"}, False),
    ("ClearChargingProfile", lambda v: v.clear_limits(), {}, {"status": "Unknown"}, False),
    (
        "TriggerMessage",
        lambda v: v.trigger("Heartbeat"),
        {"requestedMessage": "Heartbeat"},
        {"status": "NotImplemented"},
        False,
    ),
    ("Reset", lambda v: v.reset(), {"type": "Soft"}, {"status": "Accepted"}, True),
    (
        "ChangeAvailability",
        lambda v: v.set_availability(1, False),
        {"connectorId": 1, "type": "Inoperative"},
        {"status": "Scheduled"},
        True,
    ),
    ("UnlockConnector", lambda v: v.unlock(1), {"connectorId": 1}, {"status": "UnlockFailed"}, False),
    (
        "ChangeConfiguration",
        lambda v: v.set_variable("A", "1"),
        {"key": "A", "value": "1"},
        {"status": "RebootRequired"},
        True,
    ),
    (
        "DataTransfer",
        lambda v: v.data_transfer("V", data="x"),
        {"vendorId": "V", "data": "x"},
        {"status": "Accepted"},
        True,
    ),
]


@pytest.mark.parametrize(("action", "verb", "sent", "reply", "accepted"), VERBS, ids=[verb[0] for verb in VERBS])
def test_each_verb(
    play: Play, action: str, verb: Callable[[Any], Any], sent: dict[str, Any], reply: dict[str, Any], accepted: bool
) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(verb(rig.csms.station("CP1").verbs))
            assert await station.answer(action, reply) == sent
            assert (await asking).accepted is accepted

    rig = play(story)
    request = rig.one("csms.request")
    assert (request.data["verb"], request.data["accepted"], request.data["status"]) == (
        action,
        accepted,
        reply["status"],
    )
    safe = [stimulus.verb for stimulus in rig.gate.asked if stimulus.to_safe]
    assert safe == ([action] if action in ("RemoteStopTransaction", "ChangeAvailability") else [])


def test_an_accepted_setting_is_read_back(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.set_variable("A", "2"))
            await station.answer("ChangeConfiguration", {"status": "Accepted"})
            entry = {"key": "A", "readonly": False, "value": "2"}
            assert await station.answer("GetConfiguration", {"configurationKey": [entry]}) == {"key": ["A"]}
            await asking

    assert play(story).one("station.config").data["values"] == {"A": "2"}


def test_what_the_gate_refuses_is_never_on_the_wire(play: Play) -> None:
    async def story(rig: Any) -> None:
        rig.gate.closed = {"SetChargingProfile", "Reset", "RemoteStopTransaction"}
        async with rig.peer() as station:
            await station.boot()
            link = rig.csms.station("CP1")
            with pytest.raises(SafetyError):
                await link.verbs.set_limit(32)
            with pytest.raises(SafetyError):
                await link.verbs.call("Reset", {"type": "Hard"})
            with pytest.raises(SafetyError):
                await link.call("Reset", {"type": "Hard"})
            with pytest.raises(SafetyError):
                await link.ask("Reset", {"type": "nonsense"}, validate=False)
            stopping = asyncio.create_task(link.verbs.remote_stop(1))
            await station.answer("RemoteStopTransaction", {"status": "Accepted"})
            await stopping

    rig = play(story)
    assert not [text for text in rig.frames("tx") if "SetChargingProfile" in text or "Reset" in text]
    assert [stimulus.args["max_limit_a"] for stimulus in rig.gate.asked if stimulus.verb == "SetChargingProfile"] == [
        32.0
    ]


def test_a_payload_that_does_not_fit_is_not_sent(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            verbs = rig.csms.station("CP1").verbs
            with pytest.raises(CsmsError, match="limit"):
                await verbs.set_limit(16.123)
            with pytest.raises(CsmsError, match="no action 'Frobnicate'"):
                await verbs.call("Frobnicate", {})
            asking = asyncio.create_task(verbs.call("Frobnicate", {"a": 1}, validate=False))
            assert await station.answer("Frobnicate", {"b": 2}) == {"a": 1}
            assert await asking == {"b": 2}

    assert not play(story).all("ocpp.violation")


def test_an_error_of_the_station_is_raised_with_its_words(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.unlock(1))
            frame = await station.recv()
            await station.send(json.dumps([4, frame[1], "NotSupported", "no lock", {}]))
            with pytest.raises(CallRefused, match="no lock") as caught:
                await asking
            assert caught.value.code == "NotSupported"

    rig = play(story)
    assert rig.one("csms.request").data["status"] == "CALLERROR NotSupported"
    assert rig.one("ocpp.error", dir="rx").data["description"] == "no lock"


def test_a_timeout_and_the_late_answer(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            link = rig.csms.station("CP1")
            with pytest.raises(StationTimeout, match=r"did not answer Reset within 0\.05 s"):
                await link.ask("Reset", {"type": "Soft"}, timeout_s=0.05)
            late = await station.recv()
            # The next request does not wait for the lost one.
            asking = asyncio.create_task(link.verbs.unlock(1))
            unlock = await station.recv()
            await station.send(json.dumps([3, late[1], {"status": "Accepted"}]))
            await station.send(json.dumps([3, unlock[1], {"status": "Unlocked"}]))
            assert (await asking).status == "Unlocked"

    rig = play(story)
    assert rig.one("ocpp.violation", code="LateAnswer").data["action"] == "Reset"
    assert rig.one("csms.reset").data["late"] is True
    statuses = [(e.data["verb"], e.data["status"]) for e in rig.all("csms.request")]
    assert statuses == [("Reset", "no answer within 0.05 s"), ("Reset", "Accepted"), ("UnlockConnector", "Unlocked")]


def test_one_request_at_a_time_and_the_station_is_served_meanwhile(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            verbs = rig.csms.station("CP1").verbs
            first, second = asyncio.create_task(verbs.unlock(1)), asyncio.create_task(verbs.unlock(2))
            frame = await station.recv()
            # Ours is open; the station's own is answered, and the second of ours has not been sent.
            assert (await station.call("Heartbeat", {}))[0] == 3
            await station.send(json.dumps([3, frame[1], {"status": "Unlocked"}]))
            assert await station.answer("UnlockConnector", {"status": "NotSupported"}) == {"connectorId": 2}
            assert [(await first).status, (await second).status] == ["Unlocked", "NotSupported"]

    play(story)


def test_a_handler_may_ask_the_station_before_it_answers(play: Play) -> None:
    async def story(rig: Any) -> None:
        async def slow(link: Any, payload: dict[str, Any], proposed: dict[str, Any]) -> dict[str, Any]:
            read = await link.call("GetConfiguration", {"key": ["A"]})
            return {"status": "Accepted", "data": read["unknownKey"][0]}

        rig.csms.on("DataTransfer").answer(slow)
        async with rig.peer() as station:
            await station.boot()
            await station.send(json.dumps([2, "d", "DataTransfer", {"vendorId": "V"}]))
            # Nothing waits for the handler: another request of the station is answered in between.
            frame = await station.recv()
            assert (await station.call("Heartbeat", {}))[0] == 3
            await station.send(json.dumps([3, frame[1], {"unknownKey": ["A"]}]))
            assert await station.recv() == [3, "d", {"status": "Accepted", "data": "A"}]

    rig = play(story)
    assert "not answered yet" in rig.one("ocpp.violation").data["text"]


def test_a_handler_may_change_the_proposed_answer(play: Play) -> None:
    async def story(rig: Any) -> None:
        rig.csms.on("StartTransaction").answer(lambda link, payload, proposed: {**proposed, "transactionId": 777})
        async with rig.peer() as station:
            await station.boot()
            assert await station.start() == 777
            await station.stop(777)

    rig = play(story)
    assert rig.one("ocpp.tx.started").data["tx"] == 777
    assert rig.one("ocpp.tx.ended").data["orphan"] is False


def test_a_lost_connection_ends_the_request(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.reset())
            await station.recv()
            station.ws.transport.abort()
            with pytest.raises(CsmsError, match="the connection ended"):
                await asking
            with pytest.raises(CsmsError, match="not connected"):
                await rig.csms.station("CP1").verbs.reset()

    rig = play(story)
    assert rig.one("csms.request").data["accepted"] is False
    assert rig.one("ocpp.disconnected").data["code"] == 1006


def test_a_triggered_message_is_marked(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.trigger("StatusNotification"))
            await station.answer("TriggerMessage", {"status": "Accepted"})
            await asking
            for connector in (0, 1, 1):
                status = {"connectorId": connector, "errorCode": "NoError", "status": "Available"}
                await station.call("StatusNotification", status)
            await station.call("Heartbeat", {})

    rig = play(story)
    asked = [(e.data["action"], e.data["asked"]) for e in rig.all("ocpp.call", dir="rx")]
    assert asked[1:] == [
        ("StatusNotification", True),
        ("StatusNotification", True),
        ("StatusNotification", False),
        ("Heartbeat", False),
    ]
