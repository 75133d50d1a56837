"""Plays the whole matrix and prints it as Markdown: `make faults`, or this file with `--only NAME`.

Exit code 0 when every fault was seen by one of its rules and nothing was blamed wrongly, else 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from cli_runs import cli
from fault_matrix import CLEAN_SESSIONS, Judged, Play, clean_plays, judge, listed, plays

AT_ONCE = 3


def play_all(wanted: Sequence[Play], base: Path, at_once: int) -> list[Judged]:
    """Play everything, some at a time; the order is that of `wanted`."""

    def one(play: Play) -> Judged:
        name = f"{play.kind}-{play.label}".replace(" ", "-")
        folder = base / name
        run = cli("run", "--json", "--out", str(folder), *play.options, state=base / f"{name}.state", folder=folder)
        return judge(play, run)

    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(one, play): index for index, play in enumerate(wanted)}
        done: dict[int, Judged] = {}
        for future in as_completed(futures):
            index = futures[future]
            try:
                judged = future.result()
            except Exception as error:  # noqa: BLE001 - one run that broke is one line of the table
                judged = Judged(wanted[index], (), (), wanted[index].sure, (), f"{type(error).__name__}: {error}")
            done[index] = judged
            sys.stderr.write(f"{len(done):3}/{len(wanted)} {judged.play.label:32} {judged.word}\n")
    return [done[index] for index in range(len(wanted))]


def table(judged: Sequence[Judged]) -> Iterator[str]:
    """One line for each fault and oddity in each version; clean sessions are counted only, unless one went wrong."""
    yield "| fault or oddity | version | case | should FAIL | FAIL | extra FAILs | |"
    yield "|---|---|---|---|---|---|---|"
    for one in judged:
        if one.play.kind == "clean" and one.right:
            continue
        word = one.word if not one.trouble else f"{one.word}: {' '.join(one.trouble.split())[:200]}"
        cells = (
            one.play.name,
            one.play.version,
            one.play.course,
            ", ".join(one.play.sure) or "-",
            ", ".join(one.caught) or "-",
            ", ".join(one.extra) or "-",
            word,
        )
        yield "| " + " | ".join(cells) + " |"


def rates(judged: Sequence[Judged], took_s: float) -> Iterator[str]:
    """What share of each kind went as it should."""
    yield "| | runs | as it should be | |"
    yield "|---|---|---|---|"
    for kind, what in (("fault", "caught"), ("oddity", "not blamed"), ("clean", "not blamed")):
        own = [one for one in judged if one.play.kind == kind]
        if not own:
            continue
        right = sum(one.right and not one.only_stalled for one in own)
        stood = sum(one.right and one.only_stalled for one in own)
        note = f"{stood} more seen while this machine stood still" if stood else ""
        yield f"| {kind} | {len(own)} | {right} {what} ({100 * right / len(own):.1f} %) | {note} |"
    extra = sum(len(one.extra) for one in judged)
    yield ""
    yield f"FAILs that should not be: {extra}. It took {took_s / 60:.0f} min."


def chosen(arguments: argparse.Namespace, base: Path) -> list[Play]:
    """What the command line asks for."""
    every = [*plays(listed(base / "list.state")), *clean_plays(arguments.clean)]
    names: list[str] = arguments.only
    unknown = [name for name in names if name not in {part for one in every for part in (one.name, one.label)}]
    if unknown:
        raise SystemExit(f"there is no fault or oddity {', '.join(unknown)}; `pilotbench twin faults` lists them")
    return [
        one
        for one in every
        if (not names or one.name in names or one.label in names)
        and (not arguments.ocpp or one.version == arguments.ocpp)
        and (not arguments.kind or one.kind == arguments.kind)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="the matrix of faults and oddities")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these, as NAME or NAME@VERSION")
    parser.add_argument("--kind", choices=("fault", "oddity", "clean"))
    parser.add_argument("--ocpp", help="this version only")
    parser.add_argument("--clean", type=int, default=CLEAN_SESSIONS, help="clean sessions")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("--keep", type=Path, help="leave the runs in this folder")
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as made:
        base = arguments.keep or Path(made)
        base.mkdir(parents=True, exist_ok=True)
        judged = play_all(chosen(arguments, base), base, arguments.at_once)
    print("\n".join([*table(judged), "", *rates(judged, time.monotonic() - began)]))
    return 0 if all(one.right for one in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
