"""A sentence as tokens with their places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .problem import SentenceError

__all__ = ["NAME", "Token", "tokens"]


class Token(NamedTuple):
    """`kind`: name, param (`$key`), quantity (`100 ms`), number, text (`"..."`), symbol, or end."""

    kind: str
    text: str
    start: int
    end: int


_WORD = r"\w+(?:-\w+)*"
NAME = re.compile(rf"[A-Za-z_]\w*(?:-\w+)*(?:\.{_WORD})*(?:\.\*)?", re.ASCII)
"""A name or a word: letters first, dots between its parts, `.*` for all that begins so."""
_UNIT = r"%|ns|us|ms|s|min|h|mA|A|mV|V|kV|W|kW|Wh|kWh|ohm|kohm|pp|degC|Hz"
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<quantity>[+-]?\d+(?:\.\d+)?\s+(?:{_UNIT})(?![\w.]) | [+-]?\d+(?:\.\d+)?%)
  | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w.]))
  | (?P<text>"[^"]*")
  | (?P<param>\$[A-Za-z_][\w.]*)
  | (?P<name>config\.{_WORD}(?:\.{_WORD})*(?:\[\w+\])? | {NAME.pattern})
  | (?P<symbol>->|=>|<=|>=|!=|!\?|\.\.|[|\[\]()<>=,~+?-])
    """,
    re.VERBOSE | re.ASCII,
)
_CLOSE = re.compile(rf"([+-]?\d+(?:\.\d+)?)({_UNIT})(?![\w.])", re.ASCII)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a sentence, with an `end` token last.

    Raises:
        SentenceError: a character that no token begins with.
    """
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            close = _CLOSE.match(text, at)
            if close is not None:
                number, unit = close.groups()
                hint = f"{close.group()!r} is no number with its unit; write {f'{number} {unit}'!r}"
                raise SentenceError(hint, text, at, close.end())
            raise SentenceError(f"{text[at]!r} means nothing here", text, at, at + 1)
        kind = match.lastgroup or ""
        if kind != "space":
            yield Token(kind, match.group(), at, match.end())
        at = match.end()
    yield Token("end", "", len(text), len(text) + 1)
