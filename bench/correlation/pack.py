"""Rule packs: TOML to rules, strictly, with limits resolved and digests made."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from ...errors import RuleError
from ..timeline import did_you_mean, parse_quantity
from .grammar import PATTERNS, Names, SentenceError, parse_sentence
from .limits import Limit, dimension_of, load_limits, nearest
from .options import HEAD_OPTIONS, OPTIONS, read_option, unknown_option
from .place import line_of
from .rule import AnyRule

__all__ = ["SCHEMA", "NamedRule", "Pack", "load_pack", "name_rule"]

SCHEMA = 2
_PACK_KEYS = ("schema", "title", "ocpp", "rule")
_VERSIONS = ("1.6", "2.0.1", "2.1")


class NamedRule(msgspec.Struct, frozen=True):
    """A rule with its name, the pack it stands in, the limits it names, and the digest of all that."""

    id: str
    pack: str
    rule: AnyRule
    limits: tuple[Limit, ...]
    digest: str

    @property
    def verified(self) -> bool:
        """False when one of its limits was not checked against the standard's text."""
        return all(limit.verified for limit in self.limits)

    @property
    def pattern(self) -> str:
        """Name of its pattern."""
        return next(name for name, kind in PATTERNS.items() if type(self.rule) is kind)


class Pack:
    """The rules of one evaluation, in order, with the limits they use. Immutable once made."""

    def __init__(self, rules: Sequence[NamedRule], limits: Mapping[str, Limit]) -> None:
        self.rules = tuple(rules)
        self.limits = dict(limits)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the rules."""
        return hashlib.sha256("".join(rule.digest for rule in self.rules).encode()).hexdigest()

    def quantity(self, text: str, dimension: str) -> float:
        """A limit's name or a written quantity, in the base unit of `dimension`; 0 for nothing."""
        if not text:
            return 0.0
        if text in self.limits:
            return self.limits[text].base
        return parse_quantity(text, dimension)

    def dimension(self, text: str) -> str:
        """What a limit's name or a written quantity measures; a time where it does not say."""
        unit = self.limits[text].unit if text in self.limits else text.lstrip("+-0123456789. ")
        return dimension_of(unit) or "time"

    def only(self, *ids: str) -> Pack:
        """The same pack with these rules only.

        Raises:
            RuleError: one of them is not in it.
        """
        known = [rule.id for rule in self.rules]
        for wanted in ids:
            if wanted not in known:
                raise RuleError(f"no rule {wanted!r}{nearest(wanted, known)}")
        return Pack([rule for rule in self.rules if rule.id in ids], self.limits)

    def with_rules(self, rules: Sequence[NamedRule]) -> Pack:
        """This pack and more rules.

        Raises:
            RuleError: a name is taken.
        """
        taken = {rule.id for rule in self.rules}
        for rule in rules:
            if rule.id in taken:
                raise RuleError("a rule of this name is already in the pack", rule=rule.id)
            taken.add(rule.id)
        return Pack([*self.rules, *rules], self.limits)


def name_rule(rule_id: str, pack: str, rule: AnyRule, used: Mapping[str, Limit]) -> NamedRule:
    """A rule with its digest: SHA-256 over its name, its canonical JSON and the limits that it names."""
    limits = tuple(used[name] for name in sorted(used))
    canonical = msgspec.json.encode(
        [rule_id, rule, [(item.name, item.value, item.unit) for item in limits]], order="sorted"
    )
    return NamedRule(rule_id, pack, rule, limits, hashlib.sha256(canonical).hexdigest())


def load_pack(paths: Sequence[Path], limits: Sequence[Path]) -> Pack:
    """Read rule packs with the limits that they name.

    Raises:
        RuleError: a file cannot be read, or a rule has an unknown key, topic, signal, limit or unit; says
            which pack, line and rule, points at the place, and names the nearest known word.
    """
    known = load_limits(limits)
    rules: list[NamedRule] = []
    for path in paths:
        for named in _read(path, known):
            if any(rule.id == named.id for rule in rules):
                raise RuleError("a rule of this name was already read", pack=str(path), rule=named.id)
            rules.append(named)
    return Pack(rules, known)


def _read(path: Path, known: Mapping[str, Limit]) -> Iterator[NamedRule]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}. Does the rule pack exist?", pack=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleError(f"is no TOML: {error}", pack=str(path)) from error
    for key in content:
        if key not in _PACK_KEYS:
            raise RuleError(f"unknown key {key!r}{nearest(key, _PACK_KEYS)}", pack=str(path))
    if content.get("schema") != SCHEMA:
        raise RuleError(
            f"schema is {content.get('schema')!r}; this program reads schema = {SCHEMA}. Use the program that the pack "
            "was written for, or rewrite its rules as docs/rules.md says",
            pack=str(path),
        )
    rules = content.get("rule")
    if not isinstance(rules, dict) or not rules:
        raise RuleError('holds no rule; a rule begins with [rule."its.name"]', pack=str(path))
    for rule_id, entry in cast("dict[str, Any]", rules).items():
        if not isinstance(entry, dict):
            raise RuleError('a rule begins with [rule."its.name"]', pack=str(path), rule=rule_id)
        table = cast("dict[str, Any]", entry)
        if "ocpp" in content:
            table.setdefault("ocpp", content["ocpp"])
        yield _Reader(path, text, rule_id, table, known).rule()


class _Reader:
    """Reads the table of one rule."""

    def __init__(self, path: Path, text: str, rule_id: str, table: dict[str, Any], limits: Mapping[str, Limit]) -> None:
        self.path = path
        self.text = text
        self.rule_id = rule_id
        self.table = table
        self.names = Names(limits)

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
            built = msgspec.convert(
                {**fields}, PATTERNS[pattern] if not fields else PATTERNS[pattern], from_attributes=True, strict=True
            )
        except msgspec.ValidationError as error:
            key = str(error).partition("$.")[2].strip("`") or ""
            raise self._error(str(error), key) from error
        self._consistent(built)
        return name_rule(self.rule_id, self.path.stem, built, self.names.used)

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
        from .check import contradiction

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
        line = line_of(self.text, "rule", self.rule_id, key)
        where = str(self.path) if line is None else f"{self.path}:{line}"
        return RuleError(message, pack=where, rule=self.rule_id)
