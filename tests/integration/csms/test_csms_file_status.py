"""What stations tell of firmware and logs: facts, and violations where the order or the number is wrong."""

from __future__ import annotations

import asyncio
import base64
import http.client
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from pilotbench.bench.csms.files import FileDesk, FirmwareSigner
from pilotbench.bench.csms.files.firmware import Scheme
from pilotbench.bench.csms.security import Pki
from pilotbench.errors import CsmsError

Play = Callable[..., Any]
URL = "http://127.0.0.1:9/fw/x.bin"
CHARGING_STATION = {"model": "Model", "vendorName": "Vendor"}


async def boot(peer: Any, version: str) -> None:
    if version == "ocpp1.6":
        await peer.boot()
    else:
        await peer.call("BootNotification", {"reason": "PowerUp", "chargingStation": CHARGING_STATION})


async def tell(peer: Any, action: str, statuses: str, number: int | None = None) -> None:
    """Tell one status after the other."""
    given = {} if number is None else {"requestId": number}
    for status in statuses.split():
        assert (await peer.call(action, {"status": status, **given}))[0] == 3


def wrong(rig: Any) -> list[tuple[str, str]]:
    """Violations of order: code, and the status it is about. The peer numbers its messages anew on a connection."""
    found = [event.data for event in rig.all("ocpp.violation") if event.data["code"] != "MessageIdReused"]
    return [(data["code"], data["text"].split()[0].rstrip(",")) for data in found]


async def asked(rig: Any, peer: Any, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> int | None:
    """The back end asks, the station answers; returns the requestId."""
    asking = asyncio.create_task(rig.csms.station("CP1").call(action, payload))
    sent = await peer.answer(action, answer)
    await asking
    return sent.get("requestId")


FIRMWARE = {"location": URL, "retrieveDateTime": "2026-11-21T10:00:00Z"}
NUMBERED = [
    ("ocpp1.6", "SignedFirmwareStatusNotification", "SignedUpdateFirmware"),
    ("ocpp2.0.1", "FirmwareStatusNotification", "UpdateFirmware"),
    ("ocpp2.1", "FirmwareStatusNotification", "UpdateFirmware"),
]


def request_of(version: str, number: int) -> dict[str, Any]:
    firmware = FIRMWARE if version != "ocpp1.6" else {**FIRMWARE, "signingCertificate": "PEM", "signature": "AA=="}
    return {"requestId": number, "firmware": firmware}


@pytest.mark.parametrize(("version", "action", "request_action"), NUMBERED)
def test_a_good_update_is_told_and_nothing_is_wrong(play: Play, version: str, action: str, request_action: str) -> None:
    course = "DownloadScheduled Downloading Downloaded SignatureVerified Installing Installed"

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[version]) as peer:
            await boot(peer, version)
            await asked(rig, peer, request_action, request_of(version, 7), {"status": "Accepted"})
            await tell(peer, action, course, 7)

    rig = play(story)
    told = rig.all("ocpp.firmware", via=action)
    assert [event.data["status"] for event in told] == course.split()
    assert {event.data["request_id"] for event in told} == {7}
    assert {event.data["station"] for event in told} == {"CP1"}
    calls = rig.all("ocpp.call", action=action, dir="rx")
    assert [event.stamp.hi_ns for event in told] == [event.stamp.hi_ns for event in calls]
    assert wrong(rig) == []


@pytest.mark.parametrize(("version", "action", "request_action"), NUMBERED)
def test_what_is_wrong_with_an_update(play: Play, version: str, action: str, request_action: str) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[version]) as peer:
            await boot(peer, version)
            await tell(peer, action, "Downloading", 5)
            await asked(rig, peer, request_action, request_of(version, 7), {"status": "Accepted"})
            await tell(peer, action, "Downloading Installing", 7)
            await tell(peer, action, "Installed")
            await tell(peer, action, "Idle", None)
            await asked(rig, peer, request_action, request_of(version, 8), {"status": "Rejected"})
            await tell(peer, action, "Downloading Downloaded", 8)

    rig = play(story)
    assert wrong(rig) == [
        ("UnknownRequestId", "Downloading"),
        ("StatusOrder", "Installing"),
        ("MissingRequestId", "Installed"),
        ("UnaskedStatus", "Idle"),
        ("StatusOrder", "Downloading"),
    ]
    assert {event.data["layer"] for event in rig.all("ocpp.violation")} == {"sequencing"}
    assert len(rig.all("ocpp.firmware")) == 7, "every word of the station is a fact"


