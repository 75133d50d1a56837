"""Scripted answers over the wire: what the station gets, what the timeline says of it, and what it excuses."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from pilotbench.bench.csms.misbehave import Script
from pilotbench.errors import CsmsError
from websockets.exceptions import ConnectionClosed

Play = Callable[..., Any]
HEARTBEAT = '[2,"h","Heartbeat",{}]'


async def _frames(station: Any) -> list[str]:
    """What comes, the first within a moment, the others soon after it; the raw texts."""
    texts: list[str] = []
    try:
        while True:
            async with asyncio.timeout(0.05 if texts else 0.3):
                texts.append(await station.ws.recv())
    except (TimeoutError, ConnectionClosed):
        return texts


def _deeds(rig: Any) -> list[str]:
    return [event.data["what"] for event in rig.all("csms.misbehaviour")]


def _heartbeat(play: Play, say: Callable[[Script], Any]) -> tuple[Any, list[str]]:
    """One script on one Heartbeat: the back end's timeline, and the texts that came back."""
    came: list[str] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            say(rig.csms.on("Heartbeat"))
            await station.send(HEARTBEAT)
            came.extend(await _frames(station))

    return play(story), came


def test_a_reply_of_ones_own_is_told_and_is_no_excuse(play: Play) -> None:
    reply = {"currentTime": "2030-01-01T00:00:00Z"}
    rig, came = _heartbeat(play, lambda script: script.reply(reply))
    assert [json.loads(text) for text in came] == [[3, "h", reply]]
    deed = rig.one("csms.misbehaviour")
    assert (deed.data["what"], deed.data["action"], deed.data["until_ns"]) == ("reply", "Heartbeat", None)
    assert rig.one("ocpp.result", action="Heartbeat").data["by"] == "script"


def test_a_reply_that_does_not_fit_its_schema_excuses(play: Play) -> None:
    rig, came = _heartbeat(play, lambda script: script.reply({"now": 5}))
    assert json.loads(came[0]) == [3, "h", {"now": 5}]
    assert rig.one("csms.misbehaviour").data["until_ns"] > 0
    assert {e.data["dir"] for e in rig.all("ocpp.violation")} == {"tx"}


def test_silence(play: Play) -> None:
    rig, came = _heartbeat(play, lambda script: script.silence())
    assert came == []
    assert _deeds(rig) == ["silence"]
    assert not rig.all("ocpp.result", action="Heartbeat")


def test_an_error(play: Play) -> None:
    rig, came = _heartbeat(play, lambda script: script.error("InternalError", "out of order"))
    assert json.loads(came[0]) == [4, "h", "InternalError", "out of order", {}]
    assert rig.one("ocpp.error").data["description"] == "out of order"
    assert _deeds(rig) == ["error"]


def test_an_answer_under_a_strange_id(play: Play) -> None:
    rig, came = _heartbeat(play, lambda script: script.wrong_id())
    kind, message_id, payload = json.loads(came[0])
    assert kind == 3
    assert message_id != "h"
    assert "currentTime" in payload
    # Nobody takes it for an answer: it is no result on the timeline.
    assert not rig.all("ocpp.result", action="Heartbeat")
    assert message_id in rig.one("csms.misbehaviour").data["detail"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [(None, None), ("", ""), ('[4,"{id}","Bogus","",{}]', '[4,"h","Bogus","",{}]'), ("{", "{")],
)
def test_a_malformed_answer(play: Play, text: str | None, sent: str | None) -> None:
    rig, came = _heartbeat(play, lambda script: script.malformed(text))
    assert len(came) == 1
    if sent is None:
        assert came[0].startswith('[3,"h",{')
        with pytest.raises(json.JSONDecodeError):
            json.loads(came[0])
    else:
        assert came[0] == sent
    assert rig.one("csms.misbehaviour").data["what"] == "malformed"
    assert came[0] in rig.frames("tx")


