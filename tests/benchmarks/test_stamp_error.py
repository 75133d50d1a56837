"""How far the stamps of the serial instruments are from the truth, and how many of them hold it: `make bench`.

One row for each load: a bench that has nothing else to do; one that talks OCPP (200 messages a second), records a full
CAN bus (4000 frames a second) and three meters at 10 Hz with the shipped rules; the same two while as many processes as
the machine has cores do nothing but burn. The instruments are processes of their own. Columns:

- *line, late*: how long after a device's `write` had returned the reader's thread had stamped the line. This is the
  error of an instrument without a clock of its own; *OCPP, late* is that of a message, after the station's `send`.
- *pilot, error*: from the middle of an event's stamp to the instant at which the model changed. The emulator stamps by
  its own counter, which pings map to the bench clock: so load that delays a line hardly moves it.
- *held*: the share of stamps whose `[lo, hi]` holds the truth. A line's truth is the pair of clock readings around the
  device's `write` (its first byte arrived between them); a pilot event's is the one instant in the twin's own log at
  which its model changed; an OCPP message's is the pair around the station's `send`. Less than 100 % fails: then a
  declared interval is wrong, and every verdict that rests on it. The errors are only printed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from can_feed import can_feed
from csms_bench import stations
from line_feed import Held, judge, line_feed
from running_bench import quantile, row_of, running_bench
from twin_client import Station, TwinProcess

pytestmark = pytest.mark.benchmark

SECONDS = float(os.environ.get("PILOTBENCH_STAMP_SECONDS", "12"))
LINES_PER_S = 200
EDGES_PER_S = 100
OCPP_PER_S = 200
METERS = {f"m{unit}": {"kind": "meter.modbus", "wire": "rtu", "unit": unit} for unit in (1, 2, 3)}
SHARED = {name: {**settings, **({"segment": "m1"} if name != "m1" else {})} for name, settings in METERS.items()}
COLUMNS = (
    "load",
    "line, late p50 / p99 us",
    "held",
    "pilot, error p50 / p99 us",
    "width p50 us",
    "held",
    "OCPP, late p50 / p99 us",
    "held",
    "CPU",
)


@contextlib.contextmanager
def burners(number: int) -> Iterator[None]:
    """Processes that do nothing but burn."""
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(process.kill)
        yield


class Edges(threading.Thread):
    """A station that changes its PWM at instants which nobody can foresee."""

    def __init__(self, station: Station, number: int) -> None:
        super().__init__(daemon=True)
        self._station = station
        self._number = number

    def run(self) -> None:
        rng = Random(self._number)
        for n in range(self._number):
            time.sleep(rng.expovariate(EDGES_PER_S))  # the pace; nothing is synchronised by it
            self._station.send(type="set", evse=1, pwm_pct=20.0 + n % 40)


class Drain(threading.Thread):
    """Reads what the model tells that station, so that it never waits for it."""

    def __init__(self, station: Station) -> None:
        super().__init__(daemon=True)
        self._station = station

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while self._station.socket.recv(65536):
                pass


def of_pilot(truth: list[dict[str, Any]], told: list[tuple[str, int, int]]) -> tuple[list[float], list[float], int]:
    """Errors and widths in microseconds, and how many stamps do not hold the truth."""
    true_ns = {entry["line"].strip(): entry["t_ns"] for entry in truth if "line" in entry}
    known = [(true_ns[raw.strip()], lo, hi) for raw, lo, hi in told if raw.strip() in true_ns]
    return (
        [abs((lo + hi) / 2 - at) / 1e3 for at, lo, hi in known],
        [(hi - lo) / 1e3 for _, lo, hi in known],
        sum(not lo <= at <= hi for at, lo, hi in known),
    )


def of_ocpp(around: list[tuple[int, int]], told: list[tuple[int, int, int]]) -> Held:
    """The same for messages, of which each carries the clock's reading before it was sent."""
    after = {before: (before, after) for before, after in around}
    return judge([after[sent] for sent, _, _ in told], [(lo, hi) for _, lo, hi in told])


def text(errors: list[float]) -> str:
    return f"{quantile(errors, 0.5):.0f} / {quantile(errors, 0.99):.0f}"


def held(outside: int, of: int) -> str:
    return f"{100 * (1 - outside / of):.3f} % of {of}"


@pytest.mark.parametrize(
    ("name", "busy", "burn"),
    [
        ("idle", False, False),
        ("bench busy", True, False),
        ("cores loaded", False, True),
        ("bench busy, cores loaded", True, True),
    ],
)
def test_stamps_hold_the_truth(
    name: str, busy: bool, burn: bool, tmp_path: Path, twin: Callable[..., TwinProcess], rows: list[str]
) -> None:
    model = twin(devices={"pilot": {"kind": "pilot.line"}, **(SHARED if busy else {})}, meter={"refresh_ms": 50})
    station = model.station()
    assert station.hello()["type"] == "welcome"
    Drain(station).start()
    edges = Edges(station, int(EDGES_PER_S * SECONDS))
    around: list[tuple[int, int]] = []
    with contextlib.ExitStack() as stack:
        feed = stack.enter_context(line_feed(int(LINES_PER_S * SECONDS), LINES_PER_S))
        spec: dict[str, Any] = {"folder": str(tmp_path), "line": feed.port, "pilot": model.ready["pilot"]}
        can = None
        if busy:
            can = stack.enter_context(can_feed(4000, 3 * SECONDS))
            spec |= {"can": can.port, "meters": [model.ready[unit] for unit in METERS]}
            spec |= {"csms": True, "record": True, "rules": True}
            can.go()
        bench = stack.enter_context(running_bench(spec))
        stack.enter_context(burners(os.cpu_count() or 1 if burn else 0))
        bench.begin()
        feed.go()
        edges.start()
        if busy:
            number = int(OCPP_PER_S * SECONDS)
            sender = stack.enter_context(
                stations(bench.port, "--stamps", "--messages", str(number), "--rate", str(OCPP_PER_S))
            )
            around = [(before, after) for before, after in sender.read()]
            sender.write("end")
        edges.join()
        written = feed.written()
        time.sleep(0.5)  # what was written last is read by then
        found = bench.end()
    station.close()
    line = judge(written, found["lines"])
    errors, widths, outside = of_pilot(model.truth(), found["pilot"])
    assert len(errors) >= EDGES_PER_S * SECONDS / 2
    ocpp = of_ocpp(around, found["ocpp"]) if busy else None
    cells = (
        name,
        text(line.late_us),
        held(line.outside, len(written)),
        text(errors),
        f"{quantile(widths, 0.5):.0f}",
        held(outside, len(errors)),
        *((text(ocpp.late_us), held(ocpp.outside, len(ocpp.late_us))) if ocpp else ("", "")),
        f"{100 * found['cpu_s'] / found['wall_s']:.0f} %",
    )
    rows.append(row_of(cells))
    if busy:
        each_s = {key: found[key] / found["wall_s"] for key in ("frames", "samples", "events")}
        beside = ", ".join(f"{value:.0f} {key}/s" for key, value in each_s.items())
        print(f"\n{name}: beside it {beside}; gaps: {found['gaps'][:3] or 'none'}")
    assert (line.outside, outside, ocpp.outside if ocpp else 0) == (0, 0, 0)
    assert found["dead"] == []
