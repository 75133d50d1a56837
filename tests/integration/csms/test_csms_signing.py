"""Certificates that stations ask for, over the wire: signed, in order, out of order, wrong on purpose, refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.x509 import load_pem_x509_certificate
from pilotbench.bench.csms.security.pki import Pki
from pilotbench.errors import CsmsError

from certificate_requests import common_name, holds, leaf, new_key, request_for, weak_key

Play = Callable[..., Any]
PROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
BOOT_2X = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M", "serialNumber": "SN-77"}}
BOOT_16 = {"chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "SN-77"}
ACCEPTED = {"status": "Accepted"}


@pytest.fixture
def pki(tmp_path: Path) -> Pki:
    return Pki(tmp_path / "pki")


async def booted(peer: Any, version: str) -> None:
    answer = await peer.call("BootNotification", BOOT_16 if version == "1.6" else BOOT_2X)
    assert answer[2]["status"] == "Accepted"


async def ask(peer: Any, key: Any, name: str = "CP1", **more: Any) -> dict[str, Any]:
    """SignCertificate; returns the answer's payload."""
    frame = await peer.call("SignCertificate", {"csr": request_for(key, name), **more})
    assert frame[0] == 3, frame
    return frame[2]


async def quiet(peer: Any) -> None:
    """Nothing was on its way: the next frame is the answer to this."""
    assert (await peer.call("Heartbeat", {}))[0] == 3


def codes(rig: Any) -> list[str]:
    return [event.data["code"] for event in rig.all("ocpp.violation")]


def excuses(rig: Any) -> list[str]:
    """What the back end did wrong, without what it has made good since."""
    deeds = rig.all("csms.misbehaviour")
    ended = {id_ for event in deeds for id_ in event.data["of"]}
    return [e.data["what"] for e in deeds if e.data["until_ns"] is not None and e.id not in ended]


@pytest.mark.parametrize("version", PROTOCOLS)
def test_a_request_is_signed_and_the_certificate_sent(play: Play, pki: Pki, version: str) -> None:
    key = new_key()
    sent: list[dict[str, Any]] = []

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            assert await ask(peer, key, "SN-77") == ACCEPTED
            sent.append(await peer.answer("CertificateSigned", ACCEPTED))
            await quiet(peer)
            await rig.seen("csms.certificate", verb="installed")

    rig = play(story, pki=pki)
    assert set(sent[0]) == {"certificateChain"}
    certificate = leaf(sent[0]["certificateChain"])
    assert holds(sent[0]["certificateChain"], key)
    assert common_name(certificate) == "SN-77"
    certificate.verify_directly_issued_by(load_pem_x509_certificate(pki.root_pem.encode()))
    told = rig.all("csms.certificate")
    assert [(e.data["verb"], e.data["accepted"]) for e in told] == [
        ("requested", True),
        ("signed", True),
        ("installed", True),
    ]
    assert len({e.data["key"] for e in told}) == 1
    assert told[1].data["serial"] == f"{certificate.serial_number:x}"
    assert told[0].stamp == rig.one("ocpp.call", action="SignCertificate").stamp
    assert rig.one("ocpp.result", action="SignCertificate").data["by"] == "behaviour"
    assert not codes(rig)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_certificate_towards_vehicles_comes_from_the_v2g_root(play: Play, pki: Pki, version: str) -> None:
    sent: list[dict[str, Any]] = []

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            assert await ask(peer, new_key(), "DE*SECC*1", certificateType="V2GCertificate") == ACCEPTED
            sent.append(await peer.answer("CertificateSigned", ACCEPTED))

    play(story, pki=pki)
    assert sent[0]["certificateType"] == "V2GCertificate"
    pems = sent[0]["certificateChain"].split("-----END CERTIFICATE-----\n")[:-1]
    below, above = (load_pem_x509_certificate(f"{pem}-----END CERTIFICATE-----\n".encode()) for pem in pems)
    below.verify_directly_issued_by(above)
    above.verify_directly_issued_by(load_pem_x509_certificate(pki.v2g_root_pem.encode()))


