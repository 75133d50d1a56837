"""Frames: all of them recorded with honest stamps, malformed ones answered, and the link stays up."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

NOW = "2026-11-21T10:00:00.000Z"
Play = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "answer", "layer", "code"),
    [
        ('[2,"7","Heartbeat"]', [4, "7", "FormationViolation"], "rpc", "FormationViolation"),
        ('[2,"7","Heartbeat",{"a":', [4, "7", "FormationViolation"], "rpc", "FormationViolation"),
        ('[2,"7","Frobnicate",{}]', [4, "7", "NotImplemented"], "rpc", "NotImplemented"),
        ('[2,"7","RemoteStartTransaction",{"idTag":"A"}]', [4, "7", "NotSupported"], "rpc", "NotSupported"),
        ('[2,"7","Authorize",{}]', [4, "7", "OccurenceConstraintViolation"], "schema", "OccurenceConstraintViolation"),
        ('[2,"7","Authorize",{"idTag":5}]', [4, "7", "TypeConstraintViolation"], "schema", "TypeConstraintViolation"),
        ('[2,"7","Heartbeat",{"extra":1}]', [3, "7"], "schema", "FormationViolation"),
        ('[2,7,"Heartbeat",{}]', [3, 7], "rpc", "FormationViolation"),
        ("hello", None, "rpc", "FormationViolation"),
        ('{"a":1}', None, "rpc", "FormationViolation"),
        ('[9,"7","Heartbeat",{}]', None, "rpc", "NotSupported"),
        ('[3,"nobody",{}]', None, "sequencing", "UnknownMessageId"),
        ('[4,"nobody","GenericError","",{}]', None, "sequencing", "UnknownMessageId"),
    ],
)
def test_a_malformed_frame(play: Play, text: str, answer: list[Any] | None, layer: str, code: str) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            await station.send(text)
            if answer is not None:
                assert (await station.recv())[: len(answer)] == answer
            assert (await station.call("Heartbeat", {}))[0] == 3

    rig = play(story)
    assert text in rig.frames("rx")
    violation = rig.one("ocpp.violation")
    assert (violation.data["layer"], violation.data["code"]) == (layer, code)
    assert len(rig.all("ocpp.disconnected")) == 1


def test_strict_refuses_what_lenient_serves(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            assert (await station.call("Heartbeat", {"extra": 1}))[2] == "FormationViolation"
            await station.send('[2,7,"Heartbeat",{}]')
            assert (await station.recv())[:3] == [4, 7, "FormationViolation"]

    play(story, settings={"strict": True})


def test_ids_without_end_do_not_fill_the_memory(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            for number in range(3):
                assert (await station.call("Heartbeat", {}, f"{number}" + "x" * 100_000))[0] == 3
            reception = rig.csms.station("CP1")._reception
            assert max(map(len, (*reception._ids, *reception._answers))) <= 255

    play(story)


def test_a_call_before_the_answer_and_a_used_id_are_recorded(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            for message_id in "ab":
                await station.send(json.dumps([2, message_id, "Heartbeat", {}]))
            assert [(await station.recv())[1] for _ in "ab"] == ["a", "b"]
            await station.call("Authorize", {"idTag": "TAG"}, "a")

    rig = play(story)
    texts = [event.data["text"] for event in rig.all("ocpp.violation", layer="sequencing")]
    assert any("'a' was used before" in text for text in texts)


def test_two_calls_in_one_write_are_out_of_sequence(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            ws = station.ws
            for message_id in "ab":
                ws.protocol.send_text(json.dumps([2, message_id, "Heartbeat", {}]).encode())
            ws.transport.write(b"".join(ws.protocol.data_to_send()))
            assert [(await station.recv())[1] for _ in "ab"] == ["a", "b"]

    assert "not answered yet" in play(story).one("ocpp.violation", layer="sequencing").data["text"]


def test_every_kind_of_frame_is_recorded(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            await (await station.ws.ping(b"\x01\x02"))
            await station.ws.pong(b"\x03")
            await station.send(b"\xff\x00")
            await station.ws.send([f'[2,"f","Hea{""}', 'rtbeat",{}]'])
            assert (await station.recv())[:2] == [3, "f"]
            await station.ws.close(1000, "bye")
            await rig.seen("ocpp.disconnected")

    rig = play(story)
    frames = [(e.data["dir"], e.data["kind"], e.raw) for e in rig.all("ocpp.frame")]
    for frame in [("rx", "ping", "0102"), ("tx", "pong", "0102"), ("rx", "pong", "03"), ("rx", "binary", "ff00")]:
        assert frame in frames
    assert ("rx", "text", '[2,"f","Heartbeat",{}]') in frames
    assert rig.one("ocpp.frame", dir="rx", kind="close").data["reason"] == "bye"
    assert rig.one("ocpp.frame", dir="tx", kind="close").data["code"] == 1000
    assert rig.one("ocpp.violation", layer="frame").data["code"] == "UnsupportedData"
    assert rig.one("ocpp.disconnected").data["code"] == 1000


@pytest.mark.parametrize(("case", "close_code"), [("utf8", 1007), ("oversize", 1009), ("unmasked", 1002)])
def test_a_frame_the_protocol_refuses_is_recorded_and_closes(play: Play, case: str, close_code: int) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            if case == "utf8":
                await station.ws.send(b'[2,"\xff"]', text=True)
            elif case == "oversize":
                await station.send('"' + "x" * 5000 + '"')
            else:
                station.ws.transport.write(b"\x81\x02hi")
            with pytest.raises(ConnectionClosed):
                await station.recv()
            await rig.seen("ocpp.disconnected")
        async with rig.peer() as again:
            assert (await again.boot())[0] == 3

    rig = play(story, max_message_bytes=4096)
    assert rig.one("ocpp.violation", layer="frame")
    assert close_code in {event.data["code"] for event in rig.all("ocpp.frame", dir="tx", kind="close")}


def test_stamps_lie_between_sending_and_receiving(play: Play) -> None:
    """The arrival lies in the stamp, and so does at least one instant of the sender's write."""
    sent: dict[str, tuple[int, int]] = {}
    received: dict[str, tuple[int, int]] = {}

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()

            def elsewhere() -> None:
                async def client() -> None:
                    async with connect(rig.csms.url("CP2"), subprotocols=["ocpp1.6"], proxy=None) as ws:
                        for number in range(300):
                            before = time.monotonic_ns()
                            await ws.send(json.dumps([2, f"m{number}", "Heartbeat", {}]))
                            after = time.monotonic_ns()
                            sent[f"m{number}"] = (before, after)
                            message_id = json.loads(await ws.recv())[1]
                            received[message_id] = (after, time.monotonic_ns())

                asyncio.run(client())

            await asyncio.to_thread(elsewhere)

    rig = play(story)
    heard = {e.data["message_id"]: e.stamp for e in rig.all("ocpp.call", station="CP2")}
    answered = {e.data["message_id"]: e.stamp for e in rig.all("ocpp.result", station="CP2")}
    assert len(heard) == len(answered) == 300
    for name, (before, after) in sent.items():
        stamp = heard[name]
        assert stamp.lo_ns <= after, name
        assert stamp.hi_ns >= before, name
        assert answered[name].lo_ns <= received[name][1]
        assert answered[name].lo_ns >= stamp.hi_ns


