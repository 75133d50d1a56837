"""What helps somebody who mistyped: the nearest known word, and the line of a key in a TOML text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

__all__ = ["did_you_mean", "key_line", "syntax_line"]

_TABLE = re.compile(r"\s*\[+\s*([^\[\]]+?)\s*\]+\s*(?:#.*)?$")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*[=.]")


def did_you_mean(given: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """` (did you mean 'x'?)` when a known word is near, else an empty text; `cutoff` as in difflib."""
    near = difflib.get_close_matches(given, sorted(known), 1, cutoff)
    return f" (did you mean {near[0]!r}?)" if near else ""


def key_line(text: str, loc: Sequence[str]) -> int | None:
    """Line (from 1) of the key at `loc` (tables, then the key), or of the nearest table above it.

    None when no part of `loc` stands in the text.
    """
    current: tuple[str, ...] = ()
    best: tuple[int, int | None] = (0, None)
    for number, line in enumerate(text.splitlines(), 1):
        header = _TABLE.match(line)
        if header:
            current = tuple(part.strip().strip("\"'") for part in header.group(1).split("."))
            candidate = current
        else:
            key = _KEY.match(line)
            if key is None:
                continue
            candidate = (*current, key.group(1))
        depth = len(candidate)
        if candidate == tuple(loc[:depth]) and depth > best[0]:
            best = (depth, number)
    return best[1]


def syntax_line(error: ValueError, text: str) -> int:
    """Line of a TOML syntax error, which the standard library tells in its message only."""
    match = re.search(r"at line (\d+)", str(error))
    return int(match.group(1)) if match else text.count("\n") + 1
