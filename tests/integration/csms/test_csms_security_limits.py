"""Slow and oversized clients, too many of them, pings, and what is on unless told otherwise."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms import Csms, CsmsState, Limits
from pilotbench.bench.csms.security import Security
from pilotbench.bench.timeline import ClosedGate, Timeline, new_loop
from pilotbench.errors import CsmsError
from websockets.exceptions import InvalidHandshake

from csms_security import PASSWORD, Knock, basic, client_tls

Play = Callable[..., Any]

REQUEST = (
    b"GET /CP1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: " + base64.b64encode(b"0123456789abcdef") + b"\r\nSec-WebSocket-Protocol: ocpp1.6\r\n"
)
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"", "no whole HTTP request within 0.2 s"),
        (REQUEST, "no whole HTTP request within 0.2 s"),
        (REQUEST + b"X-Long: " + b"x" * 9000 + b"\r\n\r\n", "the HTTP request is too big"),
        (REQUEST + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n", "the HTTP request is too big"),
        (b"x" * 20_000, "the HTTP request is too big"),
        (HELLO, "TLS on a plain port"),
        (b"hello\r\n\r\n", "no valid HTTP request came"),
    ],
)
def test_a_client_that_is_slow_or_sends_too_much(play: Play, sent: bytes, reason: str) -> None:
    addresses: list[str] = []

    async def story(rig: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.csms.port)
        addresses.append("{}:{}".format(*writer.get_extra_info("sockname")))
        writer.write(sent)
        await rig.seen("ocpp.refused")
        writer.transport.abort()
        await asyncio.gather(reader.read(), return_exceptions=True)

    # Who is wrong and not slow learns it long before the time is over.
    data = play(story, limits=Limits(handshake_s=0.2 if "within" in reason else 60)).one("ocpp.refused").data
    assert reason in data["reason"]
    assert (data["status"], data["remote"]) == (0, addresses[0])


@pytest.mark.parametrize("how", ["nothing", "half a hello", "TLS only"])
def test_a_slow_client_on_a_port_with_tls(play: Play, tmp_path: Path, how: str) -> None:
    security = Security(tmp_path / "s", profile=2)
    tls: Any = {"ssl": client_tls(tmp_path, security.pki.root_pem), "server_hostname": "localhost"}

    async def story(rig: Any) -> None:
        secure = tls if how == "TLS only" else {}
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.csms.port, **secure)
        writer.write({"nothing": b"", "half a hello": HELLO, "TLS only": REQUEST}[how])
        await rig.seen("ocpp.refused")
        writer.transport.abort()
        await asyncio.gather(reader.read(), return_exceptions=True)

    rig = play(story, security=security, limits=Limits(handshake_s=0.3))
    kind = "HTTP request" if how == "TLS only" else "handshake"
    assert f"no whole {kind} within 0.3 s" in rig.one("ocpp.refused").data["reason"]


@pytest.mark.parametrize("profile", [0, 2])
def test_as_many_connections_of_one_peer_as_are_allowed(play: Play, tmp_path: Path, profile: int) -> None:
    security = Security(tmp_path / "s", profile=profile, password=PASSWORD)
    tls = client_tls(tmp_path, security.pki.root_pem) if profile else None

    async def story(rig: Any) -> None:
        def knock(station: str) -> Knock:
            return Knock(rig.csms.url(station), tls=tls, header=basic(PASSWORD, station))

        async with knock("CP1").enter():
            async with knock("CP2").enter():
                with pytest.raises((InvalidHandshake, OSError, EOFError)):
                    await knock("CP3").stay()
                with pytest.raises((InvalidHandshake, OSError, EOFError)):
                    await knock("CP3").stay()
            await rig.seen("ocpp.disconnected", station="CP2")
            await knock("CP4").stay()

    rig = play(story, security=security, limits=Limits(per_peer=2))
    assert [event.data["station"] for event in rig.all("ocpp.connected")] == ["CP1", "CP2", "CP4"]
    reasons = [event.data["reason"] for event in rig.all("ocpp.refused")]
    assert reasons == ["127.0.0.1 has 2 connections already, the most that are allowed"] * 2


def test_a_message_that_is_too_long_over_tls(play: Play, tmp_path: Path) -> None:
    security = Security(tmp_path / "s", profile=2, password=PASSWORD)

    async def story(rig: Any) -> None:
        tls = client_tls(tmp_path, security.pki.root_pem)
        async with Knock(rig.csms.url("CP1"), tls=tls, header=basic(PASSWORD)).enter() as ws:
            await ws.send("[2," + "x" * 3000)
            await rig.seen("ocpp.disconnected")

    rig = play(story, security=security, limits=Limits(message_bytes=2000))
    assert rig.one("ocpp.violation", layer="frame").data["code"] == "PayloadTooBig"


def test_pings_tell_the_round_trip(play: Play) -> None:
    async def story(rig: Any) -> None:
        rig.csms.set_pings("CP2", None)
        async with rig.peer("CP1") as first, rig.peer("CP2") as second:
            await rig.seen("ocpp.frame", kind="pong", station="CP1")
            rig.csms.set_pings("CP1", None)
            rig.csms.set_pings("CP2", 0.05)
            await rig.seen("ocpp.frame", kind="pong", station="CP2")
            await (await first.ws.ping(b"own"))
            await first.ws.pong(b"unasked")
            for peer in (first, second):
                assert (await peer.call("Heartbeat", {}))[0] == 3

    rig = play(story, ping_interval_s=0.05)
    for station in ("CP1", "CP2"):
        pings = rig.all("ocpp.frame", kind="ping", dir="tx", station=station)
        pongs = rig.all("ocpp.frame", kind="pong", dir="rx", station=station)
        measured = [event for event in pongs if "rtt_ms" in event.data]
        assert pings
        assert measured
        for pong in measured:
            sent = next(ping for ping in pings if ping.raw == pong.raw)
            assert 0 < pong.data["rtt_ms"] < 1000
            assert sent.stamp.lo_ns <= pong.stamp.hi_ns
    assert "rtt_ms" not in next(event for event in rig.all("ocpp.frame") if event.raw == b"unasked".hex()).data
    assert not rig.all("ocpp.violation", layer="frame")


def test_a_station_that_answers_no_ping_is_cut(play: Play) -> None:
    async def story(rig: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.csms.port)
        writer.write(REQUEST + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await rig.seen("ocpp.disconnected")
        writer.transport.abort()
        await asyncio.gather(reader.read(), return_exceptions=True)

    rig = play(story, ping_interval_s=0.1)
    assert rig.one("ocpp.violation", code="NoPong").data["text"] == "no pong within 0.1 s; the connection is cut"
    assert rig.one("ocpp.disconnected").data["reason"] == "lost without a close frame"


def test_what_is_on_unless_told_otherwise(play: Play) -> None:
    async def story(rig: Any) -> None:
        assert rig.csms.url("CP1").startswith("ws://127.0.0.1:")
        assert rig.csms.tls_port is None
        with pytest.raises(CsmsError, match="no port with TLS"):
            rig.csms.url("CP1", tls=True)
        for port_host in ("127.0.0.2", "::1"):
            with pytest.raises(OSError, match=r"Connect call failed|Cannot assign"):
                await asyncio.open_connection(port_host, rig.csms.port)
        async with Knock(rig.csms.url("CP1")).enter() as ws:
            assert ws.protocol.extensions == []
            for number in range(3):
                await ws.send(f'[2,"{number}","Heartbeat",{{}}]')
                await ws.recv()

    rig = play(story)
    assert rig.one("ocpp.connected").data["profile"] == 0
    assert not rig.all("ocpp.frame", kind="ping")


def test_three_versions_and_both_ports_at_once(play: Play, tmp_path: Path) -> None:
    security = Security(tmp_path / "s", profile=1, tls_port=0, password=PASSWORD)
    versions = ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"]

    async def story(rig: Any) -> None:
        async def station(number: int) -> None:
            name, secure = f"CP{number}", number % 2 == 1
            tls = client_tls(tmp_path, security.pki.root_pem) if secure else None
            knock = Knock(rig.csms.url(name, tls=secure), tls=tls, header=basic(PASSWORD, name))
            async with knock.enter(versions[number % 3]) as ws:
                for count in range(20):
                    await ws.send(f'[2,"{count}","Heartbeat",{{}}]')
                    assert f'"{count}"' in str(await ws.recv())

        await asyncio.gather(*(station(number) for number in range(12)))

    rig = play(story, security=security)
    connected = rig.all("ocpp.connected")
    assert sorted(event.data["version"] for event in connected) == sorted(["1.6", "2.0.1", "2.1"] * 4)
    assert {event.data["profile"] for event in connected} == {1, 2}
    assert not rig.all("ocpp.refused")


def test_a_server_that_closes_with_handshakes_under_way(tmp_path: Path) -> None:
    loop, selector = new_loop()
    security = Security(tmp_path / "s", profile=2)

    async def whole() -> None:
        csms = Csms(Timeline(), ClosedGate(), selector, state=CsmsState(tmp_path), security=security)
        await csms.start()
        writers = [(await asyncio.open_connection("127.0.0.1", csms.port))[1] for _ in range(3)]
        writers[0].write(HELLO)
        for _ in range(50):
            await asyncio.sleep(0)  # the server takes them in
        async with asyncio.timeout(3):
            await csms.close()
        for writer in writers:
            writer.transport.abort()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()


def test_a_wrong_certificate_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    loop, selector = new_loop()
    security = Security(tmp_path / "s", profile=2, certificate=tmp_path / "x.pem", key=tmp_path / "x.pem")

    async def whole() -> None:
        csms = Csms(Timeline(), ClosedGate(), selector, state=CsmsState(tmp_path), security=security)
        with pytest.raises(CsmsError, match=r"the certificate .*x\.pem with the key .* cannot be used"):
            await csms.start()
        await csms.close()

    try:
        loop.run_until_complete(whole())
    finally:
        loop.close()
    with pytest.raises(CsmsError, match="no security profile 4"):
        Security(tmp_path / "s", profile=4)
    with pytest.raises(CsmsError, match="leave out the second"):
        Security(tmp_path / "s", profile=2, tls_port=0)
    with pytest.raises(CsmsError, match="needs its key"):
        Security(tmp_path / "s", certificate=tmp_path / "x.pem")
    with pytest.raises(CsmsError, match="cannot be read"):
        Security(tmp_path / "s", profile=3, trusted=[tmp_path / "none.pem"]).tls(3)
