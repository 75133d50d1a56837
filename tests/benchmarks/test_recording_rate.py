"""Recording 20,000 events a second, each of them: what it costs, what it holds up, where it ends: `make bench`.

The events are made in the bench's own process, by four sources on its loop, and go through its timeline to the recorder
and into the MCAP file; the reader of a serial line runs beside them, on which a device writes 200 lines a second.
CAN frames are not among them: those are recorded as one event for each block that was read, so a full bus is some
hundred events a second (`test_can_rate.py`). Columns:

- *made*: events that were made a second. The maker is late when the loop has no time left: less is made than asked.
- *lost*: events that found the recorder's queue (50,000) full. Each is counted, and told on the timeline as a gap.
- *waiting*: how many events waited for the disk at most.
- *line, late*: how long after a device's `write` had returned the reader had stamped the line; without events: row 0.
- *memory*: of the process at the end, and what it still grew by in the last quarter. The timeline keeps the last 10^6
  events, which are there after 50 s at this rate: until then it grows by them, from then on it stays.

At 20,000 a second nothing may be lost, and the file holds every event: else this fails. Below that row the rate is
raised until something is lost: there it must be told as a gap.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from mcap.reader import make_reader

from line_feed import Held, judge, line_feed
from running_bench import quantile, row_of, running_bench

pytestmark = pytest.mark.benchmark

SECONDS = float(os.environ.get("PILOTBENCH_RECORDING_SECONDS", "70"))
RATE = 20_000
LINES_PER_S = 200
COLUMNS = (
    "asked",
    "made /s",
    "CPU",
    "lost",
    "waiting",
    "line, late p50 / p99 us",
    "held",
    "memory MB (last quarter)",
    "file MB",
)


def measured(rate: int, seconds: float, folder: Path) -> tuple[dict[str, Any], Held]:
    """A bench that makes and records so many events a second."""
    with line_feed(int(LINES_PER_S * seconds), LINES_PER_S) as feed:
        spec = {"folder": str(folder), "line": feed.port, "record": True, "events_per_s": rate}
        with running_bench(spec) as bench:
            bench.begin()
            feed.go()
            written = feed.written()
            time.sleep(0.2)  # what was written last is read by then
            found = bench.end()
    return found, judge(written, found["lines"])


def row(rate: int, found: dict[str, Any], line: Held, folder: Path) -> str:
    memory = found["rss_mb"]
    grown = memory[-1] - memory[len(memory) * 3 // 4]
    return row_of(
        (
            rate,
            f"{found['made'] / found['wall_s']:.0f}",
            f"{100 * found['cpu_s'] / found['wall_s']:.0f} %",
            found["lost"],
            found["waiting"],
            f"{quantile(line.late_us, 0.5):.0f} / {quantile(line.late_us, 0.99):.0f}",
            f"{100 * (1 - line.outside / len(line.late_us)):.3f} %",
            f"{memory[-1]:.0f} ({grown:+.0f})",
            f"{(folder / 'run.mcap').stat().st_size / 1e6:.1f}",
        )
    )


def in_file(folder: Path) -> int:
    """How many events of the makers the recording holds."""
    with (folder / "run.mcap").open("rb") as file:
        summary = make_reader(file).get_summary()
    assert summary is not None
    assert summary.statistics is not None
    counts = {summary.channels[key].topic: n for key, n in summary.statistics.channel_message_counts.items()}
    return sum(counts.get(topic, 0) for topic in ("cp.volts", "ev.status", "meter.sample", "output"))


def test_sustained(tmp_path: Path, rows: list[str]) -> None:
    for rate, seconds in ((0, 6.0), (RATE, SECONDS)):
        folder = tmp_path / str(rate)
        folder.mkdir()
        found, line = measured(rate, seconds, folder)
        rows.append(row(rate, found, line, folder))
    assert (found["lost"], found["gaps"], found["dead"]) == (0, [], [])
    assert in_file(folder) == found["made"]
    assert line.outside == 0


def test_where_it_begins_to_lose(tmp_path: Path, rows: list[str]) -> None:
    for rate in (40_000, 60_000, 80_000, 120_000, 160_000):
        folder = tmp_path / str(rate)
        folder.mkdir()
        found, line = measured(rate, 5.0, folder)
        rows.append(row(rate, found, line, folder))
        assert in_file(folder) + found["lost"] == found["made"]
        told = [why for why in found["gaps"] if "the recorder's queue was full" in why]
        assert bool(told) == bool(found["lost"])
        if told:
            print(f"\ntold: {told[0][:150]}")
        if found["lost"] or found["made"] < 0.9 * rate * found["wall_s"]:
            return
