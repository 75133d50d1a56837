"""Where in the text of a pack a rule and its keys stand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ...timeline import key_line, syntax_line

__all__ = ["line_of", "place", "toml_place"]

_HEADER = re.compile(r"""\s*\[\s*(\w+)\s*\.\s*(?:"([^"]*)"|'([^']*)'|([^\]]+?))\s*\]""")


def place(path: Path, text: str, keys: Sequence[str]) -> str:
    """`file:line` of a key (tables first), or of the nearest table above it; the file alone where it is not found."""
    line = key_line(text, keys)
    return str(path) if line is None else f"{path}:{line}"


def toml_place(path: Path, error: ValueError) -> str:
    """`file:line` of what is no TOML; the file alone where it is no text at all."""
    if not isinstance(error, tomllib.TOMLDecodeError):
        return str(path)
    return f"{path}:{syntax_line(error, path.read_text(encoding='utf-8'))}"


def line_of(text: str, table: str, name: str, key: str = "") -> int | None:
    """Line (from 1) of `key` in `[table."name"]`, or of that header; None when it is not found."""
    header: int | None = None
    for number, line in enumerate(text.splitlines(), 1):
        match = _HEADER.match(line)
        if match:
            if header is not None:
                return header
            if match.group(1) == table and name in match.groups()[1:]:
                header = number
                if not key:
                    return number
        elif header is not None and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
            return number
    return header
