"""The matrix: each station fault in each version against the rules that should see it, what conforms against none.

What there is to play comes from `pilotbench twin faults --json`; a run is one `pilotbench run --json`. `fault_report`
plays it all.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pilotbench.bench.config import virtual_bench
from pilotbench.bench.recording import read_run

from cli_runs import CliRun, cli

VERSIONS = ("1.6", "2.0.1", "2.1")
CLEAN_SESSIONS = 50
NOT_MOVED = "the bench has not moved"
STOOD_STILL = "the twin stood still meanwhile (twin.overrun)"

NO_FAULT: dict[str, str] = {
    **dict.fromkeys(
        [
            "c1_c2.measured",
            "b1_b2.measured",
            "ev.stops",
            "reconnect.measured",
            "reconnect.boot",
            "v2.reconnect.measured",
        ],
        "measures, and has no limit",
    ),
    **dict.fromkeys(["ev.follows", "no_current.dead"], "is about the bench's own vehicle or instruments"),
}
"""Rule -> why no fault of the list trips it for sure. The traces of the unit tests do."""


@dataclass(frozen=True)
class Play:
    """One run of the matrix. `sure` and `perhaps` are empty for what must not FAIL at all. `long`: it takes minutes.

    `bench`: what the bench file says instead of what `virtual.toml` says, as key -> value in TOML.
    """

    kind: str
    name: str
    version: str
    course: str = "session"
    sure: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    seed: int | None = None
    long: bool = False
    bench: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def options(self) -> tuple[str, ...]:
        """The command line after `pilotbench run --json`."""
        made = ["--ocpp", self.version]
        if self.kind != "clean":
            made += [f"--station-{self.kind}", self.name]
        if self.seed is not None:
            made += ["--seed", str(self.seed)]
        return (*made, self.course)

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    def command(self, base: Path) -> tuple[str, ...]:
        """As `options`, with a bench file of its own in `base` where it wants one."""
        if not self.bench:
            return self.options
        base.mkdir(parents=True, exist_ok=True)
        path = base / f"{self.name}.toml"
        path.write_text(changed(virtual_bench().read_text("utf-8"), self.bench), encoding="utf-8")
        return ("--bench", str(path), *self.options)


@dataclass(frozen=True)
class Judged:
    """What a run of the matrix showed.

    - `caught`: rules that should FAIL and do. `stalled`: rules that would, had this machine not stood still.
    - `missed`: rules that should FAIL and neither do nor would. `extra`: rules that FAIL and should not.
    - `trouble`: what kept the run from being one; empty when all went well.
    - `halted`: it is none because this machine stood still for so long that the guardian ended it.
    - `rules`: all that were judged. `fails`: those that FAIL.
    """

    play: Play
    caught: tuple[str, ...]
    stalled: tuple[str, ...]
    missed: tuple[str, ...]
    extra: tuple[str, ...]
    trouble: str = ""
    halted: bool = False
    rules: frozenset[str] = frozenset()
    fails: frozenset[str] = frozenset()

    @property
    def by_machine(self) -> bool:
        """This machine, not the station, is at fault that it was not caught; it is worth playing again alone."""
        return self.halted or (self.only_stalled and not self.extra and not self.trouble)

    @property
    def seen(self) -> bool:
        """A fault is caught by one of its rules at least, or would be."""
        return not self.play.sure or bool(self.caught or self.stalled)

    @property
    def only_stalled(self) -> bool:
        return bool(self.play.sure) and not self.caught and bool(self.stalled)

    @property
    def right(self) -> bool:
        return self.seen and not self.extra and not self.trouble

    @property
    def word(self) -> str:
        if self.halted:
            return "no run, this machine stood still"
        if self.trouble:
            return "no run"
        if self.extra:
            return "wrongly blamed"
        if not self.play.sure:
            return "not blamed"
        if self.only_stalled:
            return "seen, but this machine stood still"
        return "caught" if self.caught else "NOT CAUGHT"


def changed(text: str, settings: Mapping[str, str]) -> str:
    """A bench file that says this of each key, or has not that device; each has to be there once."""
    for key, value in settings.items():
        if key.startswith("device."):
            text, found = re.subn(rf"^\[{re.escape(key)}\]\n(?:[^\[\n].*\n|\n)*", "", text, flags=re.MULTILINE)
        else:
            text, found = re.subn(rf"^{re.escape(key)} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"{key} stands {found} times in the bench file, not once")
    return text


@functools.cache
def listed(state: Path) -> dict[str, list[dict[str, Any]]]:
    """What the command line lists: the `station`'s faults and oddities, and the `physical` ones."""
    run = cli("twin", "faults", "--json", state=state)
    assert run.code == 0, run.err
    return run.document


