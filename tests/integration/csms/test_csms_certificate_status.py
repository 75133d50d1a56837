"""Whether certificates are good, which a station has, and contract certificates of vehicles, over the wire."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from pilotbench.bench.csms.certificates.installed import Installed
from pilotbench.bench.csms.security.pki import Pki

from certificate_requests import hash_data, leaf, new_key, request_for

Play = Callable[..., Any]
PROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
BOOT = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
BOOT_16 = {"chargePointVendor": "V", "chargePointModel": "M"}
FOREIGN = {"hashAlgorithm": "SHA256", "issuerNameHash": "ab" * 32, "issuerKeyHash": "cd" * 32, "serialNumber": "1f"}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


def certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


async def booted(peer: Any, version: str) -> None:
    await peer.call("BootNotification", BOOT_16 if version == "1.6" else BOOT)


async def ocsp_answer(peer: Any, data: dict[str, str]) -> dict[str, Any]:
    asked = {"ocspRequestData": {**data, "responderURL": "http://ocsp.invalid"}}
    return (await peer.call("GetCertificateStatus", asked))[2]


@pytest.mark.parametrize(("version", "algorithm"), [("2.0.1", "SHA256"), ("2.1", "SHA256"), ("2.1", "SHA512")])
@pytest.mark.parametrize("issued", ["station", "v2g", "sub-ca", "contract"])
def test_of_our_own_certificates_there_is_a_signed_ocsp_response(
    play: Play, pki: Pki, version: str, algorithm: str, issued: str
) -> None:
    chain = pki.sign_v2g(request_for(new_key(), "SECC"))
    found = {
        "station": (leaf(pki.sign_station(request_for(new_key()), station="CP1")), certificate(pki.root_pem)),
        "v2g": tuple(x509.load_pem_x509_certificates(chain.encode())),
        "sub-ca": (x509.load_pem_x509_certificates(chain.encode())[1], certificate(pki.v2g_root_pem)),
        "contract": (leaf(pki.make_contract("DE-8AA-1")[0]), certificate(pki.mo_root_pem)),
    }
    one, issuer = found[issued]
    data = hash_data(one, issuer, algorithm)
    answers: list[dict[str, Any]] = []

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            answers.append(await ocsp_answer(peer, data))
            rig.csms.certificates.revoke(data["serialNumber"])
            # Letters count alike in both cases.
            answers.append(await ocsp_answer(peer, {**data, "issuerKeyHash": data["issuerKeyHash"].upper()}))
            rig.csms.certificates.pardon(data["serialNumber"])
            answers.append(await ocsp_answer(peer, data))

    rig = play(story, pki=pki)
    wanted = [ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.GOOD]
    now = datetime.now(UTC)
    for answer, status in zip(answers, wanted, strict=True):
        assert answer["status"] == "Accepted"
        response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
        assert response.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL
        assert response.certificate_status == status
        assert response.serial_number == one.serial_number
        assert response.issuer_key_hash.hex() == data["issuerKeyHash"]
        assert response.this_update_utc <= now < (response.next_update_utc or now) <= now + timedelta(days=7)
        key, signed_by = issuer.public_key(), response.signature_hash_algorithm
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert signed_by is not None
        key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(signed_by))
    assert not rig.all("ocpp.violation")
    assert [e.data["accepted"] for e in rig.all("csms.certificate", verb="checked", type="ocsp")] == [True] * 3


@pytest.mark.parametrize("broken", [{}, {"issuerKeyHash": "no hash"}], ids=["foreign", "rubbish"])
@pytest.mark.parametrize("authority", [True, False])
def test_of_others_there_is_none(play: Play, pki: Pki, broken: dict[str, str], authority: bool) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            answer = await ocsp_answer(peer, {**FOREIGN, **broken})
            assert answer["status"] == "Failed"
            assert "ocspResult" not in answer

    rig = play(story, **({"pki": pki} if authority else {}))
    assert rig.one("csms.certificate", verb="checked").data["accepted"] is False


@pytest.mark.parametrize(
    ("serial", "status"),
    [
        ("0", "Accepted"),
        ("0001", "Accepted"),
        ("f" * 128, "Accepted"),
        ("-1", "Failed"),
        ("1_0", "Failed"),
        ("", "Failed"),
    ],
)
def test_serial_numbers_of_any_form_are_answered(play: Play, pki: Pki, serial: str, status: str) -> None:
    root = certificate(pki.root_pem)

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            answer = await ocsp_answer(peer, {**hash_data(root, root), "serialNumber": serial})
            assert answer["status"] == status
            if status == "Accepted":
                response = ocsp.load_der_ocsp_response(base64.b64decode(answer["ocspResult"]))
                assert response.serial_number == int(serial, 16)

    play(story, pki=pki)


def test_in_2_1_the_chain_of_a_vehicle_is_checked_entry_by_entry(play: Play, pki: Pki) -> None:
    mo_root = certificate(pki.mo_root_pem)
    good, gone = (hash_data(leaf(pki.make_contract(name)[0]), mo_root) for name in ("DE-8AA-1", "DE-8AA-2"))

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            rig.csms.certificates.revoke(gone["serialNumber"])
            named = [(good, "OCSP"), (gone, "CRL"), (FOREIGN, "OCSP")]
            asked = [{"certificateHashData": d, "source": s, "urls": ["http://x.invalid"]} for d, s in named]
            frame = await peer.call("GetCertificateChainStatus", {"certificateStatusRequests": asked})
            told = frame[2]["certificateStatus"]
            assert [(e["certificateHashData"], e["source"]) for e in told] == named
            assert [e["status"] for e in told] == ["Good", "Revoked", "Failed"]
            until = [datetime.fromisoformat(e["nextUpdate"]) - datetime.now(UTC) for e in told]
            assert timedelta(days=6) < until[0] <= timedelta(days=7)
            assert until[2] < timedelta(seconds=1)

    rig = play(story, pki=pki)
    assert [e.data["status"] for e in rig.all("csms.certificate", verb="checked")] == ["Good", "Revoked", "Failed"]


@pytest.mark.parametrize(
    ("token", "revoked", "status", "answered"),
    [("TAG", False, "Accepted", "Accepted"), ("TAG", True, "CertificateRevoked", "Invalid")],
)
def test_a_contract_opens_a_charge(play: Play, pki: Pki, token: str, revoked: bool, status: str, answered: str) -> None:
    contract = leaf(pki.make_contract("DE-8AA-1")[0])
    data = {**hash_data(contract, certificate(pki.mo_root_pem)), "responderURL": "http://ocsp.invalid"}

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            if revoked:
                rig.csms.certificates.revoke(data["serialNumber"])
            asked = {"idToken": {"idToken": token, "type": "eMAID"}, "iso15118CertificateHashData": [data]}
            answer = (await peer.call("Authorize", asked))[2]
            assert (answer["certificateStatus"], answer["idTokenInfo"]["status"]) == (status, answered)

    rig = play(story, pki=pki)
    told = rig.one("csms.certificate", verb="checked").data
    assert (told["type"], told["via"], told["status"]) == ("contract", "Authorize", status)


def ev_request(number: int = 1, **more: Any) -> dict[str, Any]:
    schema, exi = "urn:iso:15118:2:2013:MsgDef", base64.b64encode(b"request %d" % number).decode()
    return {"iso15118SchemaVersion": schema, "action": "Install", "exiRequest": exi, **more}


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_vehicle_gets_what_the_test_provides_and_nothing_else(play: Play, pki: Pki, version: str) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            answer = (await peer.call("Get15118EVCertificate", ev_request()))[2]
            assert (answer["status"], answer["exiResponse"]) == ("Failed", "")
            rig.csms.certificates.provide([b"\x80\x98answer"])
            for _ in range(2):
                answer = (await peer.call("Get15118EVCertificate", ev_request()))[2]
                assert answer["status"] == "Accepted"
                assert base64.b64decode(answer["exiResponse"]) == b"\x80\x98answer"
                assert "remainingContracts" not in answer

    rig = play(story, pki=pki)
    assert not rig.all("ocpp.violation")
    assert [e.data["accepted"] for e in rig.all("csms.certificate", verb="provided")] == [False, True, True]


def test_in_2_1_a_vehicle_fetches_several_contracts_one_by_one(play: Play, pki: Pki) -> None:
    async def fetch(peer: Any, most: int, number: int = 1) -> tuple[Any, ...]:
        payload = ev_request(number, maximumContractCertificateChains=most)
        answer = (await peer.call("Get15118EVCertificate", payload))[2]
        return answer["status"], base64.b64decode(answer["exiResponse"]), answer["remainingContracts"]

    async def story(rig: Any) -> None:
        rig.csms.certificates.provide([b"one", b"two", b"three"], station="CP1")
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            assert await fetch(peer, 2) == ("Accepted", b"one", 1)
            assert await fetch(peer, 2) == ("Accepted", b"two", 0)
            assert await fetch(peer, 2) == ("Failed", b"", 0)
            assert await fetch(peer, 8, number=2) == ("Accepted", b"one", 2)

    rig = play(story, pki=pki)
    assert not rig.all("ocpp.violation")


@pytest.mark.parametrize("version", PROTOCOLS)
def test_what_a_station_has_is_kept_from_its_answers(play: Play, pki: Pki, version: str) -> None:
    root = certificate(pki.root_pem)
    data = hash_data(root, root)
    kind = "CentralSystemRootCertificate" if version == "1.6" else "CSMSRootCertificate"
    listed: dict[str, Any] = {"status": "Accepted", "certificateHashData": [data]}
    if version != "1.6":
        entry = {"certificateType": kind, "certificateHashData": data, "childCertificateHashData": [FOREIGN]}
        listed = {"status": "Accepted", "certificateHashDataChain": [entry]}
    steps: list[tuple[str, dict[str, Any], dict[str, Any], list[int]]] = [
        ("InstallCertificate", {"certificateType": kind, "certificate": pki.root_pem}, {"status": "Accepted"}, []),
        (
            "GetInstalledCertificateIds",
            {"certificateType": kind if version == "1.6" else [kind]},
            listed,
            [root.serial_number] if version == "1.6" else [root.serial_number, 0x1F],
        ),
        (
            "DeleteCertificate",
            {"certificateHashData": data},
            {"status": "Failed"},
            [root.serial_number] if version == "1.6" else [root.serial_number, 0x1F],
        ),
        (
            "DeleteCertificate",
            {"certificateHashData": data},
            {"status": "Accepted"},
            [] if version == "1.6" else [0x1F],
        ),
        (
            "GetInstalledCertificateIds",
            {"certificateType": kind if version == "1.6" else [kind]},
            {"status": "NotFound"},
            [],
        ),
    ]

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            link = rig.csms.station("CP1")
            for action, asked, answer, held in steps:
                asking = asyncio.create_task(link.call(action, asked))
                await peer.answer(action, answer)
                await asking
                assert [one.name.serial for one in link.service(Installed).held()] == held

    rig = play(story, pki=pki)
    told = [(e.data["verb"], e.data["accepted"], e.data["serial"]) for e in rig.all("csms.certificate")]
    ours = f"{root.serial_number:x}"
    assert told == [
        ("installed", True, ours),
        ("listed", True, ours),
        *([] if version == "1.6" else [("listed", True, "1f")]),
        ("deleted", False, ours),
        ("deleted", True, ours),
        ("listed", False, None),
    ]
    assert rig.all("csms.certificate", verb="deleted")[0].data["subject"] == root.subject.rfc4514_string()
