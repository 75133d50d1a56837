"""Four security profiles against every kind of station: who comes in, and the one event of who does not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms.security import Pki, Security
from websockets.exceptions import InvalidHandshake, InvalidStatus

from csms_security import PASSWORD, Knock, basic, client_tls, other_ca

Play = Callable[..., Any]

TLS12, TLS13, TLS11 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_1
GOOD, WRONG = basic(PASSWORD), basic("not the password")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys are made once for all of these tests."""
    made = tmp_path_factory.mktemp("security") / "state"
    Security(made).pki.rsa_server()
    return made


def certificate(pki: Pki, kind: str | None, folder: Path) -> tuple[str, str] | None:
    """What a station shows."""
    if kind == "other CA":
        return other_ca(folder)
    if kind == "a server's":
        return pki.csms_chain.read_text(), pki.csms_key.read_text()
    made: dict[str, dict[str, Any]] = {"good": {}, "expired": {"expired": True}, "CP9": {"common_name": "CP9"}}
    return None if kind is None else pki.make_station("CP1", **made[kind])


LET_IN: list[tuple[int, dict[str, Any], int, list[str]]] = [
    # least profile, the station, the profile it used, what was remarked
    (0, {}, 0, []),
    (0, {"header": GOOD}, 1, []),
    (0, {"header": WRONG}, 0, ["WrongPassword"]),
    (1, {"header": GOOD}, 1, []),
    (2, {"tls": {}, "header": GOOD}, 2, []),
    (2, {"tls": {"version": TLS12}, "header": GOOD}, 2, []),
    (2, {"tls": {"version": TLS12, "ciphers": "AES128-GCM-SHA256:AES256-GCM-SHA384"}, "header": GOOD}, 2, []),
    (2, {"tls": {"version": TLS12, "ciphers": "ECDHE-ECDSA-AES128-SHA256"}, "header": GOOD}, 2, ["TlsCipher"]),
    (2, {"tls": {}, "show": "good"}, 3, []),
    (2, {"tls": {}, "show": "good", "header": WRONG}, 3, ["WrongPassword"]),
    (3, {"tls": {"version": TLS12}, "show": "good"}, 3, []),
    (3, {"tls": {"version": TLS13}, "show": "good"}, 3, []),
]

REFUSED: list[tuple[int, dict[str, Any], int, str]] = [
    # least profile, the station, the status, the reason
    (0, {"tls": {}}, 0, "TLS on a plain port"),
    (1, {"tls": {}}, 0, "TLS on a plain port"),
    (1, {}, 401, "needs Basic credentials: it sent none"),
    (1, {"header": WRONG}, 401, "the password is wrong"),
    (1, {"header": basic(PASSWORD, "CP2")}, 401, "the user name is 'CP2' and must be the id in the URL, 'CP1'"),
    (1, {"header": "Basic ###"}, 401, "cannot be read"),
    (1, {"header": f"Bearer {PASSWORD}"}, 401, "needs Basic credentials: it sent none"),
    (2, {"tls": {}}, 401, "security profile 2 needs Basic credentials"),
    (2, {"tls": {}, "header": WRONG}, 401, "the password is wrong"),
    (2, {"header": GOOD}, 0, "plain HTTP (ws://) on a port that speaks TLS"),
    (2, {"tls": {"version": TLS11, "ciphers": "ALL:@SECLEVEL=0"}, "header": GOOD}, 0, "older than 1.2"),
    (2, {"tls": {"trust": False}, "header": GOOD}, 0, "closed the connection in the middle of the TLS handshake"),
    (2, {"tls": {}, "show": "CP9", "header": GOOD}, 401, "the CN of its certificate is 'CP9' and must be 'CP1'"),
    (2, {"tls": {}, "show": "expired", "header": GOOD}, 0, "the certificate of the station has expired"),
    (2, {"tls": {"version": TLS12}, "show": "other CA", "header": GOOD}, 0, "not signed by an authority"),
    (3, {"tls": {}}, 0, "the station showed no certificate"),
    (3, {"tls": {"version": TLS12}, "header": GOOD}, 0, "the station showed no certificate"),
    (3, {"tls": {}, "show": "CP9"}, 401, "the CN of its certificate is 'CP9'"),
    (3, {"tls": {}, "show": "expired"}, 0, "the certificate of the station has expired"),
    (3, {"tls": {"version": TLS12}, "show": "expired"}, 0, "the certificate of the station has expired"),
    (3, {"tls": {}, "show": "other CA"}, 0, "not signed by an authority this bench trusts"),
    (3, {"tls": {}, "show": "a server's"}, 0, "may not be used by a TLS client"),
    (3, {"tls": {"version": TLS11, "ciphers": "ALL:@SECLEVEL=0"}, "show": "good"}, 0, "older than 1.2"),
    (3, {}, 0, "plain HTTP (ws://) on a port that speaks TLS"),
]