def test_a_station_may_speak_of_a_request_before_it_answers_it(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await boot(peer, "ocpp2.1")
            asking = asyncio.create_task(rig.csms.station("CP1").call("UpdateFirmware", request_of("ocpp2.1", 3)))
            sent = await peer.recv()
            await tell(peer, "FirmwareStatusNotification", "Downloading", 3)
            await peer.send(f'[3,"{sent[1]}",{{"status":"Accepted"}}]')
            await asking

    assert wrong(play(story)) == []


@pytest.mark.parametrize(
    ("last", "said", "fits"),
    [
        ("Installed", "Idle", True),
        ("Installing", "Installing", True),
        ("Installing", "Idle", False),
        ("DownloadFailed", "Idle", False),
    ],
)
def test_what_is_told_when_it_is_asked_for(play: Play, last: str, said: str, fits: bool) -> None:
    """2.x L01.FR.25, L01.FR.26."""
    courses = {"DownloadFailed": "DownloadFailed", "Installing": "Downloading Downloaded Installing"}
    courses["Installed"] = courses["Installing"] + " Installed"

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await boot(peer, "ocpp2.0.1")
            await asked(rig, peer, "UpdateFirmware", request_of("ocpp2.0.1", 1), {"status": "Accepted"})
            await tell(peer, "FirmwareStatusNotification", courses[last], 1)
            wanted = {"requestedMessage": "FirmwareStatusNotification"}
            await asked(rig, peer, "TriggerMessage", wanted, {"status": "Accepted"})
            await tell(peer, "FirmwareStatusNotification", said, None if said == "Idle" else 1)

    assert wrong(play(story)) == ([] if fits else [("StatusOrder", "Idle")])


def test_an_update_over_a_restart_of_the_station(play: Play) -> None:
    """What it could not tell while it was away is not missed, and nothing goes backwards."""

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await boot(peer, "ocpp2.0.1")
            await asked(rig, peer, "UpdateFirmware", request_of("ocpp2.0.1", 1), {"status": "Accepted"})
            await tell(peer, "FirmwareStatusNotification", "Downloading", 1)
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await boot(peer, "ocpp2.0.1")
            await tell(peer, "FirmwareStatusNotification", "Installing Downloaded", 1)

    assert wrong(play(story)) == [("StatusOrder", "Downloaded")]


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
def test_logs(play: Play, version: str) -> None:
    wanted = {"requestId": 4, "logType": "DiagnosticsLog", "log": {"remoteLocation": URL}}

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[version]) as peer:
            await boot(peer, version)
            await asked(rig, peer, "GetLog", wanted, {"status": "Accepted"})
            await tell(peer, "LogStatusNotification", "Uploading UploadFailure Uploading Uploaded Uploading", 4)
            await tell(peer, "LogStatusNotification", "Uploading")

    rig = play(story)
    assert [event.data["status"] for event in rig.all("ocpp.log", kind="log", request_id=4)][-2:] == [
        "Uploaded",
        "Uploading",
    ]
    assert wrong(rig) == [("StatusOrder", "Uploading"), ("MissingRequestId", "Uploading")]


