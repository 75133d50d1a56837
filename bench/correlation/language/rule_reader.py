"""Reading one rule from its table: a sentence and options, strictly, with every error at its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from ....errors import RuleError
from ...timeline import did_you_mean
from .check import contradiction
from .grammar import PATTERNS, Names, SentenceError, parse_sentence
from .limits import Limit
from .named import NamedRule, name_rule
from .options import HEAD_OPTIONS, OPTIONS, read_option, unknown_option
from .place import line_of
from .rule import AnyRule
from .signals import Signal

__all__ = ["read_rule"]

_VERSIONS = ("1.6", "2.0.1", "2.1")


def read_rule(
    rule_id: str,
    table: Mapping[str, Any],
    limits: Mapping[str, Limit],
    pack: str,
    file: tuple[Path, str] | None = None,
    signals: Mapping[str, Signal] | None = None,
) -> NamedRule:
    """A rule from its table, as in a pack; `file` is the pack's path and text, `signals` are those that it defines.

    Raises:
        RuleError: it cannot be read, or has no name; says where, and the nearest known word.
    """
    if not rule_id:
        raise RuleError("a rule needs a name before it can be judged: end it with .named('…')", pack=pack)
    return _Reader(pack, rule_id, table, limits, file, signals).rule()


class _Reader:
    """Reads the table of one rule; `file` is the pack's path and text, for the places of errors."""

    def __init__(
        self,
        pack: str,
        rule_id: str,
        table: Mapping[str, Any],
        limits: Mapping[str, Limit],
        file: tuple[Path, str] | None,
        signals: Mapping[str, Signal] | None,
    ) -> None:
        self.pack = pack
        self.file = file
        self.rule_id = rule_id
        self.table = table
        self.names = Names(limits, signals)

    def rule(self) -> NamedRule:
        pattern = self._pattern()
        fields = self._guard(pattern, lambda: parse_sentence(pattern, self._sentence(pattern), self.names))
        for key, value in self.table.items():
            if key == pattern:
                continue
            if key not in HEAD_OPTIONS and key not in OPTIONS[pattern]:
                raise self._error(unknown_option(key, pattern), key)
            field, read = self._guard(key, lambda key=key, value=value: read_option(key, value, fields, self.names))
            fields[field] = read
        for version in cast("tuple[str, ...]", fields.get("ocpp", ())):
            if version not in _VERSIONS:
                raise self._error(f"unknown OCPP version {version!r}; known: {', '.join(_VERSIONS)}", "ocpp")
        try:
            built = msgspec.convert(fields, PATTERNS[pattern], from_attributes=True, strict=True)
        except msgspec.ValidationError as error:
            key = str(error).partition("$.")[2].strip("`") or ""
            raise self._error(str(error), key) from error
        self._consistent(built)
        return name_rule(self.rule_id, self.pack, built, self.names.used, self.names.used_signals)

    def _pattern(self) -> str:
        found = [key for key in self.table if key in PATTERNS]
        if len(found) == 1:
            return found[0]
        if found:
            raise self._error(f"has two sentences: {' and '.join(found)}; a rule has one", found[1])
        for key in self.table:
            near = did_you_mean(key, PATTERNS, 0.7)
            if key not in HEAD_OPTIONS and near:
                raise self._error(f"unknown pattern {key!r}{near}; known: {', '.join(PATTERNS)}", key)
        raise self._error(f"has no sentence; one of {', '.join(PATTERNS)} = '…' is needed")

    def _sentence(self, pattern: str) -> str:
        sentence = self.table[pattern]
        if not isinstance(sentence, str):
            raise ValueError(f"{pattern} = {sentence!r} is no text")
        return sentence

    def _consistent(self, rule: AnyRule) -> None:
        found = contradiction(rule, self.names.limits)
        if found is not None:
            raise self._error(found[1], found[0])

    def _guard(self, key: str, read: Any) -> Any:
        try:
            return read()
        except SentenceError as error:
            raise self._error(f"{error.message}\n{error.caret()}", key) from error
        except ValueError as error:
            raise self._error(str(error), key) from error

    def _error(self, message: str, key: str = "") -> RuleError:
        if self.file is None:
            return RuleError(message, pack=self.pack, rule=self.rule_id)
        path, text = self.file
        line = line_of(text, "rule", self.rule_id, key)
        return RuleError(message, pack=str(path) if line is None else f"{path}:{line}", rule=self.rule_id)