def knock(rig: Any, security: Security, folder: Path, station: dict[str, Any]) -> Knock:
    """The station's attempt, with its own scheme whatever the port speaks."""
    url = rig.csms.url("CP1").partition("://")[2]
    wanted = station.get("tls")
    if wanted is None:
        return Knock(f"ws://{url}", header=station.get("header"))
    can = {name: value for name, value in wanted.items() if name != "trust"}
    root = security.pki.root_pem if wanted.get("trust", True) else None
    shown = certificate(security.pki, station.get("show"), folder)
    return Knock(f"wss://{url}", tls=client_tls(folder, root, shown, **can), header=station.get("header"))


@pytest.mark.parametrize(("least", "station", "profile", "remarks"), LET_IN)
def test_who_comes_in(
    play: Play, folder: Path, tmp_path: Path, least: int, station: dict[str, Any], profile: int, remarks: list[str]
) -> None:
    security = Security(folder, profile=least, passwords={"CP1": PASSWORD})

    async def story(rig: Any) -> None:
        await knock(rig, security, tmp_path, station).stay()
        await rig.seen("ocpp.disconnected")

    rig = play(story, security=security)
    data = rig.one("ocpp.connected").data
    assert data["profile"] == profile
    assert data["subject"] == (f"CN=CP1,O={security.pki.organisation}" if station.get("show") else None)
    asked = station.get("tls", {}).get("version")
    assert data["tls"] == (None if "tls" not in station else "TLSv1.2" if asked is TLS12 else "TLSv1.3")
    assert [event.data["code"] for event in rig.all("ocpp.violation", layer="security")] == [
        *remarks,
        *(["PasswordForm"] if station.get("header") == GOOD else []),  # 1.6 wants hexadecimal digits
    ]
    assert not rig.all("ocpp.refused")


@pytest.mark.parametrize(("least", "station", "status", "reason"), REFUSED)
def test_who_is_refused(
    play: Play, folder: Path, tmp_path: Path, least: int, station: dict[str, Any], status: int, reason: str
) -> None:
    security = Security(folder, profile=least, passwords={"CP1": PASSWORD})
    seen: list[Any] = []

    async def story(rig: Any) -> None:
        attempt = knock(rig, security, tmp_path, station)
        with pytest.raises((InvalidHandshake, OSError, EOFError)) as refused:
            await attempt.stay()
        await rig.seen("ocpp.refused")
        seen.extend([attempt.address, refused.value])
        assert reason in rig.csms.last_attempt.refused

    rig = play(story, security=security)
    data = rig.one("ocpp.refused").data
    assert reason in data["reason"]
    assert (data["status"], data["remote"]) == (status, seen[0])
    assert data["station"] == ("CP1" if status else "")
    assert not rig.all("ocpp.connected")
    if status:
        assert seen[1].response.status_code == status
        assert seen[1].response.headers["WWW-Authenticate"].startswith("Basic realm=")


def shake(port: int, tls: ssl.SSLContext) -> None:
    """A handshake of a station that waits for what the server says of it."""
    with socket.create_connection(("127.0.0.1", port)) as raw, tls.wrap_socket(raw, server_hostname="localhost") as own:
        own.recv(1)


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_the_station_is_told_by_an_alert(play: Play, folder: Path, tmp_path: Path, version: ssl.TLSVersion) -> None:
    """A station that is refused in the TLS handshake learns why, and not only that the socket was closed."""
    security = Security(folder, profile=3)

    async def story(rig: Any) -> None:
        shown = security.pki.make_station("CP1", expired=True)
        tls = client_tls(tmp_path, security.pki.root_pem, shown, version=version)
        with pytest.raises(ssl.SSLError) as told:
            await asyncio.to_thread(shake, rig.csms.port, tls)
        assert "CERTIFICATE_EXPIRED" in told.value.reason
        await rig.seen("ocpp.refused")

    play(story, security=security)


