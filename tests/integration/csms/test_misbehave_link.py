"""Faults of the connection, seen from the station's side of the socket and on the timeline."""

from __future__ import annotations

import asyncio
import errno
import json
import random
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms.security import Security
from pilotbench.errors import CsmsError
from websockets.exceptions import ConnectionClosed

from csms_security import PASSWORD, Knock, basic, client_tls

Play = Callable[..., Any]


def _sent(rig: Any, action: str, message_id: str) -> Any:
    return rig.one("ocpp.call", action=action, message_id=message_id).stamp


def _spans(rig: Any, what: str) -> list[Any]:
    return rig.all("csms.misbehaviour", what=what)


def test_a_reset_is_a_rst_and_no_fin(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
            gone = station.ws.connection_lost
            station.ws.transport.set_protocol(_Watched(station.ws, gone, lost))
            rig.csms.station("CP1").faults.reset()
            exc = await lost
            assert isinstance(exc, OSError)
            assert exc.errno == errno.ECONNRESET
            with pytest.raises(CsmsError, match="reset: CP1 is not connected"):
                rig.csms.station("CP1").faults.reset()
        async with rig.peer() as again:
            assert (await again.boot())[0] == 3

    rig = play(story)
    deed, over = rig.all("csms.misbehaviour")
    assert (deed.data["what"], over.data["of"]) == ("reset", [deed.id])
    gone = rig.all("ocpp.disconnected")[0]
    assert "on purpose" in gone.data["reason"]
    assert deed.stamp.order_ns <= gone.stamp.order_ns
    again = rig.all("ocpp.connected")[1]
    assert all(frame.seq > again.seq for frame in rig.all("ocpp.frame", kind="close"))


class _Watched(asyncio.Protocol):
    """Passes on what a connection is told, and keeps how it was lost."""

    def __init__(
        self, ws: Any, gone: Callable[[Exception | None], None], lost: asyncio.Future[Exception | None]
    ) -> None:
        self._ws, self._gone, self._lost = ws, gone, lost

    def data_received(self, data: bytes) -> None:
        self._ws.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost.set_result(exc)
        self._gone(exc)


def test_in_a_blackhole_nothing_passes_and_afterwards_everything_does(play: Play) -> None:
    sent_ns: list[int] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            faults = rig.csms.station("CP1").faults
            faults.blackhole("300 ms")
            assert faults.active == ("blackhole",)
            begun = time.monotonic()
            sent_ns.append(time.monotonic_ns())
            await station.send('[2,"h","Heartbeat",{}]')
            sent_ns.append(time.monotonic_ns())
            waiter = await station.ws.ping(b"!")
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.trigger("Heartbeat"))
            await asyncio.sleep(0.2)
            assert not rig.all("ocpp.call", message_id="h")
            assert not waiter.done()
            # What was written first comes first: our request, then the answer.
            assert (await station.recv())[2] == "TriggerMessage"
            assert time.monotonic() - begun >= 0.29
            assert (await station.recv())[:2] == [3, "h"]
            await waiter
            asking.cancel()
            assert (await station.call("Heartbeat", {}))[0] == 3

    rig = play(story)
    stamp = _sent(rig, "Heartbeat", "h")
    assert stamp.lo_ns <= sent_ns[1]
    assert stamp.hi_ns - stamp.lo_ns >= 0.29e9
    begin, end = _spans(rig, "blackhole")
    assert end.data["of"] == [begin.id]
    assert end.stamp.lo_ns <= stamp.hi_ns
    assert rig.one("csms.misbehaviour", what="restored").data["of"] == [end.id]
    held = next(e for e in rig.all("ocpp.frame", dir="tx", kind="text") if "TriggerMessage" in e.raw)
    assert held.data["unsent_bytes"] == len(held.raw) + 2
    # Later messages have sharp stamps again.
    last = rig.all("ocpp.call", dir="rx", action="Heartbeat")[-1].stamp
    assert last.hi_ns - last.lo_ns < 0.2e9


