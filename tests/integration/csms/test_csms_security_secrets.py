"""No credential reaches the timeline, nor a recorded file: whole messages, broken ones, headers and URLs."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mcap.records import Attachment, Chunk
from mcap.stream_reader import StreamReader, get_chunk_data_stream
from pilotbench.bench.csms.security import Security
from pilotbench.bench.recording import Recorder
from pilotbench.errors import CsmsError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from csms_security import Knock, basic

Play = Callable[..., Any]

OLD, WRONG, NEW = "Old-passw0rd_of-CP1", "Wr0ng-guess_of-CP1", "New-passw0rd_of-CP1"
VPN, SIM, URL, PIN, PEM = "Vpn-shared-s3cret", "4711-0815", "upl0ad-Passw0rd", "135792468", "MHcCAQEEIBkg4Lwq"
SECRETS = (OLD, WRONG, NEW, VPN, SIM, URL, PIN, PEM)
LONE = "Basic " + base64.b64encode(WRONG.encode()).decode()
"""A password without a user."""
KEY_FILE = f"-----BEGIN EC PRIVATE KEY-----\n{PEM}\n-----END EC PRIVATE KEY-----\n"


def written(path: Path) -> bytes:
    """Everything that stands in a recorded file, unpacked."""
    pieces = [path.read_bytes()]
    with path.open("rb") as stream:
        for item in StreamReader(stream, emit_chunks=True).records:
            if isinstance(item, Chunk):
                pieces.append(get_chunk_data_stream(item)[0].read(10**9))
            elif isinstance(item, Attachment):
                pieces.append(item.data)
    return b"".join(pieces)


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("SetNetworkProfile", {"configurationSlot": 1, "connectionData": {
        "ocppTransport": "JSON", "ocppCsmsUrl": f"ws://CP1:{URL}@host/", "messageTimeout": 30, "securityProfile": 1,
        "ocppInterface": "Wired0", "basicAuthPassword": NEW,
        "vpn": {"server": "x", "user": "u", "password": VPN, "key": VPN, "type": "IKEv2"},
        "apn": {"apn": "x", "apnPassword": VPN, "simPin": 4711, "apnAuthentication": "PAP"},
    }}),
    ("SetVariables", {"setVariableData": [
        {"attributeValue": NEW, "component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}},
        {"attributeValue": VPN, "component": {"name": "NetworkConfiguration", "instance": "1"},
         "variable": {"name": "VpnPassword"}},
    ]}),
    ("GetLog", {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": f"https://lab:{URL}@host/x"}}),
    ("UpdateFirmware", {"requestId": 2, "firmware": {
        "location": f"ftp://lab:{URL}@host/x", "retrieveDateTime": "2026-11-21T10:00:00Z"}}),
    ("DataTransfer", {"vendorId": "x", "data": json.dumps({"passphrase": VPN, "pem": KEY_FILE})}),
    ("RequestStartTransaction", {"remoteStartId": 1, "idToken": {"idToken": PIN, "type": "KeyCode"}}),
]  # fmt: skip

HEARD = [
    json.dumps([2, "a", "DataTransfer", {"vendorId": "x", "data": KEY_FILE}]),
    json.dumps([2, "b", "DataTransfer", {"vendorId": "x", "data": f"Authorization: {basic(OLD)}"}]),
    json.dumps([2, "c", "DataTransfer", {"vendorId": "x", "data": {"wifiPassword": VPN, "sim-pin": SIM}}]),
    json.dumps([2, "d", "Authorize", {"idToken": {"idToken": PIN, "type": "KeyCode"}}]),
    json.dumps([2, "i", "Authorize", {"idToken": {"idToken": PIN * 40, "type": "KeyCode"}}]),  # too long: quoted?
    json.dumps([2, "e", "NotifyEvent", {"variable": {"name": "BasicAuthPassword"}, "actualValue": 1, "value": OLD}]),
    json.dumps([2, "f", "DataTransfer", {"vendorId": "x", "data": KEY_FILE}])[:-20],
    f'[2,"g","DataTransfer",{{"vendorId":"x","password":"{VPN}"',
    f'[2,"h","Authorize",{{"idToken":{{"idToken":"{PIN}","type":"KeyCode"',
    f"garbage Authorization: {basic(OLD)}\r\n ws://CP1:{URL}@host password={VPN}",
]


@pytest.mark.parametrize("known", [True, False])
def test_credentials_are_in_no_event_and_in_no_file(play: Play, tmp_path: Path, known: bool) -> None:
    security = Security(tmp_path / "s", profile=1, password=OLD)
    if not known:
        # As with many stations: the redactor is told of none, and finds them by where they stand.
        security.passwords._told.clear()
    path = tmp_path / "run.mcap"

    async def story(rig: Any) -> None:
        recorder = Recorder(path, rig.timeline, {"bench.toml": f'[csms]\npassword = "{OLD}"\n'.encode()})
        recorder.start()
        url = rig.csms.url("CP1") + f"?token={URL}"
        headers = [basic(WRONG), basic(OLD, "CP2"), f"Bearer {WRONG}", "Basic " + WRONG, LONE]
        for header in [*headers, *([basic("CP1", OLD)] if known else [])]:
            with pytest.raises(InvalidStatus):
                await Knock(url, header=header).stay("ocpp2.1")
        async with Knock(url, header=basic(OLD)).enter("ocpp2.1") as ws:
            for action, payload in REQUESTS:
                asking = asyncio.create_task(rig.csms.station("CP1").call(action, payload))
                frame = json.loads(await ws.recv())
                assert frame[3] == payload, "the station gets the secret itself"
                await ws.send(json.dumps([4, frame[1], "InternalError", f"password={VPN}", {"password": VPN}]))
                with contextlib.suppress(CsmsError):
                    await asking
            for text in HEARD:
                await ws.send(text)
                await ws.recv()
            await ws.send(base64.b64encode(OLD.encode()))  # a binary message
            await ws.send(b'{"password":"' + VPN.encode() + b'"}\xff', text=True)  # no UTF-8
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await ws.recv()
        await rig.seen("ocpp.disconnected")
        await recorder.close()

    rig = play(story, security=security)
    events = "\n".join(f"{event.topic} {event.data} {event.raw}" for event in rig.timeline.events())
    file = written(path)
    assert len(rig.all("ocpp.refused", status=401)) == 5 + known
    assert events.count("redacted:") > 30
    for secret in (*SECRETS, basic(OLD).split()[1], basic(WRONG).split()[1]):
        assert secret not in events, secret
        assert secret.encode() not in file, secret
        assert secret.encode().hex() not in events, secret
    assert b"SetNetworkProfile" in file


def test_files_of_the_state_directory_hold_no_password(play: Play, tmp_path: Path) -> None:
    security = Security(tmp_path / "s", profile=1, password=OLD)

    async def story(rig: Any) -> None:
        async with Knock(rig.csms.url("CP1"), header=basic(OLD)).enter("ocpp2.1") as ws:
            asking = asyncio.create_task(rig.csms.station("CP1").call(*REQUESTS[1]))
            frame = json.loads(await ws.recv())
            result = [
                {**{key: entry[key] for key in ("component", "variable")}, "attributeStatus": "Accepted"}
                for entry in frame[3]["setVariableData"]
            ]
            await ws.send(json.dumps([3, frame[1], {"setVariableResult": result}]))
            await asking
        await Knock(rig.csms.url("CP1"), header=basic(NEW)).stay("ocpp2.1")

    play(story, security=security)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert any(file.name == "stations.json" for file in files)
    for file in files:
        assert OLD.encode() not in file.read_bytes()
        assert NEW.encode() not in file.read_bytes()