def test_the_alert_of_a_station_is_understood(play: Play, folder: Path, tmp_path: Path) -> None:
    security = Security(folder, profile=2)

    async def story(rig: Any) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(shake, rig.csms.port, client_tls(tmp_path, None))
        await rig.seen("ocpp.refused")

    rig = play(story, security=security)
    assert "does not trust the certificate of the bench" in rig.one("ocpp.refused").data["reason"]


def test_certificates_of_an_organisation_and_with_serial_numbers(play: Play, folder: Path, tmp_path: Path) -> None:
    security = Security(folder, profile=3, organisation="Lab", serials={"CP1": "SN-7"})
    pki = Pki(folder / "pki", organisation="Lab")

    async def story(rig: Any) -> None:
        for authority, name in ((pki, "SN-7"), (pki, "CP1")):
            tls = client_tls(tmp_path, pki.root_pem, authority.make_station("CP1", common_name=name))
            await Knock(rig.csms.url("CP1"), tls=tls).stay()
        foreign = Pki(folder / "pki", organisation="Other").make_station("CP1")
        with pytest.raises(InvalidStatus):
            await Knock(rig.csms.url("CP1"), tls=client_tls(tmp_path, pki.root_pem, foreign)).stay()

    rig = play(story, security=security)
    assert [event.data["subject"] for event in rig.all("ocpp.connected")] == ["CN=SN-7,O=Lab", "CN=CP1,O=Lab"]
    assert "the O of its certificate is 'Other' and must be 'Lab'" in rig.one("ocpp.refused").data["reason"]


def test_a_certificate_with_the_serial_number_the_station_booted_with(play: Play, folder: Path, tmp_path: Path) -> None:
    security = Security(folder, profile=3)
    boot = '{"chargePointVendor":"V","chargePointModel":"M","chargePointSerialNumber":"SN-9"}'

    async def story(rig: Any) -> None:
        by_serial = client_tls(tmp_path, security.pki.root_pem, security.pki.make_station("SN-9"))
        with pytest.raises(InvalidStatus):
            await Knock(rig.csms.url("CP1"), tls=by_serial).stay()
        by_id = client_tls(tmp_path, security.pki.root_pem, security.pki.make_station("CP1"))
        async with Knock(rig.csms.url("CP1"), tls=by_id).enter() as ws:
            await ws.send(f'[2,"1","BootNotification",{boot}]')
            await ws.recv()
        await Knock(rig.csms.url("CP1"), tls=by_serial).stay()

    rig = play(story, security=security)
    assert [event.data["subject"][:7] for event in rig.all("ocpp.connected")] == ["CN=CP1,", "CN=SN-9"]


def test_a_manufacturers_root_and_the_labs_own_certificate(play: Play, folder: Path, tmp_path: Path) -> None:
    lab = Pki(tmp_path / "lab")
    (tmp_path / "maker.pem").write_text(lab.root_pem)
    security = Security(
        folder, profile=3, certificate=lab.csms_chain, key=lab.csms_key, trusted=[tmp_path / "maker.pem"]
    )

    async def story(rig: Any) -> None:
        tls = client_tls(tmp_path, lab.root_pem, lab.make_station("CP1"))
        await Knock(rig.csms.url("CP1"), tls=tls).stay()

    assert play(story, security=security).one("ocpp.connected").data["profile"] == 3


def test_a_message_in_the_flight_that_ends_the_handshake_is_not_lost(play: Play, folder: Path, tmp_path: Path) -> None:
    """TLS 1.3: the request may come in one read with the end of the handshake; so it does here, in most tries."""
    security = Security(folder, profile=2, passwords={"CP1": PASSWORD})

    async def story(rig: Any) -> None:
        for _ in range(5):
            tls = client_tls(tmp_path, security.pki.root_pem)
            attempt = Knock(rig.csms.url("CP1"), tls=tls, header=GOOD)
            async with attempt.enter() as ws:
                await ws.send('[2,"1","Heartbeat",{}]')
                assert '"currentTime"' in str(await ws.recv())

    assert len(play(story, security=security).all("ocpp.connected")) == 5
