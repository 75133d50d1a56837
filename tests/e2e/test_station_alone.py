"""`pilotbench station`: a session by itself, commands on its input, security profiles 1 to 3, and how it ends."""

from __future__ import annotations

import asyncio
import base64
import signal
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pilotbench.bench.csms.security.pki import Pki
from websockets.asyncio.server import serve

from station_rig import BackEnd, until

COMMAND = [sys.executable, "-m", "pilotbench.bench.cli", "station"]
Process = asyncio.subprocess.Process


def against(
    version: str,
    script: Callable[[BackEnd, Process], Awaitable[None]],
    *options: str,
    tls: ssl.SSLContext | None = None,
) -> tuple[int, str]:
    """Run `script` beside the command; its exit code and what it printed. What it sent has to fit the schemas."""

    async def main() -> tuple[int, str]:
        back_end, protocol = BackEnd(version), f"ocpp{version}"
        async with serve(back_end.serve, "127.0.0.1", 0, subprotocols=[protocol], ssl=tls) as server:  # type: ignore[list-item]
            port = next(iter(server.sockets)).getsockname()[1]
            url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/CP7"
            process = await asyncio.create_subprocess_exec(
                *COMMAND,
                "--url",
                url,
                "--ocpp",
                version,
                *options,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            output = asyncio.create_task(process.stdout.read())  # type: ignore[union-attr]
            try:
                await script(back_end, process)
                code = await asyncio.wait_for(process.wait(), 30.0)
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            assert back_end.faults == []
            return code, (await output).decode()

    return asyncio.run(main())


def say(process: Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line.encode() + b"\n")


def test_a_session_by_itself() -> None:
    back_ends: list[BackEnd] = []

    async def script(back_end: BackEnd, _process: Process) -> None:
        back_ends.append(back_end)

    code, printed = against("1.6", script, "--session", "--card", "MYCARD")
    assert code == 0, printed
    names = [name for _, name, _ in back_ends[0].calls]
    assert names[0] == "BootNotification"
    assert back_ends[0].named("StartTransaction")[0]["idTag"] == "MYCARD"
    assert back_ends[0].named("StopTransaction")[0]["reason"] == "Local"
    assert back_ends[0].statuses()[-1] == "Available"
    assert "outlet: current flows" in printed
    assert printed.splitlines()[-1] == "the station has left"


def test_a_session_that_does_not_come_about() -> None:
    async def script(back_end: BackEnd, _process: Process) -> None:
        back_end.replies["Authorize"] = {"idTagInfo": {"status": "Invalid"}}

    code, printed = against("1.6", script, "--session")
    assert code == 1
    assert "session: not within 5 s: the card is accepted" in printed


def test_commands_and_a_signal() -> None:
    async def script(back_end: BackEnd, process: Process) -> None:
        await until(lambda: back_end.statuses() == ["Available"], "the boot")
        say(process, "plug")
        await until(lambda: back_end.statuses()[-1] == "Occupied", "Occupied")
        say(process, "card 04AB")
        say(process, "charge")
        await until(lambda: "Charging" in back_end.states(), "Charging")
        say(process, "pause")
        await until(lambda: back_end.states()[-1] == "SuspendedEV", "SuspendedEV")
        say(process, "dance")
        say(process, "unplug")
        await until(lambda: back_end.statuses()[-1] == "Available", "Available")
        process.send_signal(signal.SIGTERM)

    code, printed = against("2.1", script)
    assert code == 0
    assert "not understood: 'dance'" in printed


@pytest.mark.parametrize("profile", [1, 2, 3])
def test_security_profiles(tmp_path: Path, profile: int) -> None:
    tls, options = None, ["--password", "a-secret-of-16-chars"] if profile < 3 else []
    if profile > 1:
        pki = Pki(tmp_path / "pki")
        chain, key = pki.make_station("CP7")
        for name, text in (("ca", pki.root_pem), ("cert", chain), ("key", key)):
            (tmp_path / f"{name}.pem").write_text(text)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pki.csms_chain, pki.csms_key)
        options += ["--ca", str(tmp_path / "ca.pem")]
        if profile == 3:
            tls.load_verify_locations(cadata=pki.root_pem)
            tls.verify_mode = ssl.CERT_REQUIRED
            options += ["--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem")]

    async def script(back_end: BackEnd, process: Process) -> None:
        await until(lambda: back_end.statuses(1), "the boot")
        request: Any = back_end.connections[0].request
        wanted = None if profile == 3 else "Basic " + base64.b64encode(b"CP7:a-secret-of-16-chars").decode()
        assert request.headers.get("Authorization") == wanted
        say(process, "quit")

    code, printed = against("2.1", script, *options, tls=tls)
    assert code == 0
    assert "a-secret" not in printed


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--url", "http://127.0.0.1/CP1"], "a URL like ws://host:port/CP001 is expected"),
        (["--url", "ws://127.0.0.1:9/CP1", "--ocpp", "3.0"], "the station speaks 1.6, 2.0.1, 2.1"),
        (["--url", "ws://127.0.0.1:9/CP1", "--ca", "x.pem"], "there are no certificates over ws://"),
        (["--url", "wss://127.0.0.1:9/CP1", "--cert", "x.pem"], "--cert and --key go together"),
        (["--url", "ws://127.0.0.1:9/CP1", "--fault", "laziness"], "no fault or oddity is called laziness"),
        (
            ["--url", "ws://127.0.0.1:9/CP1", "--ocpp", "2.1", "--oddity", "finishing-late"],
            "finishing-late has no meaning in OCPP 2.1",
        ),
    ],
)
def test_bad_options_are_a_sentence(options: list[str], words: str) -> None:
    said = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert said.returncode == 2
    assert words in said.stderr
    assert "Traceback" not in said.stderr
