"""`pilotbench csms`: the back end alone, as somebody with a charger on the desk uses it."""

from __future__ import annotations

import base64
import json
import re
import signal
import ssl
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.recording import read_run
from websockets.sync.client import ClientConnection, connect

from cli_runs import COMMAND, cli, environment

PATIENCE_S = 15
BOOT_16 = {"chargePointVendor": "Desk", "chargePointModel": "Brick"}
BOOT_2X = {"reason": "PowerUp", "chargingStation": {"vendorName": "Desk", "model": "Brick"}}


class Alone:
    """A running `pilotbench csms` and what it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.told: list[str] = []

    def line(self, pattern: str) -> re.Match[str]:
        """The next printed line that fits."""
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self.told.append(text.rstrip("\n"))
            found = re.search(pattern, text)
            if found:
                return found
        raise AssertionError(f"it ended without {pattern!r}:\n" + "\n".join(self.told) + self.error())

    def error(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_S)
        self.told += out.splitlines()
        assert err == ""
        return self.process.returncode


@contextmanager
def alone(state: Path, *options: str) -> Generator[Alone]:
    process = subprocess.Popen(
        [*COMMAND, "csms", "--listen", "127.0.0.1:0", *options],
        env=environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Alone(process)
        finally:
            process.kill()


def call(ws: ClientConnection, action: str, payload: dict[str, Any], number: str) -> list[Any]:
    """Send a CALL; answer what the back end asks meanwhile by nothing, and return the answer."""
    ws.send(json.dumps([2, number, action, payload]))
    while True:
        frame = json.loads(ws.recv(PATIENCE_S))
        if frame[0] != 2 and frame[1] == number:
            return frame
        if frame[0] == 2:
            ws.send(json.dumps([4, frame[1], "NotSupported", "", {}]))


def station(url: str, name: str) -> str:
    return url.replace("<station id>", name)


def test_it_serves_on_when_nobody_reads_what_it_prints(tmp_path: Path) -> None:
    """`pilotbench csms | head`."""
    with alone(tmp_path / "state", "--record", str(tmp_path / "rec")) as back_end:
        url = back_end.line(r"station\s+(ws://\S+/<station id>)")[1]
        assert back_end.process.stdout is not None
        back_end.process.stdout.close()
        with connect(station(url, "CP1"), subprotocols=["ocpp1.6"], proxy=None) as ws:  # type: ignore[list-item]
            assert call(ws, "BootNotification", BOOT_16, "1")[2]["status"] == "Accepted"
            assert call(ws, "Heartbeat", {}, "2")[0] == 3
        back_end.process.send_signal(signal.SIGTERM)
        assert back_end.process.wait(PATIENCE_S) == 0
        assert back_end.error() == ""
    (recording,) = (tmp_path / "rec").rglob("*.mcap")
    assert [event for event in read_run(recording).events if event.data.get("action") == "Heartbeat"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_every_version_records_and_stops_cleanly(tmp_path: Path, number: int) -> None:
    with alone(tmp_path / "state", "--record", str(tmp_path / "rec")) as back_end:
        url = back_end.line(r"station\s+(ws://\S+/<station id>)")[1]
        for protocol, boot in (("ocpp1.6", BOOT_16), ("ocpp2.0.1", BOOT_2X), ("ocpp2.1", BOOT_2X)):
            with connect(station(url, protocol), subprotocols=[protocol], proxy=None) as ws:
                assert call(ws, "BootNotification", boot, "b")[2]["status"] == "Accepted"
                assert call(ws, "Heartbeat", {}, "h")[0] == 3
                assert call(ws, "Teapot", {}, "t")[2] == "NotImplemented"
            back_end.line(rf"{re.escape(protocol)}.*GONE")
        assert back_end.stop(number) == 0
    assert any("BootNotification answered" in line for line in back_end.told)
    run = read_run(tmp_path / "rec")
    assert run.truncated is None
    assert {e.data["version"] for e in run.events if e.topic == "ocpp.connected"} == {"1.6", "2.0.1", "2.1"}


def test_it_signs_the_request_of_a_station_over_tls_with_a_password(tmp_path: Path) -> None:
    who = tmp_path / "who.toml"
    who.write_text('stations = ["CP9"]\n[passwords]\nCP9 = "correct horse battery"\n', encoding="utf-8")
    state = tmp_path / "state"
    with alone(state, "--security-profile", "2", "--accept", str(who), "--record", str(tmp_path / "rec")) as back_end:
        url = back_end.line(r"station\s+(wss://\S+/CP9)")[1]
        root = back_end.line(r"root\s+(\S+)")[1]
        trust = ssl.create_default_context(cafile=root)
        secret = base64.b64encode(b"CP9:correct horse battery").decode()
        with connect(
            url,
            subprotocols=["ocpp2.1"],
            ssl=trust,
            additional_headers={"Authorization": f"Basic {secret}"},
            proxy=None,
        ) as ws:
            assert call(ws, "BootNotification", BOOT_2X, "b")[2]["status"] == "Accepted"
            request = {"csr": signing_request("CP9"), "certificateType": "ChargingStationCertificate", "requestId": 41}
            assert call(ws, "SignCertificate", request, "s")[2]["status"] == "Accepted"
            frame = json.loads(ws.recv(PATIENCE_S))
            while frame[2] != "CertificateSigned":
                ws.send(json.dumps([4, frame[1], "NotSupported", "", {}]))
                frame = json.loads(ws.recv(PATIENCE_S))
            assert frame[3]["requestId"] == 41
            assert frame[3]["certificateChain"].startswith("-----BEGIN CERTIFICATE-----")
            ws.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
        with pytest.raises(Exception, match="401"), connect(url, subprotocols=["ocpp2.1"], ssl=trust, proxy=None):
            pass
        back_end.line("REFUSED")
        assert back_end.stop() == 0
    recorded = (tmp_path / "rec" / "run.mcap").read_bytes()
    for hidden in (secret.encode(), b"correct horse"):
        assert hidden not in recorded
    assert not [e for e in read_run(tmp_path / "rec").events if "correct horse" in str(e)]
    keys = [path for path in state.rglob("*") if path.suffix == ".key"]
    assert keys
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)


def signing_request(name: str) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--listen", "nowhere"], "127.0.0.1:9000"),
        (["--security-profile", "4"], "there are 0, 1, 2 and 3"),
        (["--security-profile", "1"], "needs passwords"),
        (["--accept", "missing.toml"], "missing.toml"),
        (["--boot", "Maybe"], "Accepted, Pending and Rejected"),
    ],
)
def test_what_cannot_be_is_said_in_one_paragraph(tmp_path: Path, options: list[str], says: str) -> None:
    done = cli("csms", *options, state=tmp_path, cwd=tmp_path)
    assert done.code == 2, done.err
    assert says in done.err
    assert "Traceback" not in done.err


def test_two_of_them_do_not_share_one_state(tmp_path: Path) -> None:
    with alone(tmp_path / "state") as first:
        first.line("Ctrl-C")
        second = cli("csms", "--listen", "127.0.0.1:0", state=tmp_path / "state")
        assert second.code == 4
        assert "in use by pilotbench csms" in second.err
        assert first.stop() == 0


def test_its_recording_is_shown_and_not_judged(tmp_path: Path) -> None:
    with alone(tmp_path / "state", "--record", str(tmp_path / "rec")) as back_end:
        back_end.line("Ctrl-C")
        assert back_end.stop() == 0
    assert cli("show", str(tmp_path / "rec"), state=tmp_path / "state").code == 0
    judged = cli("check", str(tmp_path / "rec"), state=tmp_path / "state")
    assert judged.code == 4
    assert "pilotbench show" in judged.err
