"""Rules as a pack: the canonical text, which reads back to the same digests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from .grammar import write_sentence
from .named import NamedRule
from .options import write_options

__all__ = ["write_pack", "write_table"]


def write_pack(rules: Sequence[NamedRule], schema: int, title: str = "") -> str:
    """A whole pack. `schema`: the version that its reader asks for."""
    head = [f"schema = {schema}"] + ([f"title = {_text(title)}"] if title else [])
    return "\n\n".join(["\n".join(head), *(write_table(rule) for rule in rules)]) + "\n"


def write_table(named: NamedRule) -> str:
    """One rule: its sentence, then the options that differ from their defaults, in the order of `docs/rules.md`."""
    lines = [f"[rule.{_text(named.id)}]", f"{named.pattern} = {_text(write_sentence(named.rule))}"]
    lines += [f"{key} = {_value(value)}" for key, value in write_options(named.rule, named.pattern).items()]
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_text, cast('list[str]', value)))}]"
    return _text(str(value))


def _text(text: str) -> str:
    """A literal string where the text has double quotes and nothing that it cannot hold, else a basic one."""
    plain = all(char.isprintable() for char in text)
    if plain and '"' in text and "'" not in text:
        return f"'{text}'"
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
