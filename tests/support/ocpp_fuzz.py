"""A back end under fire: mutated frames over a real socket, and what must be true of it afterwards.

python tests/support/ocpp_fuzz.py --version 2.1 --frames 1000000 --seed 7
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from pilotbench.bench.csms import Csms, CsmsState, Settings
from pilotbench.bench.csms.security import Pki
from pilotbench.bench.timeline import Event, Stimulus, Timeline, new_loop
from pilotbench.errors import CsmsError

import schema_samples as samples
from ocpp_mutations import BIGGEST, Mutations, Shot, frame
from schema_directions import from_csms

SUBPROTOCOLS = {"1.6": "ocpp1.6", "2.0.1": "ocpp2.0.1", "2.1": "ocpp2.1"}
PATIENCE_S = 20.0
CHUNK = 10_000
"""Frames against one back end; then a fresh one, so that memory stays small."""
BURST = 24
"""Frames in one write."""
CALL = re.compile(rb'\[2,"([^"]{1,36})","([A-Za-z0-9]+)"')


class Open:
    """A gate that permits everything."""

    def permit(self, stimulus: Stimulus) -> None:
        return


class Wire(asyncio.Protocol):
    """A TCP client that writes bytes and looks through what comes back."""

    def __init__(self) -> None:
        self.received = b""
        self.open_call: tuple[str, str] | None = None
        self._more = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._gone = asyncio.Event()

    async def shake(self, host: str, port: int, station: str, subprotocol: str) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, host, port)
        key = base64.b64encode(b"0123456789abcdef").decode()
        lines = [
            f"GET /{station} HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {subprotocol}",
        ]
        self._transport.write("\r\n".join([*lines, "", ""]).encode())
        await self.until(b"\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        # What was looked through already is not kept, but for a tail that may hold half of what is looked for.
        self.received = self.received[-200:] + data
        asked = CALL.findall(self.received)
        if asked:
            self.open_call = (asked[-1][0].decode(), asked[-1][1].decode())
        self._more.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._more.set()
        self._writable.set()

    async def write(self, data: bytes) -> None:
        self._transport.write(data)
        await self._writable.wait()

    async def until(self, wanted: bytes) -> None:
        """Return when this was received."""
        async with asyncio.timeout(PATIENCE_S):
            while wanted not in self.received:
                assert not self._gone.is_set(), f"the connection ended before {wanted!r} came"
                self._more.clear()
                await self._more.wait()

    def close(self) -> None:
        self._transport.close()


class Fire:
    """One back end, one station, and a number of shots."""

    def __init__(self, version: str, seed: int, frames: int, folder: Path, *, strict: bool) -> None:
        self._version, self._frames = version, frames
        self._mutations = Mutations(version, seed)
        self._timeline = Timeline()
        self._timeline.subscribe(self._watch)
        self._closing = asyncio.Event()
        self._closes = self._closed_by_csms = 0
        self._strict = strict
        self._folder = folder
        self._ends = itertools.count(1)
        self.counts: Counter[str] = Counter()
        self.told: list[tuple[str, str]] = []
        self.broken_loop: list[str] = []

    def run(self) -> None:
        loop, selector = new_loop()
        loop.set_exception_handler(lambda _, context: self.broken_loop.append(repr(context)))
        try:
            loop.run_until_complete(self._whole(selector))
        finally:
            loop.close()
        self._check()

    async def _whole(self, selector: Any) -> None:
        quiet = {"read_back": False, "attach_after_s": 60.0, "strict": self._strict, "call_timeout_s": 0.02}
        csms = Csms(
            self._timeline,
            Open(),
            selector,
            state=CsmsState(self._folder),
            settings=msgspec.convert(quiet, Settings),
            max_message_bytes=BIGGEST,
            pki=Pki(self._folder / "pki"),
        )
        await csms.start()
        wire = await self._connected(csms)
        asking = asyncio.create_task(self._ask(csms))
        shots = self._mutations.shots()
        fired = 0
        while fired < self._frames:
            burst, kills = b"", False
            if wire.open_call is not None:
                burst = self._note(self._mutations.answer(*wire.open_call))
                wire.open_call, fired = None, fired + 1
            for shot in itertools.islice(shots, BURST):
                burst, kills, fired = burst + self._note(shot), shot.kills, fired + 1
                if kills or fired >= self._frames:
                    break
            # TCP does not keep frames together.
            await wire.write(burst[: len(burst) // 3])
            await asyncio.sleep(0)
            await wire.write(burst[len(burst) // 3 :])
            if kills:
                await self._closed()
                wire.close()
                wire = await self._connected(csms)
            else:
                await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await self._alive(wire)
        assert csms.station("CP1").connected
        wire.close()
        await csms.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        if left:
            await asyncio.wait(left, timeout=1)
        assert not [task for task in left if not task.done()], left

    def _note(self, shot: Shot) -> bytes:
        self.told += shot.told
        self.counts["killed" if shot.kills else shot.told[-1][0]] += 1
        return shot.data

    async def _connected(self, csms: Csms) -> Wire:
        wire = Wire()
        await wire.shake("127.0.0.1", csms.port, "CP1", SUBPROTOCOLS[self._version])
        boot = samples.sampler(self._version, "BootNotification", "request").minimal()
        await self._exchange(wire, "BootNotification", boot)
        return wire

    async def _closed(self) -> None:
        """Return when the back end has closed the connection once more."""
        self._closes += 1
        if self._closed_by_csms < self._closes:
            self._closing.clear()
            async with asyncio.timeout(PATIENCE_S):
                await self._closing.wait()

    def _watch(self, event: Event) -> None:
        if event.topic == "ocpp.frame" and event.data["dir"] == "tx" and event.data["kind"] == "close":
            self._closed_by_csms += 1
            self._closing.set()

    async def _alive(self, wire: Wire) -> None:
        await self._exchange(wire, "Heartbeat", {})

    async def _exchange(self, wire: Wire, action: str, payload: Any) -> None:
        """A right request is answered by a CALLRESULT."""
        own = f"own {next(self._ends)} {time.monotonic_ns()}"
        text = json.dumps([2, own, action, payload])
        self.told.append(("text", text))
        await wire.write(frame(1, text.encode()))
        await wire.until(f'[3,"{own}"'.encode())

    async def _ask(self, csms: Csms) -> None:
        """The back end asks something all the time; most of the answers are wrong."""
        for action in itertools.cycle(from_csms(self._version)):
            try:
                request = samples.sampler(self._version, action, "request").minimal()
                await csms.station("CP1").call(action, request)
                self.counts["answers taken"] += 1
            except CsmsError:
                await asyncio.sleep(0.001)  # perhaps nobody is connected just now
            except Exception as exc:  # noqa: BLE001 - that is what is looked for
                self.broken_loop.append(f"{action}: {exc!r}")

    def _check(self) -> None:
        """No crash, nothing lost, and every frame told in its order."""
        events = self._timeline.events()
        crashes = [e.data["why"] for e in events if e.topic == "device.state" and "failed:" in e.data["why"]]
        assert not crashes, f"{len(crashes)} crashes, the first: {crashes[:3]}"
        assert not self.broken_loop, self.broken_loop[:3]
        read = [e for e in events if e.topic == "ocpp.frame" and e.data["dir"] == "rx" and e.data["kind"] != "close"]
        got = [(e.data["kind"], e.raw) for e in read if not e.data.get("hex")]
        for number, (sent, seen) in enumerate(itertools.zip_longest(self.told, got)):
            if sent != seen and not (sent and seen and sent[0] == seen[0] and "redacted:" in str(seen[1])):
                raise AssertionError(f"frame {number} of {len(self.told)}: sent {sent}, on the timeline {seen}")
        assert sum(e.topic == "ocpp.disconnected" for e in events) == self.counts["killed"] + 1
        failed = Counter(e.data["code"] for e in events if e.topic == "ocpp.violation" and e.data["layer"] == "frame")
        self.counts["answered"] += sum(e.topic == "ocpp.result" and e.data["dir"] == "tx" for e in events)
        self.counts["refused"] += sum(e.topic == "ocpp.error" and e.data["dir"] == "tx" for e in events)
        self.counts["violations"] += sum(e.topic == "ocpp.violation" for e in events)
        beside = failed["UnsupportedData"] + failed["IncompleteMessage"]
        assert failed.total() - beside == self.counts["killed"], failed
        self.counts["events"] += len(events)


def fire(version: str, seed: int, frames: int) -> Counter[str]:
    """Fire `frames` shots in chunks, strict and lenient by turns; returns counts. AssertionError says what broke."""
    total: Counter[str] = Counter()
    for number in range(-(-frames // CHUNK)):
        with tempfile.TemporaryDirectory() as folder:
            chunk = min(CHUNK, frames - number * CHUNK)
            one = Fire(version, seed * 1000 + number, chunk, Path(folder), strict=number % 2 == 1)
            try:
                one.run()
            except BaseException:
                print(f"\nOCPP {version}, seed {seed}, chunk {number}: broken", file=sys.stderr)
                raise
            total += one.counts
    return total


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", choices=list(SUBPROTOCOLS), action="append")
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    for version in given.version or SUBPROTOCOLS:
        began = time.monotonic()
        counts = fire(version, given.seed, given.frames)
        took_s = time.monotonic() - began
        print(f"OCPP {version}, seed {given.seed}: {dict(counts)}, {took_s:.0f} s", flush=True)


if __name__ == "__main__":
    main()