def test_in_2_1_several_renewals_are_answered_out_of_order_each_under_its_id(play: Play, pki: Pki) -> None:
    keys = {11: new_key(), 12: new_key(), 13: new_key()}
    sent: list[dict[str, Any]] = []

    async def story(rig: Any) -> None:
        desk = rig.csms.certificates
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            desk.hold("CP1")
            for number, key in keys.items():
                more = {"certificateType": "ChargingStationCertificate", "requestId": number}
                assert await ask(peer, key, **more) == ACCEPTED
            await quiet(peer)
            assert [one.request_id for one in desk.held("CP1")] == [11, 12, 13]
            with pytest.raises(CsmsError, match="held are: 11, 12, 13"):
                desk.release("CP1", 99)
            desk.release("CP1", 13, 11)
            sent.append(await peer.answer("CertificateSigned", ACCEPTED))
            sent.append(await peer.answer("CertificateSigned", {"status": "Rejected"}))
            await quiet(peer)
            desk.release("CP1")
            sent.append(await peer.answer("CertificateSigned", ACCEPTED))
            await rig.seen("csms.certificate", verb="installed", request_id=12)

    rig = play(story, pki=pki)
    assert [payload["requestId"] for payload in sent] == [13, 11, 12]
    for payload in sent:
        assert holds(payload["certificateChain"], keys[payload["requestId"]])
    installed = {e.data["request_id"]: e.data["accepted"] for e in rig.all("csms.certificate", verb="installed")}
    assert installed == {13: True, 11: False, 12: True}
    assert not codes(rig)
    begun = [e for e in rig.all("csms.misbehaviour", what="delay") if not e.data["of"]]
    assert {(e.data["station"], e.data["action"]) for e in begun} == {("CP1", "CertificateSigned")}
    assert (len(begun), excuses(rig)) == (3, [])


