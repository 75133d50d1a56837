"""Closing a bench from the command line: every error on the way becomes a line of text."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path

from ...errors import BenchError
from ..host import BenchHost

__all__ = ["close_quietly", "one_line", "worst"]

SEVERITY = (0, 5, 3, 1, 2, 4)
"""Exit codes from the least to the most serious."""


def worst(codes: Iterable[int]) -> int:
    """The code that decides; that of an error when there is none at all."""
    return max(codes, key=SEVERITY.index, default=BenchError.exit_code)


def close_quietly(host: BenchHost, *, finished: bool = True) -> list[str]:
    """Make safe and close; returns what went wrong, one text an error."""
    try:
        host.close(finished=finished)
    except BenchError as error:
        return [str(error)]
    except ExceptionGroup as group:
        return [one_line(error) for error in _leaves(group)]
    return []


def one_line(error: Exception) -> str:
    """An error as a user should read it."""
    text = str(error) if isinstance(error, BenchError) else _unexpected(error)
    return " ".join([text, *getattr(error, "__notes__", ())])


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno}, {frames[-1].name})" if frames else ""
    return f"unexpected {type(error).__name__}: {error}{where}. This is a mistake of pilotbench: please report it."


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    found: list[Exception] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
