"""Passwords and security profiles that the back end changes, in each version, and how the station comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms.security import Security
from pilotbench.errors import CsmsError
from websockets.exceptions import InvalidStatus

from csms_security import Knock, basic, client_tls

Play = Callable[..., Any]

OLD, NEW = "00112233445566778899aabbccddeeff00112233", "ffeeddccbbaa99887766554433221100ffeeddcc"


def written(password: str, version: str) -> tuple[str, dict[str, Any], Callable[[str], dict[str, Any]]]:
    """The request that sets a password, and the answer to it with a status."""
    if version == "ocpp1.6":
        return "ChangeConfiguration", {"key": "AuthorizationKey", "value": password}, lambda status: {"status": status}
    name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    request = {"setVariableData": [{**name, "attributeValue": password}]}
    return "SetVariables", request, lambda status: {"setVariableResult": [{**name, "attributeStatus": status}]}


async def ask(rig: Any, ws: Any, action: str, payload: dict[str, Any], answer: dict[str, Any] | str | None) -> None:
    """The back end asks, the station answers: by a result, by an error of this code, or not at all."""
    asking = asyncio.create_task(rig.csms.station("CP1").call(action, payload, timeout_s=0.2 if answer is None else 5))
    frame = json.loads(await ws.recv())
    assert frame[2] == action
    if isinstance(answer, dict):
        await ws.send(json.dumps([3, frame[1], answer]))
    elif answer is not None:
        await ws.send(json.dumps([4, frame[1], answer, "", {}]))
    with contextlib.suppress(CsmsError):
        await asking


async def comes_in(rig: Any, password: str, version: str) -> bool:
    """Whether a station with this password is let in."""
    try:
        await Knock(rig.csms.url("CP1"), header=basic(password)).stay(version)
    except InvalidStatus as exc:
        return exc.response.status_code != 401
    return True


VERSIONS = pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])


@VERSIONS
@pytest.mark.parametrize(
    ("status", "lenient", "strict"),
    [
        ("Accepted", [OLD, NEW], [NEW]),
        ("RebootRequired", [OLD, NEW], [NEW]),
        ("Rejected", [OLD], [OLD]),
        ("error", [OLD], [OLD]),
        (None, [OLD, NEW], [OLD, NEW]),
    ],
)
def test_who_comes_in_after_a_change_of_the_password(
    play: Play, tmp_path: Path, version: str, status: str | None, lenient: list[str], strict: list[str]
) -> None:
    for is_strict, expected in ((False, lenient), (True, strict)):
        security = Security(tmp_path / f"{is_strict}", profile=1, passwords={"CP1": OLD})
        let_in: list[str] = []

        async def story(rig: Any, let_in: list[str] = let_in) -> None:
            async with Knock(rig.csms.url("CP1"), header=basic(OLD)).enter(version) as ws:
                action, request, answer = written(NEW, version)
                said = "InternalError" if status == "error" else None if status is None else answer(status)
                await ask(rig, ws, action, request, said)
            let_in += [password for password in (OLD, NEW) if await comes_in(rig, password, version)]
            if NEW in let_in:
                assert not await comes_in(rig, OLD, version)  # the new one was used: the old one is gone

        rig = play(story, security=security, settings={"strict": is_strict})
        assert let_in == expected, is_strict
        old_used = [event for event in rig.all("ocpp.violation") if event.data["code"] == "OldPassword"]
        assert len(old_used) == (status in ("Accepted", "RebootRequired") and not is_strict)
        everything = " ".join(f"{event.data} {event.raw}" for event in rig.timeline.events())
        assert NEW not in everything
        assert OLD not in everything


@VERSIONS
@pytest.mark.parametrize("form", ["text", "hex", "raw bytes"])
def test_how_the_password_was_written_is_told(play: Play, tmp_path: Path, version: str, form: str) -> None:
    password = "a-password-as-text" if form == "text" or version != "ocpp1.6" else OLD
    raw = password.encode() if password != OLD else bytes.fromhex(OLD)
    header = basic({"text": password, "hex": raw.hex(), "raw bytes": raw}[form])
    is_odd = (form == "text") == (version == "ocpp1.6")
    if form == "raw bytes" and version != "ocpp1.6":
        # The bytes of a text are the text; those of hexadecimal digits are not.
        password, header = OLD, basic(bytes.fromhex(OLD))
    security = Security(tmp_path / "s", profile=1, passwords={"CP1": password})

    async def story(rig: Any) -> None:
        await Knock(rig.csms.url("CP1"), header=header).stay(version)
        await rig.seen("ocpp.disconnected")

    rig = play(story, security=security)
    assert rig.one("ocpp.connected").data["auth"] == f"basic, user CP1, password as {form}"
    assert len(rig.all("ocpp.violation", code="PasswordForm")) == is_odd


def test_digits_that_are_the_very_text_are_right_in_2x(play: Play, tmp_path: Path) -> None:
    async def story(rig: Any) -> None:
        await Knock(rig.csms.url("CP1"), header=basic(OLD)).stay("ocpp2.0.1")
        await Knock(rig.csms.url("CP1"), header=basic(OLD.upper())).stay("ocpp2.0.1")
        await rig.seen("ocpp.disconnected")

    rig = play(story, security=Security(tmp_path / "s", profile=1, password=OLD))
    assert [event.data["auth"].rpartition(" ")[2] for event in rig.all("ocpp.connected")] == ["text", "hex"]
    assert len(rig.all("ocpp.violation", code="PasswordForm")) == 1


PRIORITY = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "NetworkConfigurationPriority"}}


async def raise_profile(rig: Any, ws: Any, version: str, profile: int) -> None:
    """The back end has the station change its security profile, and the station agrees."""
    if version == "ocpp1.6":
        request = {"key": "SecurityProfile", "value": str(profile)}
        await ask(rig, ws, "ChangeConfiguration", request, {"status": "Accepted"})
        return
    slot = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://x/",
        "messageTimeout": 30,
        "securityProfile": profile,
        "ocppInterface": "Wired0",
    }
    request = {"configurationSlot": 1, "connectionData": slot}
    await ask(rig, ws, "SetNetworkProfile", request, {"status": "Accepted"})
    answer = {"setVariableResult": [{**PRIORITY, "attributeStatus": "Accepted"}]}
    await ask(rig, ws, "SetVariables", {"setVariableData": [{**PRIORITY, "attributeValue": "1,0"}]}, answer)


@VERSIONS
@pytest.mark.parametrize("strict", [False, True])
def test_a_station_keeps_to_the_profile_it_agreed_to(play: Play, tmp_path: Path, version: str, strict: bool) -> None:
    security = Security(tmp_path / "s", profile=1, tls_port=0, passwords={"CP1": OLD})
    header = basic(OLD)

    async def story(rig: Any) -> None:
        plain = Knock(rig.csms.url("CP1"), header=header)
        async with plain.enter(version) as ws:
            await raise_profile(rig, ws, version, 2)
        await plain.stay(version)  # it may fall back as long as it never got through
        tls = client_tls(tmp_path, security.pki.root_pem)
        await Knock(rig.csms.url("CP1", tls=True), tls=tls, header=header).stay(version)
        if strict:
            with pytest.raises(InvalidStatus):
                await plain.stay(version)
        else:
            await plain.stay(version)
            await rig.seen("ocpp.disconnected")

    rig = play(story, security=security, settings={"strict": strict})
    assert [event.data["profile"] for event in rig.all("ocpp.connected")] == [1, 1, 2, *([] if strict else [1])]
    lowered = [event.data["text"] for event in rig.all("ocpp.violation", code="ProfileLowered")]
    assert ["it may fall back" in text for text in lowered] == ([True] if strict else [True, False])
    # After a restart too.
    assert Security(tmp_path / "s", profile=1).profiles.announced("CP1") == 2
    if strict:
        assert "has used security profile 2 and comes back with 1" in rig.one("ocpp.refused").data["reason"]


@VERSIONS
def test_a_station_that_agrees_to_a_lower_profile(play: Play, tmp_path: Path, version: str) -> None:
    security = Security(tmp_path / "s", profile=2, passwords={"CP1": OLD})

    async def story(rig: Any) -> None:
        tls = client_tls(tmp_path, security.pki.root_pem)
        async with Knock(rig.csms.url("CP1"), tls=tls, header=basic(OLD)).enter(version) as ws:
            await raise_profile(rig, ws, version, 1)

    rig = play(story, security=security)
    assert "agreed to security profile 1 and has 2" in rig.one("ocpp.violation", code="ProfileLowered").data["text"]
    assert security.profiles.announced("CP1") is None


def test_from_3_to_2_is_allowed_in_2x(play: Play, tmp_path: Path) -> None:
    security = Security(tmp_path / "s", profile=2)

    async def story(rig: Any) -> None:
        tls = client_tls(tmp_path, security.pki.root_pem, security.pki.make_station("CP1"))
        async with Knock(rig.csms.url("CP1"), tls=tls).enter("ocpp2.1") as ws:
            await raise_profile(rig, ws, "ocpp2.1", 2)

    rig = play(story, security=security)
    assert not rig.all("ocpp.violation", code="ProfileLowered")
    assert security.profiles.announced("CP1") == 2


def test_a_password_that_belongs_to_a_slot(play: Play, tmp_path: Path) -> None:
    """2.1: it is proposed with the slot, and used when the station changes to it; not at once."""
    security = Security(tmp_path / "s", profile=1, passwords={"CP1": "the-old-password-1"})
    slot = {
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "ws://x/",
        "messageTimeout": 30,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
        "basicAuthPassword": "the-password-of-slot-2",
    }

    async def story(rig: Any) -> None:
        async with Knock(rig.csms.url("CP1"), header=basic("the-old-password-1")).enter("ocpp2.1") as ws:
            request = {"configurationSlot": 2, "connectionData": slot}
            await ask(rig, ws, "SetNetworkProfile", request, {"status": "Accepted"})
        for password, expected in (
            ("the-old-password-1", True),
            ("the-password-of-slot-2", True),
            ("the-old-password-1", False),
        ):
            assert await comes_in(rig, password, "ocpp2.1") == expected

    rig = play(story, security=security)
    everything = " ".join(f"{event.data} {event.raw}" for event in rig.timeline.events())
    assert "the-password-of-slot-2" not in everything