def test_in_2_1_a_held_renewal_stops_no_later_one(play: Play, pki: Pki) -> None:
    async def story(rig: Any) -> None:
        desk = rig.csms.certificates
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            desk.sign_next("CP1", delay_s=0.3)
            assert await ask(peer, new_key(), requestId=1) == ACCEPTED
            assert await ask(peer, new_key(), requestId=2) == ACCEPTED
            assert (await peer.answer("CertificateSigned", ACCEPTED))["requestId"] == 2
            assert (await peer.answer("CertificateSigned", ACCEPTED))["requestId"] == 1

    rig = play(story, pki=pki)
    assert not codes(rig)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_without_ids_one_of_a_type_is_under_way_and_a_second_is_warned_of(play: Play, pki: Pki, version: str) -> None:
    first, second, other = new_key(), new_key(), new_key()
    sent: list[str] = []

    async def story(rig: Any) -> None:
        desk = rig.csms.certificates
        typed = {} if version == "1.6" else {"certificateType": "ChargingStationCertificate"}
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            desk.hold("CP1")
            for key in (first, second):
                assert await ask(peer, key, **typed) == ACCEPTED
            keys = [one.key for one in desk.held("CP1")]
            # Released before the first, the second still waits for it: the station tells them by type and key only.
            desk.release("CP1", keys[1])
            await quiet(peer)
            if version == "2.0.1":
                assert await ask(peer, other, certificateType="V2GCertificate") == ACCEPTED
            desk.release("CP1")
            for _ in range(2 if version == "1.6" else 3):
                sent.append((await peer.answer("CertificateSigned", ACCEPTED))["certificateChain"])

    rig = play(story, pki=pki)
    wanted = [first, second] if version == "1.6" else [first, other, second]
    assert [holds(chain, key) for chain, key in zip(sent, wanted, strict=True)] == [True] * len(wanted)
    assert codes(rig) == ["SecondSignCertificate"]
    warned = rig.all("csms.certificate", verb="requested")[1].data
    assert "second request with another key" in warned["why"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_an_id_where_the_version_has_none_is_recorded_and_never_sent_back(play: Play, pki: Pki, version: str) -> None:
    key = new_key()
    sent: list[dict[str, Any]] = []

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            assert await ask(peer, key, requestId=5) == ACCEPTED
            sent.append(await peer.answer("CertificateSigned", ACCEPTED))

    rig = play(story, pki=pki)
    assert codes(rig) == ["FormationViolation" if version == "1.6" else "FormatViolation"]
    assert "requestId" in rig.one("ocpp.violation").data["text"]
    assert set(sent[0]) == {"certificateChain"}
    assert holds(sent[0]["certificateChain"], key)
    assert {e.data["request_id"] for e in rig.all("csms.certificate")} == {None}


def test_a_strict_back_end_refuses_the_id(play: Play, pki: Pki) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            frame = await peer.call("SignCertificate", {"csr": request_for(new_key()), "requestId": 5})
            assert (frame[0], frame[2]) == (4, "FormatViolation")
            await quiet(peer)

    rig = play(story, pki=pki, settings={"strict": True})
    assert not rig.all("csms.certificate")


@pytest.mark.parametrize("version", PROTOCOLS)
@pytest.mark.parametrize(
    ("csr", "why"),
    [
        (lambda: "rubbish", "no PEM"),
        (lambda: request_for(new_key(), "CP2"), "the CN of the request is 'CP2'"),
        (lambda: request_for(weak_key()), "1024 bits"),
    ],
    ids=["rubbish", "name", "key"],
)
def test_an_unusable_request_is_rejected_with_its_reason(
    play: Play, pki: Pki, version: str, csr: Callable[[], str], why: str
) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            answer = (await peer.call("SignCertificate", {"csr": csr()}))[2]
            assert answer["status"] == "Rejected"
            if version != "1.6":
                assert answer["statusInfo"]["reasonCode"] == "InvalidCSR"
                assert why in answer["statusInfo"]["additionalInfo"]
            await quiet(peer)

    rig = play(story, pki=pki)
    told = rig.one("csms.certificate").data
    assert (told["verb"], told["accepted"]) == ("requested", False)
    assert why in told["why"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_type_that_the_version_has_not_is_rejected(play: Play, pki: Pki, version: str) -> None:
    kind = "V2G20Certificate"

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            answer = await ask(peer, new_key(), "SECC", certificateType=kind)
            assert answer["status"] == ("Rejected" if version == "2.0.1" else "Accepted")
            if version == "2.1":
                assert (await peer.answer("CertificateSigned", ACCEPTED))["certificateType"] == kind
            await quiet(peer)

    rig = play(story, pki=pki)
    assert codes(rig) == (["PropertyConstraintViolation"] if version == "2.0.1" else [])


def test_a_request_for_another_authority_is_rejected(play: Play, pki: Pki) -> None:
    foreign = {"hashAlgorithm": "SHA256", "issuerNameHash": "a" * 64, "issuerKeyHash": "b" * 64, "serialNumber": "1f"}

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            answer = await ask(peer, new_key(), certificateType="V2GCertificate", hashRootCertificate=foreign)
            assert answer["status"] == "Rejected"
            assert "serial number 1f" in answer["statusInfo"]["additionalInfo"]

    play(story, pki=pki)


def test_without_an_authority_every_request_is_rejected(play: Play) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            assert (await ask(peer, new_key()))["status"] == "Rejected"
        with pytest.raises(CsmsError, match="no certificate authority"):
            _ = rig.csms.certificates

    rig = play(story)
    assert rig.one("csms.certificate").data["why"] == "this back end has no certificate authority"


@pytest.mark.parametrize("wish", ["expired", "not_yet_valid", "wrong_key", "wrong_name", "wrong_root"])
def test_a_certificate_is_wrong_in_just_the_way_that_was_asked_for(play: Play, pki: Pki, wish: str) -> None:
    key = new_key()
    sent: list[str] = []

    async def story(rig: Any) -> None:
        rig.csms.certificates.sign_next(**{wish: True})
        async with rig.peer(subprotocols=["ocpp2.1"]) as peer:
            await booted(peer, "2.1")
            for answer in ("Rejected", "Accepted"):
                assert await ask(peer, key, requestId=4) == ACCEPTED
                sent.append((await peer.answer("CertificateSigned", {"status": answer}))["certificateChain"])
                await rig.seen("csms.certificate", verb="installed", status=answer)
                assert excuses(rig) == (["reply"] if answer == "Rejected" else [])

    rig = play(story, pki=pki)
    now, root = datetime.now(UTC), load_pem_x509_certificate(pki.root_pem.encode())
    for chain, spoiled in zip(sent, (wish, None), strict=True):
        certificate = leaf(chain)
        assert (certificate.not_valid_after_utc < now) == (spoiled == "expired")
        assert (certificate.not_valid_before_utc > now) == (spoiled == "not_yet_valid")
        assert holds(chain, key) == (spoiled != "wrong_key")
        assert (common_name(certificate) == "CP1") == (spoiled != "wrong_name")
        try:
            certificate.verify_directly_issued_by(root)
            signed = True
        except InvalidSignature:
            signed = False
        assert signed == (spoiled != "wrong_root")
    assert excuses(rig) == []
    told = rig.one("csms.misbehaviour", what="reply").data
    assert (told["station"], told["action"]) == ("CP1", "CertificateSigned")
    installed = rig.all("csms.certificate", verb="installed")
    assert [e.data["accepted"] for e in installed] == [False, True]
    assert not codes(rig)


@pytest.mark.parametrize(
    ("wait_s", "repeats", "found"),
    [(None, None, []), (60, None, ["SignCertificateTooSoon"]), (0, 0, ["SignCertificateTooOften"])],
)
def test_a_repeated_request_is_measured_by_what_the_station_says_of_itself(
    play: Play, pki: Pki, wait_s: int | None, repeats: int | None, found: list[str]
) -> None:
    def variable(name: str, value: int) -> dict[str, Any]:
        place = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": name}}
        return {"attributeStatus": "Accepted", "attributeValue": str(value), **place}

    said = {"CertSigningWaitMinimum": wait_s, "CertSigningRepeatTimes": repeats}
    results = [variable(name, value) for name, value in said.items() if value is not None]

    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            if results:
                wanted = [{"component": r["component"], "variable": r["variable"]} for r in results]
                asking = asyncio.create_task(rig.csms.station("CP1").call("GetVariables", {"getVariableData": wanted}))
                await peer.answer("GetVariables", {"getVariableResult": results})
                await asking
            rig.csms.certificates.sign_next(never=True)
            rig.csms.certificates.sign_next(never=True)
            key = new_key()
            for _ in range(3):
                assert await ask(peer, key) == ACCEPTED
            await peer.answer("CertificateSigned", ACCEPTED)
            await rig.seen("csms.certificate", verb="installed")
            # What was answered is repeated no more.
            assert await ask(peer, new_key()) == ACCEPTED
            await peer.answer("CertificateSigned", ACCEPTED)

    rig = play(story, pki=pki)
    assert sorted(set(codes(rig))) == found
    remarks = [e.data["why"] or "" for e in rig.all("csms.certificate", verb="requested")]
    assert ["repetition" in remark for remark in remarks] == [False, True, True, False]
    assert [e.data["what"] for e in rig.all("csms.misbehaviour")] == ["silence", "silence", "restored"]
    assert excuses(rig) == []


def test_a_new_boot_begins_anew(play: Play, pki: Pki) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            rig.csms.certificates.sign_next(never=True)
            assert await ask(peer, new_key()) == ACCEPTED
            await booted(peer, "2.0.1")
            assert await ask(peer, new_key()) == ACCEPTED
            await peer.answer("CertificateSigned", ACCEPTED)

    rig = play(story, pki=pki)
    assert not codes(rig)


@pytest.mark.parametrize(("version", "most"), [("1.6", 300), ("2.1", 300), ("2.1", 9000)])
def test_a_chain_that_is_too_long_is_recorded_and_sent(play: Play, pki: Pki, version: str, most: int) -> None:
    async def story(rig: Any) -> None:
        async with rig.peer(subprotocols=[PROTOCOLS[version]]) as peer:
            await booted(peer, version)
            if version == "1.6":
                action, asked = "GetConfiguration", {"key": ["CertificateSignedMaxChainSize"]}
                entry = {"key": "CertificateSignedMaxChainSize", "value": str(most), "readonly": True}
                answer: dict[str, Any] = {"configurationKey": [entry]}
            else:
                place = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "MaxCertificateChainSize"}}
                action, asked = "GetVariables", {"getVariableData": [place]}
                result = {"attributeStatus": "Accepted", "attributeValue": str(most), **place}
                answer = {"getVariableResult": [result]}
            asking = asyncio.create_task(rig.csms.station("CP1").call(action, asked))
            await peer.answer(action, answer)
            await asking
            assert await ask(peer, new_key()) == ACCEPTED
            await peer.answer("CertificateSigned", {"status": "Rejected"})
            await rig.seen("csms.certificate", verb="installed")

    rig = play(story, pki=pki)
    assert codes(rig) == (["ChainTooLong"] if most == 300 else [])
    if most == 300:
        assert rig.one("ocpp.violation").data["dir"] == "tx"


def test_what_no_station_takes_holds_up_nothing(play: Play, pki: Pki) -> None:
    async def story(rig: Any) -> None:
        desk = rig.csms.certificates
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            desk.hold()
            assert await ask(peer, new_key()) == ACCEPTED
        await rig.seen("ocpp.disconnected")
        desk.release()
        lost = await rig.seen("csms.certificate", verb="installed")
        assert lost.data["accepted"] is False
        assert "not connected" in lost.data["why"]
        async with rig.peer(subprotocols=["ocpp2.0.1"]) as peer:
            await booted(peer, "2.0.1")
            assert await ask(peer, new_key()) == ACCEPTED
            frame = await peer.recv()
            await peer.send(json.dumps([4, frame[1], "InternalError", "no room", {}]))
            refused = await rig.seen("csms.certificate", since_ns=lost.stamp.order_ns + 1, verb="installed")
            assert refused.data["status"] == "CallRefused"

    play(story, pki=pki)
