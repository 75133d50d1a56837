"""Plays the whole matrix and prints it as Markdown: `make faults`, or this file with `--only NAME`.

A run that this machine spoiled by standing still is played again once, alone, and the table says so. Exit code 0 when
every fault was seen by one of its rules, nothing was blamed wrongly, and every physical fault led to what is listed;
else 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from cli_runs import LONG_RUN_WITHIN_S, RUN_WITHIN_S, cli
from fault_matrix import CLEAN_SESSIONS, NO_FAULT, Judged, Play, clean_plays, judge, listed, plays
from physical_matrix import ELSEWHERE, PhysicalPlay, Seen, look, physical_plays

AT_ONCE = 5
"""A run waits most of its time: one takes a fifth to a quarter of a core."""

AnyPlay = Play | PhysicalPlay
AnyResult = Judged | Seen


@dataclass(frozen=True)
class Played:
    """What came of one; `before` is the word for its first run when it was played again."""

    result: AnyResult
    before: str = ""

    @property
    def word(self) -> str:
        word = self.result.word
        if isinstance(self.result, Judged) and self.result.trouble:
            word += f": {' '.join(self.result.trouble.split())[:200]}"
        return f"{word} (again and alone; before: {self.before})" if self.before else word


def play_one(play: AnyPlay, base: Path, *, again: bool = False) -> AnyResult:
    """One run, and what it shows. One that breaks is one line of the table."""
    name = f"{play.kind}-{play.label}{'-again' if again else ''}".replace(" ", "-")
    folder = base / name
    try:
        command = play.command(base)
        args = ["run", "--json", "--out", str(folder), *command]
        within_s = LONG_RUN_WITHIN_S if play.long else RUN_WITHIN_S
        run = cli(*args, state=base / f"{name}.state", folder=folder, within_s=within_s)
        return judge(play, run) if isinstance(play, Play) else look(play, run)
    except Exception as error:  # noqa: BLE001 - see above
        trouble = f"{type(error).__name__}: {error}"
        if isinstance(play, Play):
            return Judged(play, (), (), play.sure, (), trouble)
        return Seen(play, trouble=trouble)


def in_turn(wanted: Sequence[AnyPlay]) -> list[int]:
    """The order in which they begin, as indices: what takes minutes first, else as they come."""
    return sorted(range(len(wanted)), key=lambda index: not wanted[index].long)


def play_all(wanted: Sequence[AnyPlay], base: Path, at_once: int) -> list[Played]:
    """Play everything, some at a time, then again alone what this machine spoiled; the order is that of `wanted`.

    What takes minutes begins first: it mostly waits, and nothing else has to wait for it in the end.
    """
    done: dict[int, Played] = {}
    with ThreadPoolExecutor(at_once) as pool:
        futures = {pool.submit(play_one, wanted[index], base): index for index in in_turn(wanted)}
        for future in as_completed(futures):
            result = future.result()
            done[futures[future]] = Played(result)
            sys.stderr.write(f"{len(done):3}/{len(wanted)} {result.play.label:32} {result.word}\n")
    for index, first in sorted(done.items()):
        if first.result.by_machine:
            result = play_one(wanted[index], base, again=True)
            done[index] = Played(result, first.result.word)
            sys.stderr.write(f"again   {result.play.label:32} {result.word}\n")
    return [done[index] for index in range(len(wanted))]


def station_table(played: Sequence[Played]) -> Iterator[str]:
    """One line for each fault and oddity in each version; clean sessions are counted only, unless one went wrong."""
    if not any(isinstance(one.result, Judged) for one in played):
        return
    yield "| fault or oddity | version | case | should FAIL | FAIL | extra FAILs | |"
    yield "|---|---|---|---|---|---|---|"
    for one in played:
        result = one.result
        if not isinstance(result, Judged) or (result.play.kind == "clean" and result.right):
            continue
        cells = (
            result.play.name,
            result.play.version,
            result.play.course,
            ", ".join(result.play.sure) or "-",
            ", ".join(result.caught) or "-",
            ", ".join(result.extra) or "-",
            one.word,
        )
        yield "| " + " | ".join(cells) + " |"


def physical_table(played: Sequence[Played]) -> Iterator[str]:
    """One line for each fault beside the station's software."""
    seen = [one for one in played if isinstance(one.result, Seen)]
    if not seen:
        return
    yield "| what breaks beside the station's software | how | a run with it | it came to | |"
    yield "|---|---|---|---|---|"
    for one in seen:
        result = one.result
        assert isinstance(result, Seen)
        course = result.play.course
        outcome = ": ".join(filter(None, (result.play.outcome, ", ".join(result.play.rules), result.play.trip)))
        cells = (result.play.name, course.arguments or "from the start", outcome, result.told, one.word)
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "Played by other tests: " + "; ".join(f"{name} ({why})" for name, why in ELSEWHERE.items()) + "."


