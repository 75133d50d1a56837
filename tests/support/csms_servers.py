"""Central systems to be measured beside each other, each in a process of its own.

    python tests/support/csms_servers.py NAME [--record FILE] [--busy SHARE] [--calm]

prints its port as the first line, then answers a line `rss` by the bytes it occupies, `stamps` by the stamps of what it
received, and ends at the end of its input.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

NOW = "2026-11-21T10:00:00.000Z"


class Open:
    """A gate that permits everything."""

    def permit(self, stimulus: object) -> None:
        return


@asynccontextmanager
async def pilotbench(selector: Any, record: str | None, stamps: list[tuple[int, int, int]]) -> AsyncIterator[int]:
    """Our back end, with the recorder on its timeline when `record` names a file."""
    from pilotbench.bench.csms import Csms, CsmsState, Settings
    from pilotbench.bench.recording import Recorder
    from pilotbench.bench.timeline import Timeline

    timeline = Timeline(keep_events=100_000)

    def note(event: Any) -> None:
        if event.topic == "ocpp.call" and event.data["action"] == "DataTransfer":
            stamp = event.stamp
            stamps.append((int(event.data["payload"]["data"]), stamp.lo_ns, stamp.hi_ns))

    timeline.subscribe(note)
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(record), timeline, {}) if record else None
        if recorder:
            recorder.start()
        csms = Csms(
            timeline,
            Open(),
            selector,
            state=CsmsState(Path(folder)),
            settings=Settings(read_back=False, attach_after_s=600.0),
        )
        await csms.start()
        try:
            yield csms.port
        finally:
            await csms.close()
            if recorder:
                await recorder.close()


@asynccontextmanager
async def public(*, threads: bool) -> AsyncIterator[int]:
    """A central system on the public `ocpp` package, with its own validation (in threads, or not)."""
    from ocpp import messages
    from ocpp.routing import on
    from ocpp.v16 import ChargePoint, call_result
    from websockets.asyncio.server import serve

    messages.ASYNC_VALIDATION = threads

    class Station(ChargePoint):
        @on("BootNotification")
        def boot(self, **given: Any) -> Any:
            return call_result.BootNotification(current_time=NOW, interval=300, status="Accepted")

        @on("Heartbeat")
        def beat(self, **given: Any) -> Any:
            return call_result.Heartbeat(current_time=NOW)

        @on("MeterValues")
        def metered(self, **given: Any) -> Any:
            return call_result.MeterValues()

    async def serving(ws: Any) -> None:
        with contextlib.suppress(Exception):
            await Station(ws.request.path.rsplit("/", 1)[1], ws).start()

    async with serve(serving, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=None) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def bare() -> AsyncIterator[int]:
    """A websockets loop that reads JSON and answers, and checks and records nothing."""
    from websockets.asyncio.server import serve

    async def serving(ws: Any) -> None:
        async for text in ws:
            _, message_id, action, _ = json.loads(text)
            answer = {"currentTime": NOW, "interval": 300, "status": "Accepted"} if action[0] == "B" else {}
            await ws.send(json.dumps([3, message_id, answer]))

    async with serve(serving, "127.0.0.1", 0, subprotocols=["ocpp1.6"], compression=None, ping_interval=None) as server:
        yield server.sockets[0].getsockname()[1]


async def work(share: float) -> None:
    """Occupy the loop for a share of its time, 2.5 ms at once."""
    piece_s = 0.0025
    while True:
        until = time.perf_counter() + piece_s
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(piece_s / share - piece_s)


async def run(given: argparse.Namespace, selector: Any) -> None:
    stamps: list[tuple[int, int, int]] = []
    servers = {
        "pilotbench": lambda: pilotbench(selector, given.record, stamps),
        "ocpp": lambda: public(threads=True),
        "ocpp-without-threads": lambda: public(threads=False),
        "bare": bare,
    }
    async with servers[given.name]() as port:
        if given.calm:
            from pilotbench.bench.lifecycle import GC_THRESHOLD

            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLD)
        print(port, flush=True)
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
        busy = asyncio.create_task(work(given.busy)) if given.busy else None
        while line := await reader.readline():
            if line.strip() == b"rss":
                print(psutil.Process().memory_info().rss, flush=True)
            else:
                print(json.dumps(stamps), flush=True)
                stamps.clear()
        if busy is not None:
            busy.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--record")
    parser.add_argument("--busy", type=float, default=0.0)
    parser.add_argument("--calm", action="store_true", help="the garbage collector is set as `pilotbench csms` sets it")
    given = parser.parse_args()
    if given.name == "pilotbench":
        from pilotbench.bench.timeline import new_loop

        loop, selector = new_loop()
    else:
        loop, selector = asyncio.new_event_loop(), None
    loop.run_until_complete(run(given, selector))


if __name__ == "__main__":
    main()
