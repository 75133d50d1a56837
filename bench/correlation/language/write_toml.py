"""Rules as a pack: the canonical text, which reads back to the same digests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from .grammar import write_sentence
from .named import NamedRule
from .options import write_options

__all__ = ["write_pack", "write_table"]


def write_pack(
    rules: Sequence[NamedRule], schema: int, title: str = "", signals: Mapping[str, Mapping[str, Any]] | None = None
) -> str:
    """A whole pack. `schema`: the version that its reader asks for. `signals`: the tables of its own signals."""
    head = [f"schema = {schema}"] + ([f"title = {_text(title)}"] if title else [])
    own = [_table("signal", name, table) for name, table in (signals or {}).items()]
    return "\n\n".join(["\n".join(head), *own, *(write_table(rule) for rule in rules)]) + "\n"


def write_table(named: NamedRule) -> str:
    """One rule: its sentence, then the options that differ from their defaults, in the order of `docs/rules.md`."""
    sentence = {named.pattern: write_sentence(named.rule, named.known)}
    return _table("rule", named.id, {**sentence, **write_options(named.rule, named.pattern, named.known)})


def _table(kind: str, name: str, content: Mapping[str, Any]) -> str:
    return "\n".join([f"[{kind}.{_text(name)}]", *(f"{key} = {_value(value)}" for key, value in content.items())])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return "{ " + ", ".join(f"{_text(key)} = {_value(item)}" for key, item in pairs) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, cast('list[Any]', value)))}]"
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
