"""Where in the text of a pack a rule and its keys stand."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....errors import RuleError
from ...timeline import key_line, syntax_line

__all__ = ["line_of", "nearest", "place", "read_toml"]

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


def read_toml(path: Path, what: str, keys: Sequence[str], schema: int, advice: str = "") -> tuple[str, dict[str, Any]]:
    """The text of a file of rules or limits (`what`), and what stands in it.

    Raises:
        RuleError: it cannot be read, is no TOML, has a key that is none of `keys`, or is of another schema.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}. Does the {what} exist?", pack=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"is no TOML: {error}", pack=toml_place(path, error)) from error
    for key in content:
        if key not in keys:
            raise RuleError(f"unknown key {key!r}{nearest(key, keys)}", pack=place(path, text, (key,)))
    if content.get("schema") != schema:
        said = f"schema is {content.get('schema')!r}; this program reads schema = {schema}{advice}"
        raise RuleError(said, pack=place(path, text, ("schema",)))
    return text, content


def nearest(word: str, known: Sequence[str]) -> str:
    """`; did you mean …?` or, where nothing is near, the choice."""
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"


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
