"""A bench under load, as a program: `python bench_load.py SPEC`, `SPEC` a JSON object; see `Spec`.

It opens what the specification names on one loop, as the bench does, prints `{"ready": true}` with the port of the back
end, measures from the next line of input to the one after it, and prints what it found as one JSON object.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from pilotbench.bench.correlation import Facts, OnlineEngine
from pilotbench.bench.correlation.language.pack import load_pack
from pilotbench.bench.lifecycle import GC_THRESHOLD, SWITCH_INTERVAL_S
from pilotbench.bench.recording import Recorder
from pilotbench.bench.timeline import Event, Stamp, Timeline, new_loop
from pilotbench.drivers.base import Driver
from pilotbench.drivers.ev.dbc import DbcEv
from pilotbench.drivers.meter.map_file import load_map
from pilotbench.drivers.meter.modbus import ModbusMeter
from pilotbench.drivers.meter.segments import share_segments
from pilotbench.drivers.pilot.line import LinePilot
from pilotbench.drivers.serial_line import SerialLine, open_serial

from driver_rig import CONFIGS, OpenGate
from line_feed import LineBlocks

EVERY_S = 0.002
SAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("cp.volts", {"high_v": 8.98, "low_v": -11.93}),
    ("ev.status", {"plugged": True, "s2_wish": True, "soc_pct": 41.5, "current_a": 15.97, "battery_v": 391.2}),
    (
        "meter.sample",
        {
            "power_w": 11034.5,
            "current_a": [15.97, 16.02, 15.99],
            "voltage_v": [229.9, 230.4, 230.1],
            "frequency_hz": 50.01,
            "energy_wh": "10234.5",
        },
    ),
    ("output", {"live": True, "phases": [True, True, True], "kind": "ac"}),
)
"""What is emitted in turn; the data are made anew for each event, as a driver does."""


class Spec(msgspec.Struct, forbid_unknown_fields=True):
    """What the bench consists of; ports where something is there, and `folder` for its files.

    `events_per_s`: so many events a second beside those of the instruments, from four sources in turn.
    """

    folder: str
    line: str
    pilot: str | None = None
    can: str | None = None
    meters: tuple[str, ...] = ()
    csms: bool = False
    rules: bool = False
    record: bool = False
    events_per_s: int = 0


class Load:
    """One bench, and what is noted of it."""

    def __init__(self, spec: Spec, poll: Any) -> None:
        self._spec = spec
        self._poll = poll
        self._folder = Path(spec.folder)
        self._drivers: list[Driver] = []
        self.timeline = Timeline()
        self.lines = LineBlocks()
        self.dead: list[str] = []
        self.pilot: list[tuple[str, int, int]] = []
        self.ocpp: list[tuple[int, int, int]] = []
        self.gaps: list[str] = []
        self.frames = self.blocks = self.samples = self.published = 0
        self.recorder: Recorder | None = None

    def _note(self, event: Event) -> None:
        self.published += 1
        topic = event.topic
        if topic in ("cp.volts", "cp.pwm") and event.source == "pilot":
            self.pilot.append((event.raw or "", event.stamp.lo_ns, event.stamp.hi_ns))
        elif topic == "can.frames" and event.data["dir"] == "rx":
            self.blocks += 1
            self.frames += event.data["count"]
        elif topic == "meter.sample" and event.source.startswith("meter"):
            self.samples += 1
        elif topic == "ocpp.call" and event.data["action"] == "DataTransfer":
            self.ocpp.append((int(event.data["payload"]["data"]), event.stamp.lo_ns, event.stamp.hi_ns))
        elif topic == "gap":
            self.gaps.append(f"{event.source}: {event.data['why']}")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[int | None]:
        """Everything is open; gives the port of the back end."""
        spec, timeline = self._spec, self.timeline
        timeline.subscribe(self._note)
        async with AsyncExitStack() as stack:
            if spec.rules:
                rules = [CONFIGS / "rules" / name for name in ("iec61851.toml", "ocpp16.toml")]
                limits = [CONFIGS / "limits" / name for name in ("iec61851-1.toml", "ocpp.toml", "lab.toml")]
                engine = OnlineEngine(timeline, load_pack(rules, limits), Facts(evses=(1,)))
                engine.start()
                stack.callback(engine.finish)
            if spec.record:
                self.recorder = Recorder(self._folder / "run.mcap", timeline, {})
                self.recorder.start()
                stack.push_async_callback(self.recorder.close)
            port = await self._back_end(stack) if spec.csms else None
            line = SerialLine(
                "line", open_serial("line", spec.line, 115200), self.lines.take, lambda *why: self.dead.append(str(why))
            )
            stack.push_async_callback(line.close)
            self._make_drivers()
            for driver in self._drivers:
                stack.push_async_callback(driver.close)
                await driver.open()
            gc.collect()
            gc.freeze()
            gc.set_threshold(*GC_THRESHOLD)
            yield port

    async def _back_end(self, stack: AsyncExitStack) -> int:
        from pilotbench.bench.csms import Csms, CsmsState, Settings

        csms = Csms(
            self.timeline,
            OpenGate(),
            self._poll,
            state=CsmsState(self._folder / "csms"),
            settings=Settings(read_back=False, attach_after_s=600.0),
        )
        await csms.start()
        stack.push_async_callback(csms.close)
        return csms.port

    def _make_drivers(self) -> None:
        spec, source, gate, state = self._spec, self.timeline.source, OpenGate(), self._folder / "state"
        if spec.pilot is not None:
            self._drivers.append(LinePilot("pilot", source("pilot"), gate, port=spec.pilot, state_dir=state))
        if spec.can is not None:
            dbc = CONFIGS / "ev" / "pilotbench-ev.dbc"
            self._drivers.append(
                DbcEv("can", source("can"), gate, port=spec.can, dbc=dbc, record_frames=True, answer_timeout_s=5.0,
                      state_dir=state)
            )  # fmt: skip
        known = load_map(CONFIGS / "meters" / "eastron-sdm630.toml")
        meters = [
            ModbusMeter(f"meter{unit}", source(f"meter{unit}"), gate, port=spec.meters[0], register_map=known,
                        unit=unit, baud=9600, parity="N", poll_s=0.1, state_dir=state)
            for unit, _ in enumerate(spec.meters, 1)
        ]  # fmt: skip
        share_segments(meters)
        self._drivers += meters


class Maker:
    """Emits events at a rate, from a timer of the loop; `behind_s`: how late it was at most."""

    def __init__(self, timeline: Timeline, per_s: int) -> None:
        self._sources = [timeline.source(f"made{n}") for n in range(len(SAMPLES))]
        self._per_s = per_s
        self.made = 0
        self.behind_s = 0.0

    async def run(self) -> None:
        begun = due = time.monotonic()
        while True:
            now = time.monotonic()
            self.behind_s = max(self.behind_s, now - due)
            wanted = int((now - begun) * self._per_s)
            for number in range(self.made, wanted):
                topic, data = SAMPLES[number % len(SAMPLES)]
                at_ns = time.monotonic_ns()
                source = self._sources[number % len(SAMPLES)]
                source.emit(topic, Stamp(at_ns, at_ns - 200_000, at_ns), dict(data), evse=1, raw="!4711 CP 8980 -11930")
            self.made = max(self.made, wanted)
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)


class Watch:
    """How much memory the process has each second, and how many events wait for the disk at most."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.rss_mb: list[float] = []
        self.waiting = 0

    async def run(self) -> None:
        process, load = psutil.Process(), self._load
        due = time.monotonic()
        while True:
            recorder = load.recorder
            if recorder is not None:
                self.waiting = max(self.waiting, load.published - recorder.written - recorder.lost)
            if time.monotonic() >= due:
                due += 1.0
                self.rss_mb.append(round(process.memory_info().rss / 1e6, 1))
            await asyncio.sleep(0.05)