def test_an_answer_that_comes_twice(play: Play) -> None:
    rig, came = _heartbeat(play, lambda script: script.duplicate())
    assert len(came) == 2
    assert came[0] == came[1]
    assert len(rig.all("ocpp.result", action="Heartbeat")) == 1
    assert _deeds(rig) == ["duplicate"]


def test_an_answer_that_comes_late_and_is_an_error_twice(play: Play) -> None:
    rig, came = _heartbeat(play, lambda script: script.delay("60 ms").error("GenericError").duplicate())
    assert [json.loads(text)[2] for text in came] == ["GenericError", "GenericError"]
    assert _deeds(rig) == ["delay", "delay", "error", "duplicate"]
    heard, sent = rig.one("ocpp.call", action="Heartbeat").stamp, rig.one("ocpp.error").stamp
    assert sent.hi_ns - heard.hi_ns >= 60e6
    # The deed is told before the frame that it is about.
    error = next(e for e in rig.all("csms.misbehaviour", what="error"))
    frame = next(e for e in rig.all("ocpp.frame", dir="tx") if "GenericError" in (e.raw or ""))
    assert error.seq < frame.seq
    assert error.stamp.order_ns <= frame.stamp.lo_ns


@pytest.mark.parametrize("after", [False, True], ids=["instead", "after"])
def test_the_connection_is_closed_instead_of_an_answer_or_after_it(play: Play, after: bool) -> None:
    came: list[str] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            script = rig.csms.on("Heartbeat").close(1011)
            if after:
                script.reply({"currentTime": "2030-01-01T00:00:00Z"})
            await station.send(HEARTBEAT)
            came.extend(await _frames(station))
            assert station.ws.close_code == 1011

    rig = play(story)
    assert len(came) == int(after)
    assert _deeds(rig) == (["reply", "close"] if after else ["close"])


def test_scripts_wait_in_line_and_count_down(play: Play) -> None:
    async def story(rig: Any) -> None:
        on = rig.csms.on
        async with rig.peer() as station, rig.peer("CP2") as other:
            await station.boot()
            await other.boot()
            first = on("Heartbeat").error("InternalError").times(2)
            on("Heartbeat", station="CP2").error("SecurityError")
            forever = on("Heartbeat").error("GenericError").always()
            codes = [(await station.call("Heartbeat", {}))[2] for _ in range(5)]
            assert codes == ["InternalError"] * 2 + ["GenericError"] * 3
            assert first.over
            assert first.used == 2
            assert [(await other.call("Heartbeat", {}))[2] for _ in range(2)] == ["SecurityError", "GenericError"]
            forever.cancel()
            assert (await station.call("Heartbeat", {}))[0] == 3
            assert (await station.call("Authorize", {"idTag": "TAG"}))[0] == 3

    play(story)


def test_a_handler_may_ask_the_station_before_it_answers_late(play: Play) -> None:
    async def story(rig: Any) -> None:
        async def slow(link: Any, payload: dict[str, Any], proposed: dict[str, Any]) -> dict[str, Any]:
            read = await link.call("GetConfiguration", {"key": ["A"]})
            return {**proposed, "status": "Rejected", "data": read["unknownKey"][0]}

        rig.csms.on("DataTransfer").delay("30 ms").answer(slow)
        async with rig.peer() as station:
            await station.boot()
            await station.send('[2,"d","DataTransfer",{"vendorId":"V"}]')
            await station.answer("GetConfiguration", {"unknownKey": ["A"]})
            assert await station.recv() == [3, "d", {"status": "Rejected", "data": "A"}]

    assert _deeds(play(story)) == ["delay", "delay", "reply"]


