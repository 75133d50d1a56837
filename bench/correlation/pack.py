"""Rule packs: TOML to rules, strictly, with limits resolved and digests made."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ...errors import RuleError
from ..timeline import parse_quantity
from .limits import Limit, dimension_of, load_limits, nearest
from .named import NamedRule
from .place import place, toml_place
from .rule_reader import read_rule

__all__ = ["SCHEMA", "NamedRule", "Pack", "load_pack"]

SCHEMA = 2
_PACK_KEYS = ("schema", "title", "ocpp", "rule")


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
        raise RuleError(f"is no TOML: {error}", pack=toml_place(path, error)) from error
    for key in content:
        if key not in _PACK_KEYS:
            raise RuleError(f"unknown key {key!r}{nearest(key, _PACK_KEYS)}", pack=place(path, text, (key,)))
    if content.get("schema") != SCHEMA:
        raise RuleError(
            f"schema is {content.get('schema')!r}; this program reads schema = {SCHEMA}. Use the program that the pack "
            "was written for, or rewrite its rules as docs/rules.md says",
            pack=place(path, text, ("schema",)),
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
        yield read_rule(rule_id, table, known, path.stem, (path, text))
