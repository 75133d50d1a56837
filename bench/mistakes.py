"""What a model of a bench file found wrong, in words: where, what it should be, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from ..errors import ConfigError
from .timeline import did_you_mean, key_line

__all__ = ["explain"]

SHOULD_BE = "Input should be "
WORD = re.compile(r"'([^']*)'")


def explain(
    error: ValidationError,
    path: Path,
    text: str,
    known_keys: Callable[[Sequence[str]], Sequence[str]],
    at: tuple[str, ...] = (),
) -> ConfigError:
    """The first mistake as an error with its line, and how many more there are.

    `text` is the file; `at`: the table that was looked at; `known_keys`: the keys of a table.
    """
    found: dict[tuple[str | int, ...], list[dict[str, Any]]] = {}
    # An unknown key explains the key that is missing beside it, so it is told first.
    for problem in sorted(error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden"):
        found.setdefault(_item(problem["loc"]), []).append(cast("dict[str, Any]", problem))
    item, problems = next(iter(found.items()))
    loc = (*at, *(str(part) for part in item if isinstance(part, str)))
    where = ".".join(loc)
    line = key_line(text, loc)
    match problems[0]["type"]:
        case "extra_forbidden":
            message = f"unknown key {where!r}{did_you_mean(loc[-1], known_keys(loc[:-1]))}."
        case "missing":
            message = f"{where!r} is missing."
        case _:
            message = f"{where}: {_wrong(problems)}."
            line = _line_of(problems[0]["input"], text, line) if item and isinstance(item[-1], int) else line
    more = len(found) - 1
    if more:
        message += f" ({more} more problem{'s' if more > 1 else ''} after this one)"
    return ConfigError(message, file=str(path), line=line)


def _item(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Down to the entry of a list: what stands behind it names one of the kinds that the entry may be of."""
    index = next((at for at, part in enumerate(loc) if isinstance(part, int)), None)
    return loc if index is None else loc[: index + 1]


def _wrong(problems: Sequence[dict[str, Any]]) -> str:
    """What is wrong with one value, which fits none of the kinds that it may be of."""
    says = [str(problem["msg"]).removeprefix("Value error, ") for problem in problems]
    given = problems[0]["input"]
    words = [word for problem in problems for word in WORD.findall(str(problem.get("ctx", {}).get("expected", "")))]
    if not all(text.startswith(SHOULD_BE) for text in says):
        return says[0]
    should = " or ".join(text.removeprefix(SHOULD_BE) for text in says)
    if isinstance(given, str) and words:
        return f"there is no {given!r}{did_you_mean(given, words)}; it should be {should}"
    return f"{SHOULD_BE}{should}"


def _line_of(entry: object, text: str, begins: int | None) -> int | None:
    """The line of an entry of a list that begins on a line: of a word the one where it stands."""
    if begins is None or not isinstance(entry, str):
        return begins
    for number, line in enumerate(text.splitlines()[begins - 1 :], begins):
        if f'"{entry}"' in line or f"'{entry}'" in line:
            return number
    return begins
