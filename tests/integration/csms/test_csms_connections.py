"""Who may connect, how a station is served that does not boot, and what happens to a second connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms import Csms, CsmsState
from pilotbench.bench.timeline import ClosedGate, Timeline, new_loop
from pilotbench.errors import CsmsError, StationTimeout
from websockets.exceptions import ConnectionClosed, InvalidStatus

Play = Callable[..., Any]
HANDSHAKE = "".join(
    f"{line}\r\n"
    for line in (
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        "Sec-WebSocket-Protocol: ocpp1.6",
    )
)
BOOT = {"chargePointVendor": "Vendor", "chargePointModel": "Model"}
CONFIG = {"configurationKey": [{"key": "MinimumStatusDuration", "readonly": False, "value": "0"}]}


async def identify(station: Any) -> None:
    """Play a station that is asked who it is: answer the trigger, send the boot, hand out the configuration."""
    assert await station.answer("TriggerMessage", {"status": "Accepted"}) == {"requestedMessage": "BootNotification"}
    frame = await station.recv()
    assert frame[2] == "GetConfiguration"
    await station.send(json.dumps([2, "asked", "BootNotification", BOOT]))
    await station.send(json.dumps([3, frame[1], CONFIG]))
    assert (await station.recv())[2]["status"] == "Accepted"


def test_a_station_that_speaks_without_a_boot_is_attached_at_once(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.send(json.dumps([2, "1", "Heartbeat", {}]))
            frames = [await station.recv()]
            await rig.csms.wait_ready("CP1", 1)
            assert frames[0][:2] == [3, "1"]
            await identify(station)
            await rig.seen("station.config")
            assert rig.csms.station("CP1").identity == {"vendor": "Vendor", "model": "Model"}

    rig = play(story, settings={"read_back": True})
    assert rig.one("ocpp.attached").data["how"] == "first CALL was Heartbeat"
    assert rig.one("station.config").data["values"] == {"MinimumStatusDuration": "0"}
    # The triggered boot is not a boot.
    assert not rig.all("ocpp.boot")
    assert rig.one("ocpp.call", dir="rx", action="BootNotification").data["asked"] is True
    assert len(rig.all("csms.request", verb="GetConfiguration")) == 1


def test_a_silent_station_is_attached_after_a_moment(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await identify(station)
            await rig.csms.wait_ready("CP1", 1)

    rig = play(story, settings={"read_back": True, "attach_after_s": 0.05})
    assert rig.one("ocpp.attached").data["how"] == "no CALL within 0.05 s of connecting"


def test_a_boot_is_read_back_and_is_no_attach(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            await station.answer("GetConfiguration", CONFIG)
            await rig.seen("station.config")

    rig = play(story, settings={"read_back": True, "attach_after_s": 1.0})
    assert not rig.all("ocpp.attached")


def test_a_station_that_refuses_to_be_read_is_served_all_the_same(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            frame = await station.recv()
            await station.send(json.dumps([4, frame[1], "NotImplemented", "", {}]))
            await rig.seen("csms.request")
            assert (await station.call("Heartbeat", {}))[0] == 3

    rig = play(story, settings={"read_back": True})
    assert rig.one("csms.request").data["status"] == "CALLERROR NotImplemented"


def test_a_reconnect_is_served_again(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
        await rig.seen("ocpp.disconnected")
        with pytest.raises(StationTimeout):
            await rig.csms.wait_ready("CP1", 0.05)
        async with rig.peer() as station:
            assert (await station.call("Heartbeat", {}))[0] == 3
            await rig.csms.wait_ready("CP1", 1)

    rig = play(story)
    assert len(rig.all("ocpp.connected")) == 2
    assert len(rig.all("ocpp.boot")) == 1
    assert len(rig.all("ocpp.attached")) == 1


def test_the_newer_of_two_connections_wins(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as old:
            await old.boot()
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.reset())
            await old.recv()
            async with rig.peer() as new:
                with pytest.raises(ConnectionClosed) as closed:
                    await old.recv()
                assert closed.value.rcvd.code == 1008
                with pytest.raises(CsmsError, match="replaced by a newer connection"):
                    await asking
                assert (await new.boot())[0] == 3
                assert rig.csms.station("CP1").connected

    rig = play(story)
    assert rig.one("ocpp.violation").data["code"] == "DuplicateConnection"
    reasons = [event.data["reason"] for event in rig.all("ocpp.disconnected")]
    assert len(reasons) == 2
    assert "replaced" in reasons[0]


@pytest.mark.parametrize("offered", [[], ["ocpp0.9", "mqtt"]])
def test_no_common_subprotocol_is_recorded_then_closed(play: Play, offered: list[str]) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=offered) as station:
            assert station.ws.subprotocol is None
            with pytest.raises(ConnectionClosed) as closed:
                await station.recv()
            assert closed.value.rcvd.code == 1002
        assert "spoken: ocpp1.6" in rig.csms.last_attempt.refused

    rig = play(story)
    assert rig.one("ocpp.refused").data["status"] == 101
    assert not rig.all("ocpp.connected")


def test_the_stations_preference_decides(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp0.9", "ocpp1.6"]) as station:
            assert station.ws.subprotocol == "ocpp1.6"
            await station.boot()

    assert play(story).one("ocpp.connected").data["subprotocols"] == ["ocpp0.9", "ocpp1.6"]


def test_a_stranger_is_refused_and_told(play: Play) -> None:
    async def story(rig: Any) -> None:
        assert rig.csms.last_attempt is None
        with pytest.raises(InvalidStatus) as refused:
            async with rig.peer("CP9"):
                pass
        assert refused.value.response.status_code == 404
        with pytest.raises(StationTimeout, match="refused: station 'CP9' is not one of this bench"):
            await rig.csms.wait_ready("CP1", 0.05)
        assert rig.csms.last_attempt.station == "CP9"
        assert not rig.csms.station("CP1").connected
        with pytest.raises(CsmsError, match="no station 'CP9'"):
            rig.csms.station("CP9")

    event = play(story, stations=["CP1"]).one("ocpp.refused")
    assert (event.data["station"], event.data["status"]) == ("CP9", 404)


def test_an_id_with_odd_letters_and_a_longer_path(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer("RDAM 12/3") as station:
            await station.boot()
            await rig.csms.wait_ready("RDAM 12/3", 1)
        base = rig.csms.url("").rstrip("/")
        async with rig.peer(url=f"{base}/ocpp/v16/CP%207") as station:
            await station.boot()
            await rig.csms.wait_ready("CP 7", 1)

    play(story)


@pytest.mark.parametrize("junk", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b""])
def test_what_is_no_websocket_is_an_event(play: Play, junk: bytes) -> None:
    async def story(rig: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.csms.port)
        writer.write(junk)
        writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
        await rig.seen("ocpp.refused")

    assert play(story).one("ocpp.refused").data["reason"]


def test_a_port_in_use_is_said_with_its_address(play: Play, tmp_path: Path) -> None:
    async def story(rig: Any) -> None:
        second = Csms(Timeline(), ClosedGate(), _Poll(), state=CsmsState(tmp_path / "other"), port=rig.csms.port)
        with pytest.raises(CsmsError, match=rf"cannot listen on 127\.0\.0\.1:{rig.csms.port}: the port is in use"):
            await second.start()
        await second.close()

    play(story)


class _Poll:
    previous_end_ns = 0


def test_closing_with_a_half_open_handshake_is_quick(tmp_path: Path) -> None:
    loop, selector = new_loop()

    async def whole() -> None:
        csms = Csms(Timeline(), ClosedGate(), selector, state=CsmsState(tmp_path))
        await csms.start()
        _, writer = await asyncio.open_connection("127.0.0.1", csms.port)
        writer.write(b"GET /CP1 HTTP/1.1\r\n")
        await writer.drain()
        async with asyncio.timeout(3):
            await csms.close()
            await csms.close()
        writer.close()

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


MANY = 150
"""So many handshakes are answered after the back end has looked at its clock several times."""


def test_stations_that_come_all_at_once_are_told_in_the_order_of_their_times(play: Play) -> None:
    async def story(rig: Any) -> None:
        opened = [await asyncio.open_connection("127.0.0.1", rig.csms.port) for _ in range(MANY)]
        for number, (_, writer) in enumerate(opened):
            path = f"/CP{number}" if number % 3 else "/"  # every third names no station, and is turned away
            writer.write(f"GET {path} HTTP/1.1\r\n{HANDSHAKE}\r\n".encode())
        for number, (_, writer) in enumerate(opened):
            host, port = writer.get_extra_info("sockname")
            await rig.seen("ocpp.connected" if number % 3 else "ocpp.refused", remote=f"{host}:{port}")
        for _, writer in opened:
            writer.transport.abort()

    rig = play(story)
    assert len(rig.all("ocpp.refused")) == MANY // 3
    assert not [event for event in rig.timeline.events() if event.late]


def test_nobody_came(play: Play) -> None:
    async def story(rig: Any) -> None:
        with pytest.raises(StationTimeout, match="nobody tried to connect"):
            await rig.csms.wait_ready("CP1", 0.02)
        with pytest.raises(CsmsError, match="none so far"):
            rig.csms.station("CP1")

    play(story)
