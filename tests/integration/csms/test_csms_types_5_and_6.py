"""What OCPP-J 2.1 adds (message types 5 and 6), what 2.0.1 and 1.6 make of it, and who is served before acceptance."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.errors import CsmsError

BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "Vendor", "model": "Model"}}
STREAM = {"id": 7, "pending": 0, "basetime": "2026-11-21T10:00:00Z", "data": [{"t": 0, "v": "1"}]}
PROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}

Play = Callable[..., Any]


async def _alive(peer: Any) -> None:
    """The next thing that comes is the answer to this: what was sent before was not answered."""
    frame = await peer.call("Heartbeat", {}, "alive")
    assert frame[0] == 3


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ('[6,"x1","NotifyPeriodicEventStream",' + json.dumps(STREAM) + "]", None),
        ('[6,"x1","NotifyPeriodicEventStream",{"id":"x"}]', "schema"),
        ('[6,"x1","NoSuchThing",{}]', "rpc"),
        ('[6,"x1","Heartbeat",{}]', "rpc"),
        ('[6,"x1","NotifyPeriodicEventStream"]', "rpc"),
        ('[6,"x1",{},{}]', "rpc"),
        ("[6]", "rpc"),
        ('[6,"x1","NotifyPeriodicEventStream",{', "rpc"),
        ('[5,"nobody","GenericError","",{}]', "sequencing"),
        ('[5,"nobody"]', "rpc sequencing"),
        ('[3,"nobody",{', "rpc"),
    ],
)
def test_in_2_1_a_send_and_an_error_for_an_answer_are_never_answered(play: Play, text: str, layer: str | None) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            await peer.send(text)
            await _alive(peer)

    rig = play(story)
    layers = {event.data["layer"] for event in rig.all("ocpp.violation")}
    assert layers == set((layer or "").split())
    if layer is None:
        sent = rig.one("ocpp.call", action="NotifyPeriodicEventStream")
        assert sent.data["send"] is True
        assert rig.one("ocpp.variable").data["value"] == "1"


@pytest.mark.parametrize("number", [5, 6])
def test_2_0_1_answers_these_types_with_message_type_not_supported(play: Play, number: int) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            await peer.send(json.dumps([number, "m1", "NotifyPeriodicEventStream", STREAM]))
            frame = await peer.recv()
            assert frame[:3] == [4, "m1", "MessageTypeNotSupported"]
            await _alive(peer)

    assert [event.data["code"] for event in play(story).all("ocpp.violation")] == ["MessageTypeNotSupported"]


@pytest.mark.parametrize("number", [5, 6])
def test_1_6_records_these_types_and_says_nothing(play: Play, number: int) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            await peer.send(json.dumps([number, "m1", "NotifyPeriodicEventStream", STREAM]))
            await _alive(peer)

    assert len(play(story).all("ocpp.violation")) == 1


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("text", ["no json", "[]", "{}", '[2,{},"Heartbeat",{}]', "[2]"])
def test_2_x_answers_an_unreadable_id_under_minus_one(play: Play, version: str, text: str) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await peer.call("BootNotification", BOOT)
            await peer.send(text)
            frame = await peer.recv()
            assert frame[:3] == [4, "-1", "RpcFrameworkError"]
            await _alive(peer)

    play(story)


def test_in_2_1_an_answer_that_does_not_fit_is_told_so_once(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            link = rig.csms.station("CP1")
            asked = asyncio.create_task(link.call("ClearCache", {}))
            frame = await peer.recv()
            await peer.send(json.dumps([3, frame[1], {"status": 5}]))
            refusal = await peer.recv()
            assert refusal[:3] == [5, frame[1], "TypeConstraintViolation"]
            await asked
            await _alive(peer)

    rig = play(story)
    assert rig.one("ocpp.error", dir="tx").data["of"] == "result"


def test_in_2_0_1_an_answer_that_does_not_fit_is_only_recorded(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            asked = asyncio.create_task(rig.csms.station("CP1").call("ClearCache", {}))
            frame = await peer.recv()
            await peer.send(json.dumps([3, frame[1], {"status": 5}]))
            await asked
            await _alive(peer)

    rig = play(story)
    assert {event.data["layer"] for event in rig.all("ocpp.violation")} == {"schema"}
    assert not rig.all("ocpp.error")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_2_x_refuses_a_station_that_was_told_to_wait(play: Play, version: str, status: str) -> None:
    """B02.FR.09, B03.FR.07."""

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            assert (await peer.call("BootNotification", BOOT))[2]["status"] == status
            assert (await peer.call("Heartbeat", {}))[:3:2] == [4, "SecurityError"]
            assert (await peer.call("BootNotification", BOOT))[2]["status"] == "Accepted"
            await _alive(peer)

    assert play(story, settings={"boots": [status]}).one("ocpp.violation").data["code"] == "SecurityError"


@pytest.mark.parametrize(("status", "answered"), [("Pending", True), ("Rejected", False)])
def test_2_x_takes_what_it_asked_a_pending_station_for(play: Play, status: str, answered: bool) -> None:
    """B02.FR.02 lets a pending station send what was triggered; a rejected one is asked nothing (B03.FR.03)."""

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await peer.call("BootNotification", BOOT)
            link = rig.csms.station("CP1")
            wanted = {"requestedMessage": "Heartbeat"}
            if not answered:
                with pytest.raises(CsmsError, match="rejected"):
                    await link.call("TriggerMessage", wanted)
                return
            asked = asyncio.create_task(link.call("TriggerMessage", wanted))
            await peer.answer("TriggerMessage", {"status": "Accepted"})
            await asked
            assert (await peer.call("Heartbeat", {}))[0] == 3
            assert (await peer.call("Heartbeat", {}))[:3:2] == [4, "SecurityError"]

    rig = play(story, settings={"boots": [status]})
    assert bool(rig.frames("tx")[1:]) is answered


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_1_6_answers_messages_of_transactions_whatever_the_boot_said(play: Play, status: str) -> None:
    """1.6 section 4.8: a start is answered, or the station would repeat it for ever; strictly, too."""

    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            tx = await peer.start()
            assert (await peer.stop(tx))[0] == 3
            assert (await peer.call("Heartbeat", {}))[:3:2] == [4, "SecurityError"]

    play(story, settings={"boots": [status], "strict": True})


def test_tolerance_is_each_stations_own(play: Play) -> None:
    odd = {**BOOT, "chargingStation": {**BOOT["chargingStation"], "colour": "red"}}

    async def story(rig: Any) -> None:
        for station, number in (("CP1", 3), ("CP2", 4)):
            async with rig.peer(station, subprotocols=["ocpp2.0.1"]) as peer:
                assert (await peer.call("BootNotification", odd))[0] == number

    rig = play(story, settings={"tolerance": {"CP2": "strict"}})
    assert [event.data["station"] for event in rig.all("ocpp.violation")] == ["CP1", "CP2"]
    assert rig.one("ocpp.error").data["code"] == "FormatViolation"


def test_an_id_is_used_up_on_every_connection_in_2_x_and_on_one_in_1_6(play: Play) -> None:
    """2.x part 4 section 4.1.4; 1.6 errata sheet 3.1."""

    async def story(rig: Any) -> None:
        for station, protocol, boot in (("CP1", "ocpp1.6", None), ("CP2", "ocpp2.0.1", BOOT)):
            async with rig.peer(station, subprotocols=[protocol]) as peer:
                await (peer.boot() if boot is None else peer.call("BootNotification", boot))
                await peer.call("Heartbeat", {}, "same")
            async with rig.peer(station, subprotocols=[protocol]) as peer:
                await peer.call("DataTransfer", {"vendorId": "V"}, "same")

    found = play(story).all("ocpp.violation", code="MessageIdReused")
    assert {event.data["station"] for event in found} == {"CP2"}