def test_a_handler_that_fails_is_told_and_answered(play: Play) -> None:
    async def story(rig: Any) -> None:
        def broken(link: Any, payload: dict[str, Any], proposed: dict[str, Any]) -> dict[str, Any]:
            raise KeyError("no")

        rig.csms.on("Heartbeat").answer(broken)
        async with rig.peer() as station:
            await station.boot()
            assert (await station.call("Heartbeat", {}))[2] == "InternalError"
            state = next(e for e in rig.timeline.events("device.state") if "KeyError" in e.data["why"])
            assert "the handler of Heartbeat" in state.data["why"]

    play(story, trouble="KeyError")


def test_an_answer_delayed_over_a_reconnection_is_not_given_to_the_new_connection(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.on("Heartbeat").delay("100 ms")
            await station.send(HEARTBEAT)
            await rig.seen("csms.misbehaviour", what="delay")
        async with rig.peer() as again:
            assert await _frames(again) == []
            assert (await again.call("Authorize", {"idTag": "TAG"}))[0] == 3

    assert play(story).one("ocpp.violation", code="NotAnswered").data["action"] == "Heartbeat"


def test_what_a_withheld_answer_changes(play: Play) -> None:
    """A start that was not answered is no transaction; when the station repeats it, it is one, once."""

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.on("StartTransaction").silence()
            start = {"connectorId": 1, "idTag": "TAG", "meterStart": 100, "timestamp": "2026-11-21T10:00:00Z"}
            await station.send(json.dumps([2, "a", "StartTransaction", start]))
            assert await _frames(station) == []
            assert not rig.all("ocpp.tx.started")
            assert (await station.call("Heartbeat", {}))[0] == 3
            assert "restored" not in _deeds(rig)
            assert (await station.call("StartTransaction", start))[2]["idTagInfo"]["status"] == "Accepted"
            assert (await station.call("StartTransaction", start))[0] == 3

    rig = play(story)
    rig.one("ocpp.tx.started")
    deed, over = rig.all("csms.misbehaviour")
    assert (deed.data["what"], over.data["what"]) == ("silence", "restored")
    assert over.data["of"] == [deed.id]
    assert over.data["action"] == "StartTransaction"


def test_any_exchange_ends_what_a_closed_connection_excuses(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.on("StatusNotification").close(1012)
            await station.send(
                '[2,"s","StatusNotification",{"connectorId":0,"errorCode":"NoError","status":"Available"}]'
            )
            await rig.seen("ocpp.disconnected")
        async with rig.peer() as again:
            await again.call("Heartbeat", {})

    close, over = play(story).all("csms.misbehaviour")
    assert close.data["what"] == "close"
    assert over.data["of"] == [close.id]


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (lambda csms: csms.on("BootNotificaton"), r"did you mean 'BootNotification'"),
        (lambda csms: csms.on("RemoteStartTransaction"), "that a station sends"),
        (lambda csms: csms.on("Heartbeat").delay("2"), "a time with its unit"),
        (lambda csms: csms.on("Heartbeat").delay(2), "'2 s', not 2"),
        (lambda csms: csms.on("Heartbeat").delay("2 A"), "'A' is a unit of current"),
        (lambda csms: csms.on("Heartbeat").delay("2 h"), "between 0 s and 3600 s"),
        (lambda csms: csms.on("Heartbeat").error("GenricError"), "did you mean 'GenericError'"),
        (lambda csms: csms.on("Heartbeat").close(1005), "1000-1003"),
        (lambda csms: csms.on("Heartbeat").times(0), "from 1"),
        (lambda csms: csms.on("Heartbeat").reply("no"), "as a dict"),
        (lambda csms: csms.on("Heartbeat").answer({}), r"a function of \(link, payload, proposed\)"),
        (lambda csms: csms.on("Heartbeat").silence().error(), "both be silent and answer an error"),
        (lambda csms: csms.on("Heartbeat").close().half_open(), "both close the connection and leave it half-open"),
    ],
)
def test_wrong_words_say_what_to_write(play: Play, say: Callable[[Any], Any], message: str) -> None:
    async def story(rig: Any) -> None:
        with pytest.raises(CsmsError, match=message):
            say(rig.csms)

    play(story)


