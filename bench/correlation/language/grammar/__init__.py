"""The one-line language of rules: `docs/rules.md` has its grammar."""

from __future__ import annotations

from .lexer import Token, tokens
from .names import Names
from .problem import SentenceError
from .sentence import PATTERNS, parse_sentence
from .words import parse_amount, parse_conditions, parse_happenings, parse_values
from .write import write_amount, write_condition, write_happening, write_sentence, write_values

__all__ = [
    "PATTERNS",
    "Names",
    "SentenceError",
    "Token",
    "parse_amount",
    "parse_conditions",
    "parse_happenings",
    "parse_sentence",
    "parse_values",
    "tokens",
    "write_amount",
    "write_condition",
    "write_happening",
    "write_sentence",
    "write_values",
]