def test_no_secret_reaches_an_event(play: Play) -> None:
    secret, key = "hunter2-password", "00112233445566778899aabbccddeeff00112233"
    header = "Basic " + base64.b64encode(f"CP1:{secret}".encode()).decode()

    async def story(rig: Any) -> None:
        async with connect(
            rig.csms.url("CP1") + f"?token={secret}",
            subprotocols=["ocpp1.6"],
            proxy=None,
            additional_headers={"Authorization": header},
        ) as ws:
            await rig.seen("ocpp.connected")
            verbs = rig.csms.station("CP1").verbs
            change = asyncio.create_task(verbs.set_variable("AuthorizationKey", key))
            frame = json.loads(await ws.recv())
            assert frame[3] == {"key": "AuthorizationKey", "value": key}
            await ws.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
            await change
            read = asyncio.create_task(verbs.get_variables())
            frame = json.loads(await ws.recv())
            entries = [
                {"key": "A", "readonly": False, "value": "1"},
                {"key": "AuthorizationKey", "readonly": False, "value": key},
                {"value": key, "readonly": False, "key": "authorizationkey"},
                {"key": "B", "readonly": False, "value": "2"},
            ]
            await ws.send(json.dumps([3, frame[1], {"configurationKey": entries}]))
            assert (await read)["AuthorizationKey"] == key

    rig = play(story)
    everything = " ".join(f"{event.data} {event.raw}" for event in rig.timeline.events())
    for hidden in (secret, key, header.split()[1]):
        assert hidden not in everything
    assert rig.one("ocpp.connected").data["auth"] == "basic, user CP1, not checked"
    values = rig.one("station.config").data["values"]
    assert (values["A"], values["B"]) == ("1", "2")
    assert values["AuthorizationKey"].startswith("redacted:")


def test_a_flood_is_read_in_full_and_in_order(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            burst = [json.dumps([2, f"n{number}", "Heartbeat", {}]) for number in range(1500)]

            async def send() -> None:
                for text in burst:
                    await station.send(text)

            sending = asyncio.create_task(send())
            assert [(await station.recv())[1] for _ in burst] == [f"n{number}" for number in range(1500)]
            await sending

    rig = play(story)
    orders = [event.stamp.order_ns for event in rig.timeline.events() if event.source == "csms"]
    assert orders == sorted(orders)
    assert len(rig.all("ocpp.result", dir="tx", action="Heartbeat")) == 1500


def test_ticks_come_and_never_overtake(play: Play) -> None:
    async def story(rig: Any) -> None:
        for _ in range(3):
            await rig.timeline.wait_for("tick", lambda e: e.source == "csms", timeout_s=1)

    rig = play(story)
    assert not [event for event in rig.timeline.events() if event.late]