async def main(spec: Spec, poll: Any) -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    load = Load(spec, poll)
    async with load.running() as port:
        say(ready=True, port=port)
        await asyncio.to_thread(sys.stdin.readline)
        load.gaps.clear()
        load.frames = load.blocks = load.samples = 0
        maker, watch = Maker(load.timeline, spec.events_per_s), Watch(load)
        began, cpu_s, before = time.monotonic(), time.process_time(), load.published
        tasks = [asyncio.create_task(watch.run()), asyncio.create_task(maker.run())]
        await asyncio.to_thread(sys.stdin.readline)
        for task in tasks:
            task.cancel()
        found = {
            "wall_s": time.monotonic() - began,
            "cpu_s": time.process_time() - cpu_s,
            "events": load.published - before,
            "frames": load.frames,
            "blocks": load.blocks,
            "samples": load.samples,
        }
        if load.recorder is not None:
            load.recorder.tell_losses()
        gaps = list(load.gaps)
    recorder = load.recorder
    say(
        **found,
        gaps=gaps,
        dead=load.dead,
        made=maker.made,
        behind_s=maker.behind_s,
        lost=recorder.lost if recorder else 0,
        written=recorder.written if recorder else 0,
        published=load.published,
        waiting=watch.waiting,
        rss_mb=watch.rss_mb,
        peak_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        lines=[(block.lo_ns, block.at_ns) for block in load.lines.blocks],
        pilot=load.pilot,
        ocpp=load.ocpp,
    )


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    loop, selector = new_loop()
    try:
        loop.run_until_complete(main(msgspec.json.decode(sys.argv[1], type=Spec), selector))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