def test_a_script_built_in_another_thread_is_installed_at_once_and_whole(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            script = await asyncio.to_thread(lambda: Script("Heartbeat").error("InternalError", "x").times(1))
            rig.csms.scripts.install(script)
            assert (await station.call("Heartbeat", {}))[2] == "InternalError"
            # A script of which no word was said yet does nothing, and is not used up.
            empty = rig.csms.on("Heartbeat")
            assert (await station.call("Heartbeat", {}))[0] == 3
            assert empty.used == 0

    play(story)


def test_a_raw_text_passes_the_gate(play: Play) -> None:
    limit = '[2,"r","SetChargingProfile",{"connectorId":1,"csChargingProfiles":{"chargingSchedule":{"limit":99}}}'

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            link = rig.csms.station("CP1")
            assert link.send_raw('[9,"odd"]') is not None
            assert await station.recv() == [9, "odd"]
            rig.gate.closed = {"SetChargingProfile", "Reset"}
            for text in (
                limit,
                limit + "]",
                '[2,"r","\\u0052eset",{"type":"Hard"}',
                '[[2,"r","Reset",{"type":"Hard"}]]',
            ):
                with pytest.raises(Exception, match="outside the envelope"):
                    link.send_raw(text)
            rig.csms.on("Heartbeat").malformed(limit)
            assert (await station.call("Heartbeat", {}))[2] == "InternalError"

    rig = play(story, trouble="SafetyError")
    assert not [text for text in rig.frames("tx") if "SetChargingProfile" in text or re.search("Reset|u0052", text)]
    limits = [s.args["limits"] for s in rig.gate.asked if s.verb == "SetChargingProfile" and "limits" in s.args]
    assert limits == [[{"limit": 99.0}]] * 3
    assert [e.data["detail"] for e in rig.all("csms.misbehaviour")] == ['[9,"odd"]']


def test_a_scripted_answer_shows_no_password(play: Play) -> None:
    reply = {"currentTime": "2030-01-01T00:00:00Z", "password": "hunter2-Xq9"}
    rig, came = _heartbeat(play, lambda script: script.reply(reply))
    assert json.loads(came[0])[2] == reply
    assert not [event for event in rig.timeline.events() if "hunter2" in f"{event.data}{event.raw}"]


def test_answers_withheld_for_ever_do_not_fill_the_memory(play: Play) -> None:
    async def story(rig: Any) -> None:
        deeds = rig.csms._link("CP1").faults.deeds
        for _ in range(1202):
            deeds.tell("silence", "no answer is given", action="Heartbeat", only_action=True)
        assert len(deeds._open) == 1000
        deeds.exchanged("Heartbeat", time.monotonic_ns())

    rig = play(story)
    told = [event.data["nth"] for event in rig.all("csms.misbehaviour", what="silence")]
    assert told.count(1) == 1
    assert len(rig.one("csms.misbehaviour", what="restored").data["of"]) == 1000


def test_who_took_an_answer_for_lost_may_go_on(play: Play) -> None:
    """A request that timed out at the station, and is answered in the end, stands in the way of no other one."""

    async def slowly(_link: Any, _asked: Any, proposed: Any) -> Any:
        await asyncio.sleep(1.4)
        return proposed

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.on("Heartbeat").answer(slowly)
            await station.send(HEARTBEAT)
            await asyncio.sleep(1.1)  # the station's patience; the back end takes no shorter one for that
            for message_id in ("h2", "h3"):
                await station.send(HEARTBEAT.replace('"h"', f'"{message_id}"'))
                assert json.loads(await station.ws.recv())[1] == message_id
            assert json.loads(await station.ws.recv())[1] == "h"

    rig = play(story)
    assert rig.all("ocpp.violation") == []
    assert rig.all("csms.misbehaviour")[0].data["until_ns"] is None
