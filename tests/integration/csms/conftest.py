"""A back end on loopback, and stations made of raw frames to talk to it."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pilotbench.bench.csms import Csms, CsmsState, Settings
from pilotbench.bench.timeline import Event, Stimulus, Timeline, new_loop
from pilotbench.errors import SafetyError
from websockets.asyncio.client import ClientConnection, connect

PATIENCE_S = 5.0
BOOT = {"chargePointVendor": "Vendor", "chargePointModel": "Model", "firmwareVersion": "1.2"}
NOW = "2026-11-21T10:00:00.000Z"


class Fence:
    """A gate that refuses the actions in `closed` and remembers what it was asked."""

    def __init__(self) -> None:
        self.closed: set[str] = set()
        self.asked: list[Stimulus] = []

    def permit(self, stimulus: Stimulus) -> None:
        self.asked.append(stimulus)
        if stimulus.verb in self.closed and not stimulus.to_safe:
            raise SafetyError(f"{stimulus.verb} is outside the envelope")


class Peer:
    """A station that sends exactly what it is told."""

    def __init__(self, ws: ClientConnection) -> None:
        self.ws = ws
        self._ids = itertools.count(1)

    async def send(self, text: str | bytes) -> None:
        await self.ws.send(text)

    async def recv(self) -> list[Any]:
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.ws.recv())

    async def call(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> list[Any]:
        """Send a CALL and return the frame that comes back for it."""
        message_id = message_id or f"s{next(self._ids)}"
        await self.send(json.dumps([2, message_id, action, payload]))
        frame = await self.recv()
        assert frame[1] == message_id
        return frame

    async def boot(self) -> list[Any]:
        return await self.call("BootNotification", BOOT)

    async def start(self, tag: str = "TAG", meter_wh: int = 100, at: str = NOW) -> int:
        payload = {"connectorId": 1, "idTag": tag, "meterStart": meter_wh, "timestamp": at}
        return (await self.call("StartTransaction", payload))[2]["transactionId"]

    async def stop(self, tx: int, **more: Any) -> list[Any]:
        return await self.call("StopTransaction", {"transactionId": tx, "meterStop": 150, "timestamp": NOW, **more})

    async def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Take the next CALL, which must be `action`, answer it, and return its payload."""
        frame = await self.recv()
        assert frame[:1] + frame[2:3] == [2, action]
        await self.send(json.dumps([3, frame[1], payload]))
        return frame[3]


class Rig:
    """The back end under test and its timeline."""

    def __init__(self, csms: Csms, timeline: Timeline, gate: Fence) -> None:
        self.csms = csms
        self.timeline = timeline
        self.gate = gate

    @asynccontextmanager
    async def peer(self, station: str = "CP1", subprotocols: list[str] | None = None, url: str | None = None) -> Any:
        offered: Any = ["ocpp1.6"] if subprotocols is None else (subprotocols or None)
        target = url or self.csms.url(station)
        async with connect(target, subprotocols=offered, proxy=None, compression=None, close_timeout=1) as ws:
            yield Peer(ws)

    def all(self, topic: str, **fits: Any) -> list[Event]:
        return [e for e in self.timeline.events(topic) if all(e.data.get(k) == v for k, v in fits.items())]

    def one(self, topic: str, **fits: Any) -> Event:
        found = self.all(topic, **fits)
        assert len(found) == 1, found
        return found[0]

    def frames(self, direction: str) -> list[str]:
        return [e.raw or "" for e in self.all("ocpp.frame", dir=direction, kind="text")]

    async def seen(self, topic: str, since_ns: int = 0, **fits: Any) -> Event:
        """The first event that fits, waited for."""
        return await self.timeline.wait_for(
            topic,
            lambda e: all(e.data.get(k) == v for k, v in fits.items()),
            timeout_s=PATIENCE_S,
            since_ns=since_ns,
        )


Story = Callable[[Rig], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., Rig]:
    """Run a coroutine function against a fresh back end; the state directory stays for the whole test."""

    def run(story: Story, *, settings: dict[str, Any] | None = None, trouble: str = "", **options: Any) -> Rig:
        """`trouble`: what the back end may say that it failed at."""
        quiet = {"read_back": False, "attach_after_s": PATIENCE_S * 4}
        options.setdefault("tokens", ["TAG"])

        async def whole() -> Rig:
            timeline, gate = Timeline(), Fence()
            csms = Csms(
                timeline,
                gate,
                selector,
                state=CsmsState(tmp_path / "state"),
                settings=msgspec.convert({**quiet, **(settings or {})}, Settings),
                **options,
            )
            rig = Rig(csms, timeline, gate)
            await csms.start()
            try:
                async with asyncio.timeout(PATIENCE_S * 4):
                    await story(rig)
            finally:
                began = time.monotonic()
                await csms.close()
                assert time.monotonic() - began < PATIENCE_S
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            if tasks:
                await asyncio.wait(tasks, timeout=1)
            assert not [task for task in tasks if not task.done()], tasks
            degraded = [e.data["why"] for e in timeline.events("device.state") if e.data["state"] == "DEGRADED"]
            unasked = [why for why in degraded if "failed:" in why and not (trouble and trouble in why)]
            assert not unasked, degraded
            return rig

        loop, selector = new_loop()
        try:
            return loop.run_until_complete(whole())
        finally:
            loop.close()

    return run
