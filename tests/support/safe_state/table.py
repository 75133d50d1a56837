"""The whole table, or parts of it: `python -m safe_state.table --only "SIGKILL, charging" --times 1`."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .cells import CAUSES, NETS, STATES, Cell, all_cells
from .judge import Played
from .page import HEAD, TITLES, measured_on
from .play import play

__all__ = ["main", "markdown", "play_all"]


def play_all(cells: Iterable[tuple[Cell, int]], base: Path, jobs: int, tell: bool = False) -> list[Played]:
    """Each cell so many times, `jobs` benches at once."""
    todo = [(cell, number) for cell, times in cells for number in range(times)]
    # The same number of each first: a run that is cut short has a little of everything.
    todo.sort(key=lambda one: one[1])
    done: list[Played] = []

    def one(cell: Cell, number: int) -> Played:
        name = f"{cell.nets}-{cell.state}-{cell.cause}-{number}".replace(" ", "_")
        played = play(cell, base / name)
        done.append(played)
        if tell:
            text = f"{played.worst_ms:.0f} ms" if played.worst_ms is not None else "-"
            print(f"[{len(done)}/{len(todo)}] {cell}: {text} {'; '.join(played.trouble)}", flush=True)
        return played

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda order: one(*order), todo))


def markdown(played: list[Played]) -> str:
    """The table, one part for each set of nets, and every run that failed in words."""
    lines: list[str] = []
    for nets in NETS:
        mine = [one for one in played if one.cell.nets == nets]
        if not mine:
            continue
        lines += ["", f"## {TITLES[nets]}", ""]
        lines.append("| cause | state | n | CP at A | load off | output dead | limit | late | failed |")
        lines.append("|---|---|---|---|---|---|---|---|---|")
        for cause in CAUSES:
            for state in STATES:
                runs = [one for one in mine if (one.cell.cause, one.cell.state) == (cause, state)]
                if runs:
                    lines.append(_row(runs))
    failed = [one for one in played if one.trouble]
    late = [one for one in played if one.late]
    told = f"{len(played)} runs, {len(failed)} failed, {len(late)} late while the machine stood still"
    again = sum(one.starts - 1 for one in played)
    lines += ["", f"{told}, {again} starts that the guardian ended before anything was tried.", ""]
    lines += [f"- {one.cell}: {'; '.join(_one_line(text) for text in one.trouble)}" for one in failed]
    lines += [f"- {one.cell}: {one.worst_ms:.0f} ms, of which {one.stalled_ms:.0f} ms stood still" for one in late]
    return "\n".join(lines).strip() + "\n"


def _row(runs: list[Played]) -> str:
    cell = runs[0].cell
    facts = [[one.cp_ms for one in runs], [one.load_ms for one in runs], [one.dead_ms for one in runs]]
    shown = " | ".join(_figures(values) for values in facts)
    late, bad = sum(one.late for one in runs), sum(bool(one.trouble) for one in runs)
    limit = "out of reach" if cell.out_of_reach else f"{cell.limit_ms:.0f}"
    return f"| {cell.cause} | {cell.state} | {len(runs)} | {shown} | {limit} | {late or ''} | {bad or ''} |"


def _figures(values: list[float | None]) -> str:
    """Median / worst, in ms. Where it never happened in some run, that stands there."""
    known = [value for value in values if value is not None]
    never = len(values) - len(known)
    if not known:
        return "never"
    text = f"{statistics.median(known):.0f} / {max(known):.0f}"
    return f"{text}, {never} x never" if never else text


def _one_line(text: str) -> str:
    return " ".join(text.split())[-300:]


def main() -> int:
    """Play, print, and write the page when asked; 1 when a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3 * (os.cpu_count() or 1), help="benches at once")
    parser.add_argument("--times", type=int, default=0, help="of each cell (default: 5, and 30 of the four that count)")
    parser.add_argument("--only", default="", help="cells whose name contains this text")
    parser.add_argument("--write", type=Path, help="write the page to this file")
    parser.add_argument("--keep", type=Path, help="keep what the runs left in this new folder")
    arguments = parser.parse_args()
    cells = [(cell, arguments.times or cell.repetitions) for cell in all_cells() if arguments.only in str(cell)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="safe-state-") as made:
        folder = arguments.keep or made
        played = play_all(cells, Path(folder), arguments.jobs, tell=True)
    minutes = (time.monotonic() - began) / 60
    text = markdown(played)
    print(f"\n{text}\n{minutes:.1f} minutes, {arguments.jobs} benches at once")
    if arguments.write is not None:
        arguments.write.write_text(HEAD + measured_on(arguments.jobs, minutes) + text, encoding="utf-8")
    return 1 if any(one.trouble for one in played) or not played else 0


if __name__ == "__main__":
    sys.exit(main())
