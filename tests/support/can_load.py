"""A full CAN bus on a pty, and readers of it, as programs: `python can_load.py feed|stock|reader|driver|recorded …`.

`feed RATE SECONDS` prints the port, waits for a line, sends, and prints what it sent and what did not fit. The others
take `PORT SECONDS`, print `ready`, read, and print how many frames came, what they cost, and the frames' numbers lost.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
import tty
from pathlib import Path
from typing import Any

STATUS_EVERY = 200
"""Each so many frames is an EV_Status: 20 a second at 4000."""


def frame(number: int) -> bytes:
    if number % STATUS_EVERY == 0:
        counter = number // STATUS_EVERY % 16
        return f"t2018{counter:02X}00000000000000\r".encode()
    return f"t{0x300 + number % 64:03X}8{number.to_bytes(8, 'big').hex().upper()}\r".encode()


def feed(rate: int, seconds: float) -> dict[str, Any]:
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    say(port=os.ttyname(slave))
    sys.stdin.readline()
    answer(master, 1.0)
    start, sent, dropped, rest = time.monotonic(), 0, 0, b""
    while (now := time.monotonic() - start) < seconds:
        while sent + dropped < now * rate:
            data = rest + frame(sent)
            try:
                rest = data[os.write(master, data) :]
                sent += 1
            except BlockingIOError:
                dropped += 1
        if not rest:  # an answer within a frame would damage it
            answer(master, 0.0)
        time.sleep(0.001)
    return {"sent": sent, "dropped": dropped}


def answer(master: int, wait_s: float) -> None:
    """What an adapter says to the commands it gets."""
    time.sleep(wait_s)
    try:
        lines = os.read(master, 4096).split(b"\r")[:-1]
    except BlockingIOError:
        return
    known = {b"V": b"V1013\r", b"N": b"NPB01\r", b"F": b"F00\r"}
    for line in lines:
        os.write(master, known.get(line[:1], b"z\r" if line[:1] == b"t" else b"\r"))


class Count:
    """Frames seen, and holes in their numbers."""

    def __init__(self) -> None:
        self.frames = 0
        self.holes = 0
        self.blocks = 0
        self._last = -1

    def take(self, identifier: int, data: bytes) -> None:
        self.frames += 1
        number = self._last + 1 if identifier == 0x201 else int.from_bytes(data, "big")
        self.holes += number != self._last + 1 and self._last >= 0
        self._last = number

    def take_texts(self, frames: list[str]) -> None:
        for text in frames:
            identifier, _, data = text.partition("#")
            self.take(int(identifier, 16), bytes.fromhex(data))


def stock(port: str, seconds: float) -> Count:
    import can

    count = Count()
    bus = can.Bus(interface="slcan", channel=port, bitrate=500_000, sleep_after_open=0)
    notifier = can.Notifier(bus, [lambda message: count.take(message.arbitration_id, bytes(message.data))])
    timed(seconds)
    notifier.stop()
    bus.shutdown()
    return count


def reader(port: str, seconds: float) -> Count:
    from pilotbench.drivers.ev.slcan import SlcanWire

    count = Count()
    wire = SlcanWire("load", port)
    wire.record = True
    say(ready=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        raw = wire.receive().raw
        count.blocks += bool(raw)
        count.take_texts(raw)
    wire.close()
    return count


async def driver(port: str, seconds: float, recorded: bool) -> tuple[Count, dict[str, Any]]:
    import pilotbench
    from pilotbench.bench.recording import Recorder
    from pilotbench.bench.timeline import ClosedGate, Event, Timeline
    from pilotbench.drivers.ev.dbc import DbcEv

    count, more = Count(), {"events": 0, "missing": 0, "blocks": 0}
    timeline = Timeline()
    dbc = Path(pilotbench.__file__).parent / "hw-configs" / "ev" / "pilotbench-ev.dbc"

    def take(event: Event) -> None:
        more["events"] += 1
        more["missing"] += event.topic == "gap" and "missing" in event.data["why"]
        if event.topic == "can.frames" and event.data["dir"] == "rx":
            more["blocks"] += 1
            count.take_texts(event.data["frames"].split())

    timeline.subscribe(take)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        recorder = Recorder(path / "run.mcap", timeline, {})
        recorder.start()
        ev = DbcEv(
            "can", timeline.source("can"), ClosedGate(), port=port, dbc=dbc, record_frames=recorded, state_dir=path,
            answer_timeout_s=5.0,
        )  # fmt: skip
        say(ready=True)
        await ev.open()
        await asyncio.sleep(seconds)
        await ev.close()
        await recorder.close()
        more["mb"] = round((path / "run.mcap").stat().st_size / 1e6, 1)
        more["recorder_lost"] = recorder.lost
    return count, more


def timed(seconds: float) -> None:
    say(ready=True)
    time.sleep(seconds)


def say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def main(kind: str, *args: str) -> None:
    if kind == "feed":
        say(**feed(int(args[0]), float(args[1])))
        sys.stdin.read()  # the port stays until the reader is done
        return
    port, seconds = args[0], float(args[1])
    import can  # noqa: F401 - what it costs to import is not the reader's

    began_s, more = time.process_time(), {}
    if kind in ("driver", "recorded"):
        count, more = asyncio.run(driver(port, seconds, kind == "recorded"))
    else:
        count = {"stock": stock, "reader": reader}[kind](port, seconds)
    cpu_s = time.process_time() - began_s
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    more.setdefault("blocks", count.blocks)
    say(frames=count.frames, holes=count.holes, cpu_s=cpu_s, peak_mb=round(peak_mb), **more)


if __name__ == "__main__":
    main(*sys.argv[1:])