def test_an_unsigned_update_and_diagnostics_in_16(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer() as peer:
            await peer.boot()
            # Left over from before the back end was started: nothing is known of it.
            await tell(peer, "FirmwareStatusNotification", "Installed")
            await asked(rig, peer, "UpdateFirmware", {"location": URL, "retrieveDate": "2026-11-21T10:00:00Z"}, {})
            await tell(peer, "FirmwareStatusNotification", "Downloading Downloaded Installing Installed Downloaded")
            await asked(rig, peer, "GetDiagnostics", {"location": URL}, {"fileName": "x"})
            await tell(peer, "DiagnosticsStatusNotification", "Uploaded Idle")

    rig = play(story)
    assert wrong(rig) == [("StatusOrder", "Downloaded"), ("StatusOrder", "Uploaded"), ("UnaskedStatus", "Idle")]
    assert rig.one("ocpp.log", status="Uploaded").data["kind"] == "diagnostics"
    assert rig.one("ocpp.log", status="Uploaded").data["request_id"] is None


def test_publishing_needs_a_location(play: Play) -> None:
    wanted = {"requestId": 2, "location": URL, "checksum": "0" * 32}
    action = "PublishFirmwareStatusNotification"

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await boot(peer, "ocpp2.1")
            await asked(rig, peer, "PublishFirmware", wanted, {"status": "Accepted"})
            await tell(peer, action, "Downloading Downloaded ChecksumVerified", 2)
            await peer.call(action, {"status": "Published", "requestId": 2, "location": [URL]})
            await tell(peer, action, "Published", 2)

    rig = play(story)
    assert wrong(rig) == [("MissingLocation", "Published")]
    assert len(rig.all("ocpp.firmware", via=action, status="Published")) == 2


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
def test_the_password_of_an_upload_is_in_no_event(play: Play, tmp_path: Path, version: str) -> None:
    password: list[str] = []

    async def story(rig: Any) -> None:
        slot = FileDesk(rig.timeline.source("csms"), tmp_path).log_slot("CP1", basic=True)
        password.append(urlsplit(slot.url).password or "")
        async with rig.peer(subprotocols=[version]) as peer:
            await boot(peer, version)
            asking = asyncio.create_task(rig.csms.station("CP1").verbs.get_log(slot.url))
            sent = await peer.answer("GetLog", {"status": "Accepted"})
            assert password[0] in sent["log"]["remoteLocation"]
            await asking

    rig = play(story)
    assert len(password[0]) >= 20
    assert not [event for event in rig.timeline.events() if password[0] in f"{event.raw}{event.data}"]


# the whole of an update: offered, signed, asked for, fetched, verified


def verify(certificate: str, signature: str, content: bytes, scheme: Scheme) -> None:
    """As a station would (L01.FR.04); written without anything of the signing side."""
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    raw = base64.b64decode(signature, validate=True)
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(raw, content, ec.ECDSA(hashes.SHA256()))
        return
    assert isinstance(key, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)
    key.verify(raw, content, pss if scheme == "rsa-pss" else padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
def test_a_signed_update_from_offer_to_signature(play: Play, tmp_path: Path, version: str) -> None:
    content = bytes(range(256)) * 500
    seen: dict[str, Any] = {}

    def fetch(url: str) -> bytes:
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
        connection.request("GET", place.path)
        got = connection.getresponse().read()
        connection.close()
        return got

    async def story(rig: Any) -> None:
        pki = Pki(tmp_path / "pki")
        signer = FirmwareSigner(*pki.make_firmware_signer("Maker"))
        desk = FileDesk(rig.timeline.source("csms"), tmp_path / "uploads")
        await desk.start()
        try:
            firmware = await desk.firmware("fw-2.bin", content, sign=signer, station="CP1")
            async with rig.peer(subprotocols=[version]) as peer:
                await boot(peer, version)
                verbs = rig.csms.station("CP1").verbs
                updating = asyncio.create_task(
                    verbs.update_firmware(firmware.url, certificate=firmware.certificate, signature=firmware.signature)
                )
                action = "SignedUpdateFirmware" if version == "ocpp1.6" else "UpdateFirmware"
                seen.update(await peer.answer(action, {"status": "Accepted"}))
                answer = await updating
                assert answer.request_id == seen["requestId"]
                seen["content"] = await asyncio.to_thread(fetch, seen["firmware"]["location"])
        finally:
            await desk.close()
        seen["root"] = pki.manufacturer_root_pem

    rig = play(story)
    told = seen["firmware"]
    assert seen["content"] == content
    verify(told["signingCertificate"], told["signature"], content, "rsa-pss")
    with pytest.raises(InvalidSignature):
        verify(told["signingCertificate"], told["signature"], content[:-1] + b"?", "rsa-pss")
    signing = x509.load_pem_x509_certificate(told["signingCertificate"].encode())
    signing.verify_directly_issued_by(x509.load_pem_x509_certificate(seen["root"].encode()))
    assert signing.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)[0].value == "Maker"
    assert (len(told["signature"]) <= 800, len(told["signingCertificate"]) <= 5500) == (True, True)
    assert rig.one("csms.file").data["ok"] is True
    assert wrong(rig) == []


@pytest.mark.parametrize(("ec_key", "scheme"), [(False, "rsa-pkcs1"), (False, "rsa-pss"), (True, "ecdsa")])
def test_every_kind_of_signature(tmp_path: Path, ec_key: bool, scheme: Scheme) -> None:
    import hashlib

    certificate, key = Pki(tmp_path / "pki").make_firmware_signer(ec_key=ec_key)
    signature = FirmwareSigner(certificate, key, scheme=scheme).sign(hashlib.sha256(b"firmware").digest())
    verify(certificate, signature, b"firmware", scheme)
    with pytest.raises(InvalidSignature):
        verify(certificate, signature, b"Firmware", scheme)


def test_what_cannot_sign(tmp_path: Path) -> None:
    pki = Pki(tmp_path / "pki")
    certificate, key = pki.make_firmware_signer(ec_key=True)
    with pytest.raises(CsmsError, match="rsa-pss is not for an EC key"):
        FirmwareSigner(certificate, key, scheme="rsa-pss")
    with pytest.raises(CsmsError, match="does not belong"):
        FirmwareSigner(certificate, pki.make_firmware_signer(ec_key=True)[1])
    with pytest.raises(CsmsError, match="must be PEM"):
        FirmwareSigner("certificate", key)
    expired = x509.load_pem_x509_certificate(pki.make_firmware_signer(ec_key=True, expired=True)[0].encode())
    assert expired.not_valid_after_utc < datetime.now(UTC) - timedelta(hours=1)
