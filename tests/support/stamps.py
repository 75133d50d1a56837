"""The bench's stamps of a run held against the twin's own log of the same facts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pilotbench.bench.recording import read_run

STAMPED = ("cp.volts", "cp.pwm", "output", "lock")


@dataclass(frozen=True)
class Compared:
    """One event: how far its stamp's middle is from the truth, how wide the stamp is, whether it holds the truth."""

    topic: str
    line: str
    error_us: float
    width_us: float
    holds: bool


def compare(folder: Path) -> list[Compared]:
    """Every pilot event of a run that stands in the twin's log too, by its line on the wire."""
    truth: dict[str, int] = {}
    for text in (folder / "twin" / "truth.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(text)
        if "line" in entry:
            truth[entry["line"].strip()] = entry["t_ns"]
    found: list[Compared] = []
    for event in read_run(folder).events:
        if event.source != "pilot" or event.topic not in STAMPED or event.raw is None:
            continue
        true_ns = truth.get(event.raw.strip())
        if true_ns is None:
            continue
        stamp = event.stamp
        found.append(
            Compared(
                event.topic,
                event.raw.strip(),
                abs((stamp.lo_ns + stamp.hi_ns) / 2 - true_ns) / 1e3,
                (stamp.hi_ns - stamp.lo_ns) / 1e3,
                stamp.lo_ns <= true_ns <= stamp.hi_ns,
            )
        )
    return found