def test_a_blackhole_holds_for_the_next_connection_and_its_handshake_too(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            faults = rig.csms.station("CP1").faults
            faults.blackhole("10 s")
            station.ws.transport.abort()
        knocking = asyncio.create_task(_boot_again(rig))
        async with rig.peer("CP2") as other:
            assert (await other.boot())[0] == 3
        await asyncio.sleep(0.15)
        assert not knocking.done()
        assert len(rig.all("ocpp.connected", station="CP1")) == 1
        faults.stop()
        assert (await knocking)[0] == 3

    rig = play(story)
    assert not [e for e in rig.timeline.events() if e.late]
    begin, end = _spans(rig, "blackhole")
    assert end.data["of"] == [begin.id]


async def _boot_again(rig: Any) -> Any:
    async with rig.peer() as again:
        return await again.boot()


def test_half_open_leaves_the_socket_until_the_station_gives_up(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            link = rig.csms.station("CP1")
            rig.csms.on("Heartbeat").half_open()
            await station.send('[2,"h","Heartbeat",{}]')
            await rig.seen("ocpp.disconnected")
            assert not link.connected
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await station.ws.recv()
            await station.send('[2,"i","Heartbeat",{}]')
            async with rig.peer() as again:
                assert (await again.boot())[0] == 3
                assert not rig.all("ocpp.violation", code="DuplicateConnection")
                station.ws.transport.abort()
                over = await rig.seen("csms.misbehaviour", what="half-open", until_ns=None)
                assert "given up by the station" in over.data["detail"]
                assert link.connected

    rig = play(story)
    assert not rig.all("ocpp.call", message_id="i")
    assert not rig.all("ocpp.frame", kind="close", dir="tx", code=1011)


def test_half_open_ends_at_its_limit(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.station("CP1").faults.half_open("150 ms")
            with pytest.raises(ConnectionClosed):
                await station.ws.recv()

    assert "its limit" in play(story).all("csms.misbehaviour")[-1].data["detail"]


def test_a_narrow_line_takes_its_time_both_ways(play: Play) -> None:
    took: list[float] = []

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.station("CP1").faults.bandwidth(4000, "10 s")
            begun = time.monotonic()
            assert (await station.call("DataTransfer", {"vendorId": "V", "data": "x" * 800}))[0] == 3
            took.append(time.monotonic() - begun)
            # An exchange on a narrow line does not say that the line is in order again.
            assert not _spans(rig, "restored")
            rig.csms.station("CP1").faults.stop()
            begun = time.monotonic()
            assert (await station.call("DataTransfer", {"vendorId": "V", "data": "x" * 800}))[0] == 3
            took.append(time.monotonic() - begun)

    rig = play(story)
    # 860 bytes in and 50 out at 4000 bytes a second.
    assert took[0] >= 0.2
    assert took[1] < took[0]
    slow = rig.all("ocpp.call", action="DataTransfer")[0].stamp
    assert slow.hi_ns - slow.lo_ns >= 0.18e9
    begin, end = _spans(rig, "bandwidth")
    assert end.data["of"] == [begin.id]
    assert _spans(rig, "restored")[0].data["of"] == [end.id]


def test_a_station_that_comes_back_meets_the_same_line(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.station("CP1").faults.latency("60 ms", "60 ms", duration="20 s")
        async with rig.peer() as again:
            begun = time.monotonic()
            assert (await again.call("Heartbeat", {}))[0] == 3
            assert time.monotonic() - begun >= 0.12

    play(story)


def test_what_had_arrived_is_told_before_the_connection_is_lost(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.station("CP1").faults.latency("5 s", "5 s", duration="20 s")
            await station.send('[2,"h","Heartbeat",{}]')
            await asyncio.sleep(0.05)
            own = station.ws.transport.get_extra_info("socket")
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            station.ws.transport.abort()
            await rig.seen("ocpp.disconnected")

    rig = play(story)
    assert rig.one("ocpp.call", message_id="h").seq < rig.one("ocpp.disconnected").seq


def test_latency_is_the_same_for_the_same_seed(play: Play) -> None:
    def run(seed: int) -> list[float]:
        took: list[float] = []

        async def story(rig: Any) -> None:
            async with rig.peer() as station:
                await station.boot()
                rig.csms.station("CP1").faults.latency("5 ms", "60 ms", seed=seed, duration="20 s")
                for _ in range(6):
                    begun = time.monotonic()
                    await station.call("Heartbeat", {})
                    took.append(time.monotonic() - begun)

        rig = play(story)
        for event in rig.all("ocpp.call", action="Heartbeat"):
            assert event.stamp.hi_ns - event.stamp.lo_ns >= 5e6
        return took

    def drawn(seed: int) -> list[float]:
        """What the draws say: in and out each have a generator of their own."""
        ways = [random.Random(f"{seed} {way}") for way in ("in", "out")]
        return [sum(way.uniform(0.005, 0.06) for way in ways) for _ in range(6)]

    for seed in (1, 2):
        for measured, expected in zip(run(seed), drawn(seed), strict=True):
            assert expected <= measured + 0.001
            assert measured < expected + 0.3


def test_frames_stay_in_order_on_a_distant_line(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            rig.csms.station("CP1").faults.latency("0 ms", "10 ms", seed=3, duration="20 s")
            for number in range(100):
                await station.send(json.dumps([2, f"n{number}", "Heartbeat", {}]))
                await asyncio.sleep(0)
            assert [(await station.recv())[1] for _ in range(100)] == [f"n{number}" for number in range(100)]
            # A closing handshake passes the slow line too, and what is held then is not lost.
            await station.send('[2,"last","Heartbeat",{}]')
            await station.ws.close()

    rig = play(story)
    rig.one("ocpp.call", message_id="last")
    orders = [e.stamp.order_ns for e in rig.timeline.events() if e.source == "csms"]
    assert orders == sorted(orders)
    assert not [e for e in rig.timeline.events() if e.late]


def test_the_back_end_closes_in_time_whatever_lasts(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as station, rig.peer("CP2") as other:
            await station.boot()
            await other.boot()
            rig.csms.station("CP1").faults.blackhole("1 h")
            rig.csms.station("CP2").faults.half_open()
            knocking = socket.create_connection(("127.0.0.1", rig.csms.port))
            knocking.sendall(b"GET /CP1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            begun = time.monotonic()
            await rig.csms.close()
            assert time.monotonic() - begun < 3
            knocking.close()

    play(story)


@pytest.mark.parametrize(
    ("say", "message"),
    [
        (lambda faults: faults.blackhole("2 days"), "no unit"),
        (lambda faults: faults.bandwidth(0, "1 s"), "at least 1, not 0"),
        (lambda faults: faults.latency("5 s", "1 s", duration="1 s"), "is more than '1 s'"),
        (lambda faults: faults.half_open("-1 s"), "between 0 s"),
        (lambda faults: faults.half_open(), "half_open: CP1 is not connected"),
    ],
)
def test_wrong_words_say_what_to_write(play: Play, say: Callable[[Any], Any], message: str) -> None:
    async def story(rig: Any) -> None:
        with pytest.raises(CsmsError, match=message):
            say(rig.csms.station("CP1").faults)

    play(story, stations=["CP1"])


def test_faults_of_a_connection_with_tls(play: Play, tmp_path: Path) -> None:
    security = Security(tmp_path / "security", profile=2, passwords={"CP1": PASSWORD})

    async def story(rig: Any) -> None:
        tls = client_tls(tmp_path, security.pki.root_pem)
        url = rig.csms.url("CP1")

        async def beats(ws: Any) -> float:
            begun = time.monotonic()
            await ws.send('[2,"h","Heartbeat",{}]')
            async with asyncio.timeout(5):
                assert json.loads(await ws.recv())[:2] == [3, "h"]
            return time.monotonic() - begun

        async with Knock(url, tls=tls, header=basic(PASSWORD)).enter() as ws:
            await rig.seen("ocpp.connected")
            faults = rig.csms.station("CP1").faults
            faults.blackhole("150 ms")
            assert await beats(ws) >= 0.14
            faults.latency("30 ms", "30 ms", duration="10 s")
            assert await beats(ws) >= 0.06
            faults.stop()
            faults.reset()
            with pytest.raises(ConnectionClosed):
                await ws.recv()
        async with Knock(url, tls=tls, header=basic(PASSWORD)).enter() as ws:
            await beats(ws)
            faults.half_open()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await ws.recv()
            ws.transport.abort()
            await rig.seen("csms.misbehaviour", what="half-open", until_ns=None)

    rig = play(story, security=security)
    widths = [e.stamp.hi_ns - e.stamp.lo_ns for e in rig.all("ocpp.call", action="Heartbeat")]
    assert widths[0] >= 0.14e9
    assert widths[1] >= 0.03e9


def test_who_knocks_and_leaves_in_a_blackhole_is_not_remembered(play: Play) -> None:
    """A station that tries again every few seconds, for hours."""
    lines = ("GET /CP1 HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    request = "\r\n".join((*lines, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "")).encode()

    async def story(rig: Any) -> None:
        async with rig.peer() as station:
            await station.boot()
            faults = rig.csms.station("CP1").faults
            faults.blackhole("1 h")
            for _ in range(4):
                since_ns = time.monotonic_ns()
                _, writer = await asyncio.open_connection("127.0.0.1", rig.csms.port)
                writer.write(request)
                writer.write_eof()
                await rig.seen("ocpp.refused", since_ns)
                writer.close()
            assert len(faults._knocking) <= 1
            faults.stop()

    play(story)
