"""What happened to the outputs, by the log of the model and its emulators; the bench's own word counts for nothing."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cells import Cell

__all__ = ["Played", "Span", "judge"]

Span = tuple[int, int]

ON_BEFORE: dict[str, tuple[str, ...]] = {
    "idle": (),
    "plugged": ("plug",),
    "charging": ("plug", "current", "output"),
    "welded": ("plug", "current", "output"),
}
"""What has to be on for the cell to show anything."""


@dataclass
class Played:
    """One repetition. Milliseconds after the cause; 0 where nothing was on. `trouble`: why it failed.

    `stalled_ms`: for how long of its time the machine stood still, as the model or the harness saw it. `late`: it was
    too late, but by no more than that; this is told beside the figures, and is no failure of the bench.
    """

    cell: Cell
    folder: Path
    cp_ms: float | None = None
    load_ms: float | None = None
    dead_ms: float | None = None
    code: int | None = None
    ready_s: float = 0.0
    stalled_ms: float = 0.0
    late: bool = False
    starts: int = 1
    never_ready: bool = False
    trouble: list[str] = field(default_factory=list[str])

    @property
    def worst_ms(self) -> float | None:
        """Until all three hold; None when one of them never did."""
        parts = [self.cp_ms, self.load_ms, self.dead_ms]
        return max(parts) if all(part is not None for part in parts) else None  # type: ignore[type-var]


def judge(
    cell: Cell,
    folder: Path,
    at_ns: int,
    code: int | None,
    left: list[str],
    ready_s: float = 0.0,
    stalls: Sequence[Span] = (),
) -> Played:
    """CP at A, load off, output dead; nobody left, no lock held; a weld has the supply opened and ends in an error.

    `stalls`: when the harness itself stood still, in ns. Standing still excuses lateness, never an output that is live.
    """
    log = _log(folder / "run" / "twin" / "truth.jsonl")
    played = Played(cell, folder, code=code, ready_s=round(ready_s, 2))
    missing = [fact for fact in ON_BEFORE[cell.state] if not _was_on(log, at_ns, fact)]
    if missing:
        played.trouble.append(f"nothing was tried: {', '.join(missing)} was off before the cause")
    played.cp_ms = _off_ms(log, at_ns, "plug")
    played.load_ms = _off_ms(log, at_ns, "current")
    played.dead_ms = _off_ms(log, at_ns, "output")
    trouble = played.trouble
    if cell.out_of_reach:
        if played.load_ms is None:
            trouble.append("the load is on")
        if not _said(folder, "NOT SAFE"):
            trouble.append("nobody said that it is not safe")
    else:
        facts = {"CP is not at A": played.cp_ms, "the load is on": played.load_ms, "the output is live": played.dead_ms}
        trouble += [what for what, value in facts.items() if value is None]
        if played.worst_ms is not None:
            until_ns = at_ns + round(played.worst_ms * 1e6)
            played.stalled_ms = _stalled_ms([*stalls, *_stalls(folder)], at_ns, until_ns)
            if played.worst_ms > cell.limit_ms + played.stalled_ms:
                trouble.append(_too_late(played))
            else:
                played.late = played.worst_ms > cell.limit_ms
    trouble += [f"left behind: {what}" for what in left]
    trouble += [f"still locked: {lock.name}" for lock in _locked(folder / "state")]
    if code == 0:
        trouble.append("the run ended as if nothing had happened")
    if cell.state == "welded" and not cell.out_of_reach:
        if _last(log, "mains") is not False:
            trouble.append("the station's supply was not opened")
        # A trip opens the supply without waiting to see whether the contactor opens.
        if code is not None and code > 0 and not _said(folder, "may be welded", "NOT SAFE", "the supervisor tripped"):
            trouble.append("nobody said why the supply was opened")
    return played


def _too_late(played: Played) -> str:
    text = f"{played.worst_ms:.0f} ms, later than {played.cell.limit_ms:.0f} ms"
    return f"{text}, though the machine stood still for {played.stalled_ms:.0f} ms" if played.stalled_ms else text


def _stalls(folder: Path) -> list[Span]:
    return [(entry["from_ns"], entry["to_ns"]) for entry in _log(folder / "run" / "twin" / "stalls.jsonl")]


def _stalled_ms(stalls: Sequence[Span], from_ns: int, to_ns: int) -> float:
    """How much of from..to is covered by any of them."""
    covered, upto = 0, from_ns
    for begin, end in sorted(stalls):
        begin, end = max(begin, upto), min(end, to_ns)
        if end > begin:
            covered += end - begin
            upto = end
    return round(covered / 1e6, 1)


def _log(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    # The last line may be cut: the twin may be writing it.
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _was_on(log: list[dict[str, Any]], at_ns: int, fact: str) -> bool:
    before = [entry for entry in log if entry.get("fact") == fact and entry["t_ns"] <= at_ns]
    return bool(before) and _is_on(before[-1])


def _is_on(entry: dict[str, Any]) -> bool:
    value = entry["value"]
    return any(value) if isinstance(value, list) else bool(value)


def _off_ms(log: list[dict[str, Any]], at_ns: int, fact: str) -> float | None:
    """When it went off for good, after the cause; None when it is on at the end."""
    on, since_ns = False, at_ns
    for entry in log:
        if entry.get("fact") == fact:
            now = _is_on(entry)
            if now != on:
                on, since_ns = now, entry["t_ns"]
    return None if on else round(max(0.0, (since_ns - at_ns) / 1e6), 1)


def _last(log: list[dict[str, Any]], fact: str) -> object:
    values = [entry["value"] for entry in log if entry.get("fact") == fact]
    return values[-1] if values else None


def _locked(state: Path) -> list[Path]:
    held: list[Path] = []
    for path in state.rglob("*.lock"):
        with path.open("r+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                held.append(path)
    return held


def _said(folder: Path, *words: str) -> bool:
    text = (folder / "owner.log").read_text(errors="replace")
    return any(word in text for word in words)