def rates(played: Sequence[Played], took_s: float) -> Iterator[str]:
    """What share of each kind went as it should."""
    yield "| | runs | as it should be | |"
    yield "|---|---|---|---|"
    kinds = {"fault": "caught", "oddity": "not blamed", "clean": "not blamed", "physical": "as listed"}
    for kind, what in kinds.items():
        own = [one.result for one in played if one.result.play.kind == kind]
        if not own:
            continue
        stood = sum(one.right and one.only_stalled for one in own)
        right = sum(one.right for one in own) - stood
        note = f"{stood} more seen while this machine stood still" if stood else ""
        yield f"| {kind} | {len(own)} | {right} {what} ({100 * right / len(own):.1f} %) | {note} |"
    judged = [one.result for one in played if isinstance(one.result, Judged)]
    names = {kind: len({one.play.name for one in judged if one.play.kind == kind}) for kind in ("fault", "oddity")}
    again = [one.result.play.label for one in played if one.before]
    yield ""
    yield f"{names['fault']} faults and {names['oddity']} oddities of the station by name."
    yield f"FAILs that should not be: {sum(len(one.extra) for one in judged)}."
    yield f"Played again alone, because this machine stood still: {', '.join(again) or 'none'}."
    yield f"It took {took_s / 60:.0f} min."


def unseen(played: Sequence[Played]) -> Iterator[str]:
    """Rules that a fault is listed for, and that did not FAIL in its run although another one of the list did."""
    missed = [one.result for one in played if isinstance(one.result, Judged) and one.result.missed]
    if missed:
        yield "Listed for a fault, and not FAIL in its run:"
        yield ""
        yield from (f"- {one.play.label}: {', '.join(one.missed)}" for one in missed)


def untripped(played: Sequence[Played]) -> Iterator[str]:
    """Which rules no run made FAIL, and why that is known where it is."""
    judged = frozenset[str]().union(*(one.result.rules for one in played))
    tripped = frozenset[str]().union(*(one.result.fails for one in played))
    silent = sorted(judged - tripped)
    yield f"Rules judged: {len(judged)}; made FAIL by a fault: {len(judged & tripped)}. No fault tripped:"
    yield ""
    reasons: dict[str, list[str]] = {}
    for rule in silent:
        reasons.setdefault(NO_FAULT.get(rule, "it has a fault in the list, see above"), []).append(rule)
    for why, rules in reasons.items():
        yield f"- {', '.join(rules)}: {why}"


def chosen(arguments: argparse.Namespace, base: Path) -> list[AnyPlay]:
    """What the command line asks for."""
    lists = listed(base / "list.state")
    every = [*plays(lists["station"]), *clean_plays(arguments.clean), *physical_plays(lists["physical"])]
    names: list[str] = arguments.only
    unknown = [name for name in names if name not in {part for one in every for part in (one.name, one.label)}]
    if unknown:
        raise SystemExit(f"there is no fault or oddity {', '.join(unknown)}; `pilotbench twin faults` lists them")
    return [
        one
        for one in every
        if (not names or one.name in names or one.label in names)
        and (not arguments.ocpp or getattr(one, "version", None) == arguments.ocpp)
        and (not arguments.kind or one.kind == arguments.kind)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="the matrix of faults and oddities")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these, as NAME or NAME@VERSION")
    parser.add_argument("--kind", choices=("fault", "oddity", "clean", "physical"))
    parser.add_argument("--ocpp", help="this version only")
    parser.add_argument("--clean", type=int, default=CLEAN_SESSIONS, help="clean sessions")
    parser.add_argument("--at-once", type=int, default=AT_ONCE)
    parser.add_argument("--keep", type=Path, help="leave the runs in this folder")
    arguments = parser.parse_args(argv)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="faults-") as made:
        base: Path = arguments.keep or Path(made)
        base.mkdir(parents=True, exist_ok=True)
        played = play_all(chosen(arguments, base), base, arguments.at_once)
    parts = [station_table(played), physical_table(played), rates(played, time.monotonic() - began), unseen(played)]
    if not (arguments.only or arguments.kind or arguments.ocpp):
        parts.append(untripped(played))
    print("\n\n".join(filter(None, ("\n".join(part) for part in parts))))
    return 0 if all(one.result.right for one in played) else 1


if __name__ == "__main__":
    sys.exit(main())
