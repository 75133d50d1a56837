"""`pilotbench twin faults`: what can be wrong in the virtual bench, and which rules should see it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import BenchError, ConfigError
from ..timeline import did_you_mean
from .output import write_document

__all__ = ["check_deviation", "check_faults", "deviations", "faults_command"]

Row = Mapping[str, Any]
TWO = ("2.0.1", "2.1")


def faults_command(*, json: bool, markdown: bool) -> int:
    """Print the lists as text, JSON or Markdown; returns the exit code 0.

    Raises:
        BenchError: the twin does not say what it can do.
    """
    lists = _lists()
    if json:
        write_document({"exit_code": 0, "problems": [], **lists})
    else:
        lines = _markdown(lists) if markdown else _text(lists)
        sys.stdout.write("\n".join(lines) + "\n")
    return 0


def deviations(kind: str) -> list[Row]:
    """The "fault"s or "oddity"s of the simulated station, as `Deviation.plain` gives them.

    Raises:
        BenchError: the twin does not say what it can do.
    """
    return _of_kind(_lists(), kind)


def check_deviation(option: str, name: str, kind: str, version: str) -> None:
    """Check the name of a "fault" or "oddity" of the simulated station, given with `option`, for an OCPP version.

    Raises:
        ConfigError: the station has none of that name, or it means nothing in that version.
        BenchError: the twin does not say what it can do.
    """
    known = {row["name"]: row for row in deviations(kind)}
    if name not in known:
        hint = did_you_mean(name, list(known))
        raise ConfigError(f"{option}: the simulated station has no {name!r}{hint}. Known: {', '.join(known)}.")
    versions: list[str] = known[name]["versions"]
    if version not in versions:
        raise ConfigError(
            f"{option}: {name} has no meaning in OCPP {version}, only in {', '.join(versions)}. Choose with --ocpp."
        )


def _lists() -> dict[str, list[Row]]:
    """Asked of the twin as a process: nothing here imports it."""
    return json.loads(_asked())


def check_faults(faults: Sequence[Mapping[str, Any]]) -> None:
    """Check names and arguments of faults of the twin, as `parse_fault` makes them.

    Raises:
        ConfigError: there is no such fault, or it cannot have these arguments.
        BenchError: the twin does not say what it can do.
    """
    wrong = _asked(*(json.dumps(fault) for fault in faults)).splitlines() if faults else []
    if wrong:
        raise ConfigError(f"--twin-fault: {wrong[0]}. `pilotbench twin faults` lists them with their arguments.")


def _asked(*faults: str) -> str:
    command = [sys.executable, "-m", "pilotbench.bench.twin", *faults]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if answer.returncode:
        raise BenchError(f"the twin did not tell what can be wrong with it: {answer.stderr.strip()[-200:]}")
    return answer.stdout


def _of_kind(lists: Mapping[str, list[Row]], kind: str) -> list[Row]:
    return [row for row in lists["station"] if row["kind"] == kind]


def _by_version(rules: Mapping[str, list[str]], *, tick: str = "") -> Iterator[str]:
    """The rules of all versions, then those of 1.6, of both 2.x, and of one of them only."""
    everywhere = set[str]()
    if len(rules) == 3:
        everywhere = set(rules["1.6"]) & set(rules["2.0.1"]) & set(rules["2.1"])
    both = set[str]()
    if all(version in rules for version in TWO):
        both = set(rules["2.0.1"]) & set(rules["2.1"]) - everywhere
    groups = {
        "": [rule for rule in rules.get("1.6", []) if rule in everywhere],
        "1.6": [rule for rule in rules.get("1.6", []) if rule not in everywhere],
        "2.x": [rule for rule in rules.get("2.1", []) if rule in both],
        **{v: [rule for rule in rules.get(v, []) if rule not in everywhere | both] for v in TWO},
    }
    for version, named in groups.items():
        if named:
            yield (f"{version}: " if version else "") + ", ".join(f"{tick}{rule}{tick}" for rule in named)


def _versions(row: Row) -> str:
    versions: list[str] = row["versions"]
    return "every version" if len(versions) == 3 else ", ".join(versions)


def _notes(row: Row, *, tick: str = "") -> str:
    """What a run with it takes, and what the bench file has to say for it."""
    bench: Mapping[str, str] = row["bench"]
    settings = ", ".join(f"{tick}{key} = {value}{tick}" for key, value in bench.items())
    notes = (" (takes minutes)" if row["long"] else "", f" (on a bench with {settings})" if settings else "")
    return "".join(notes)


def _case(row: Row) -> str:
    return str(row["course"]) + _notes(row, tick="`")


def _text(lists: Mapping[str, list[Row]]) -> Iterator[str]:
    yield "Faults of the simulated station: pilotbench run CASE --ocpp VERSION --station-fault NAME"
    yield ""
    for row in _of_kind(lists, "fault"):
        yield f"{row['name']:22} {row['course']:15} {'; '.join(_by_version(row['trips']))}"
        yield f"{'':22} {row['text']}{_notes(row)}"
    yield ""
    yield "Oddities, strange and conforming: pilotbench run CASE --ocpp VERSION --station-oddity NAME"
    yield ""
    for row in _of_kind(lists, "oddity"):
        yield f"{row['name']:22} {row['course']:15} {_versions(row)}"
        yield f"{'':22} {row['text']}{_notes(row)}"
    yield ""
    yield "What can break beside it, switched while the bench runs: whose fault, what a run with it leads to"
    yield ""
    for row in lists["physical"]:
        arguments = ", ".join(f"{key}={one['default']}" for key, one in row["arguments"].items())
        yield f"{row['name']:22} {row['whose']}: {row['outcome']}{f' ({arguments})' if arguments else ''}"
        yield f"{'':22} {row['text']}{_named(_sees(row))}"


def _sees(row: Row) -> list[str]:
    """The rules that say FAIL, or the cause of the supervisor's trip."""
    return [row["trip"]] if row["trip"] else row["rules"]


def _named(rules: list[str]) -> str:
    return f" [{', '.join(rules)}]" if rules else ""


def _markdown(lists: Mapping[str, list[Row]]) -> Iterator[str]:
    yield "## Faults of the simulated station"
    yield ""
    yield "| fault | what it does | case | rules that say FAIL |"
    yield "|---|---|---|---|"
    for row in _of_kind(lists, "fault"):
        rules = "; ".join(_by_version(row["trips"], tick="`"))
        yield f"| `{row['name']}` | {row['text']} | {_case(row)} | {rules} |"
    yield ""
    yield "## Oddities"
    yield ""
    yield "| oddity | what it does | case | versions |"
    yield "|---|---|---|---|"
    for row in _of_kind(lists, "oddity"):
        yield f"| `{row['name']}` | {row['text']} | {_case(row)} | {_versions(row)} |"
    yield ""
    yield "## What can break beside the station's software"
    yield ""
    yield "| fault | what it does | arguments | whose | a run with it |"
    yield "|---|---|---|---|---|"
    for row in lists["physical"]:
        arguments = ", ".join(f"`{key}` = {one['default']}" for key, one in row["arguments"].items())
        then = ": ".join(filter(None, (row["outcome"], ", ".join(f"`{one}`" for one in _sees(row)))))
        yield f"| `{row['name']}` | {row['text']} | {arguments} | {row['whose']} | {then} |"