def plays(rows: Iterable[dict[str, Any]]) -> Iterator[Play]:
    """Every fault and oddity in every version in which it has a meaning."""
    for row in rows:
        for version in row["versions"]:
            sure, perhaps = row["trips"].get(version, ()), row["perhaps"].get(version, ())
            trips = (tuple(sure), tuple(perhaps))
            yield Play(row["kind"], row["name"], version, row["course"], *trips, long=row["long"], bench=row["bench"])


def clean_plays(count: int = CLEAN_SESSIONS) -> Iterator[Play]:
    """Sessions of a clean station, each with noise and delays of its own, the versions in turn."""
    for seed in range(1, count + 1):
        yield Play("clean", f"clean {seed}", VERSIONS[seed % len(VERSIONS)], seed=seed)


def judge(play: Play, run: CliRun) -> Judged:
    """Compare the verdicts of a run with what the play is to lead to."""
    try:
        document = run.document
    except ValueError:
        return Judged(play, (), (), play.sure, (), *none_at_all(run))
    return compare(play, document, overruns(run.folder))


def compare(play: Play, document: dict[str, Any], overrun_count: int) -> Judged:
    """As `judge`, of the run's JSON document; `overrun_count`: how often the twin stood still in it."""
    verdicts: dict[str, dict[str, Any]] = {verdict["rule"]: verdict for verdict in document["verdicts"]}
    fails = {rule for rule, verdict in verdicts.items() if verdict["verdict"] == "FAIL"}
    stalled = {rule for rule in play.sure if overrun_count > 0 and stood_still(verdicts.get(rule))}
    caught = tuple(rule for rule in play.sure if rule in fails)
    return Judged(
        play,
        caught=caught,
        stalled=tuple(rule for rule in play.sure if rule in stalled),
        missed=tuple(rule for rule in play.sure if rule not in fails | stalled),
        extra=tuple(sorted(fails - set(play.sure) - set(play.perhaps))),
        trouble="" if caught else _trouble(play, document, verdicts),
        rules=frozenset(verdicts),
        fails=frozenset(fails),
    )


def stood_still(verdict: dict[str, Any] | None) -> bool:
    """A verdict that would be FAIL, were it not for a standstill of the twin."""
    if verdict is None or verdict["verdict"] != "INCONCLUSIVE":
        return False
    return verdict["lean"] == "FAIL" and verdict["reason"] == "PRECONDITION" and STOOD_STILL in verdict["because"]


def _trouble(play: Play, document: dict[str, Any], verdicts: dict[str, dict[str, Any]]) -> str:
    """Why a run says nothing of the station: the bench contradicts itself, or the case did not go through.

    A faulty station may well keep a case from its end, and a welded contactor the bench from making safe.
    """
    errors = [rule for rule, verdict in verdicts.items() if verdict["verdict"] == "ERROR"]
    if errors:
        return f"ERROR of {', '.join(errors)}"
    if not document["cases"]:
        return "no case was played: " + "; ".join(document["problems"])
    fine = ("passed", "incomplete") if play.kind == "fault" else ("passed",)
    broken = [f"{case['name']}: {case['text']}" for case in document["cases"] if case["outcome"] not in fine]
    return "; ".join(broken if play.kind == "fault" else [*broken, *document["problems"]])


def none_at_all(run: CliRun) -> tuple[str, bool]:
    """Why a run left no document, and whether that is this machine's fault: a guardian that ended it says why."""
    report = run.folder / "guardian.json"
    if not report.is_file():
        return f"no document, exit code {run.code}: {run.err[-300:]}", False
    why: str = json.loads(report.read_text("utf-8"))["why"]
    return f"no document: the guardian ended the run, {why}", NOT_MOVED in why


def overruns(folder: Path) -> int:
    """How often the twin stood still in a run, by its recording."""
    return sum(event.topic == "twin.overrun" for event in read_run(folder).events)
