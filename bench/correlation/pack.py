"""Reading rule packs: TOML to rules, strictly, with limits resolved and digests made."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from ...errors import RuleError
from ..timeline import TOPICS, UNITS, check_topic, parse_quantity
from .limits import Limit, load_limits, nearest
from .rule import Absent, Agree, AnyRule, Bound, Cadence, Condition, Invariant, Occurrence, Order, Respond, Trigger
from .signals import SIGNALS

__all__ = ["NamedRule", "Pack", "load_pack"]

_KINDS: dict[str, type[AnyRule]] = {
    "respond": Respond,
    "absent": Absent,
    "invariant": Invariant,
    "order": Order,
    "cadence": Cadence,
    "agree": Agree,
}
_PACK_KEYS = ("schema", "title", "rule")


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

    def only(self, *ids: str) -> Pack:
        """The same pack with these rules only.

        Raises:
            RuleError: one of them is not in it.
        """
        for wanted in ids:
            if wanted not in {rule.id for rule in self.rules}:
                raise RuleError(f"no rule {wanted!r}{nearest(wanted, [rule.id for rule in self.rules])}")
        return Pack([rule for rule in self.rules if rule.id in ids], self.limits)


def load_pack(paths: Sequence[Path], limits: Sequence[Path]) -> Pack:
    """Read rule packs with the limits that they name.

    Raises:
        RuleError: a file cannot be read, or a rule has an unknown key, topic, signal, limit or unit; says
            which pack and rule, and the nearest known word.
    """
    known = load_limits(limits)
    rules: list[NamedRule] = []
    for path in paths:
        for rule_id, entry in _entries(path):
            if any(rule.id == rule_id for rule in rules):
                raise RuleError("a rule of this name was already read", pack=str(path), rule=rule_id)
            rules.append(_named(path, rule_id, entry, known))
    return Pack(rules, known)


def _entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror}. Does the rule pack exist?", pack=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"is no TOML: {error}", pack=str(path)) from error
    for key in content:
        if key not in _PACK_KEYS:
            raise RuleError(f"unknown key {key!r}{nearest(key, _PACK_KEYS)}", pack=str(path))
    if content.get("schema") != 1:
        raise RuleError(f"schema is {content.get('schema')!r}; this program reads schema = 1", pack=str(path))
    rules = content.get("rule")
    if not isinstance(rules, dict) or not rules:
        raise RuleError('holds no rule; a rule begins with [rule."its.name"]', pack=str(path))
    for rule_id, entry in cast("dict[str, Any]", rules).items():
        if not isinstance(entry, dict):
            raise RuleError('a rule begins with [rule."its.name"]', pack=str(path), rule=rule_id)
        yield rule_id, cast("dict[str, Any]", entry)


def _named(path: Path, rule_id: str, entry: dict[str, Any], known: Mapping[str, Limit]) -> NamedRule:
    pattern = entry.get("pattern")
    kind = _KINDS.get(pattern) if isinstance(pattern, str) else None
    if kind is None:
        hint = nearest(str(pattern), list(_KINDS))
        raise RuleError(f"pattern is {pattern!r}{hint}", pack=str(path), rule=rule_id)
    try:
        rule = msgspec.convert(entry, kind)
    except msgspec.ValidationError as error:
        raise RuleError(_explain(str(error), kind), pack=str(path), rule=rule_id) from error
    used: dict[str, Limit] = {}
    try:
        _check(rule, known, used)
    except ValueError as error:
        raise RuleError(str(error), pack=str(path), rule=rule_id) from error
    limits = tuple(used[name] for name in sorted(used))
    canonical = msgspec.json.encode(
        [rule_id, rule, [(item.name, item.value, item.unit) for item in limits]], order="sorted"
    )
    return NamedRule(rule_id, path.stem, rule, limits, hashlib.sha256(canonical).hexdigest())


def _explain(message: str, kind: type[AnyRule]) -> str:
    found = re.search(r"unknown field `([^`]+)`(?: - at `\$([^`]*)`)?", message)
    if found is None:
        return message
    fields = [field.encode_name for field in msgspec.structs.fields(kind)] if not found.group(2) else _all_keys()
    where = f" in {found.group(2).lstrip('.')}" if found.group(2) else ""
    return f"unknown key {found.group(1)!r}{where}{nearest(found.group(1), fields)}"


def _all_keys() -> list[str]:
    names: list[str] = []
    for part in (Bound, Condition, Occurrence, Trigger):
        names.extend(field.encode_name for field in msgspec.structs.fields(part))
    return sorted(set(names))


_TIMES = ("within", "hold", "settle")


def _check(rule: AnyRule, known: Mapping[str, Limit], used: dict[str, Limit]) -> None:
    """Every topic, signal, limit and quantity that a rule names must exist and fit."""
    for part in _parts(rule):
        if isinstance(part, Condition):
            _signal(part.signal)
            if sum(x is not None for x in (part.among, part.is_not, part.at_most, part.at_least)) != 1:
                raise ValueError(f"condition on {part.signal}: exactly one of is, is_not, at_most, at_least")
        elif isinstance(part, Trigger):
            if bool(part.topic) == bool(part.signal):
                raise ValueError("a trigger has either a topic or a signal")
            _signal(part.signal) if part.signal else _topic(part.topic, part.where)
        elif isinstance(part, Occurrence):
            _topic(part.topic, part.where)
        for name in part.__struct_fields__:
            value = getattr(part, name)
            if isinstance(value, str) and value.startswith("limit."):
                if value not in known:
                    raise ValueError(f"unknown limit {value!r}{nearest(value, list(known))}")
                used[value] = known[value]
                if name in _TIMES and known[value].dimension != "time":
                    raise ValueError(f"{name} = {value!r} is in {known[value].unit}; a time is needed")
            elif name in _TIMES and isinstance(value, str) and value:
                parse_quantity(value, "time")
            elif isinstance(part, Bound) and name in ("plus", "minus") and isinstance(value, str) and value:
                units = ", ".join(unit for group in UNITS.values() for unit in group)
                raise ValueError(f"{name} = {value!r} is no limit; name one (limit.…, with a unit of {units})")


def _parts(node: object) -> Iterator[msgspec.Struct]:
    if isinstance(node, msgspec.Struct):
        yield node
        for name in node.__struct_fields__:
            yield from _parts(getattr(node, name))
    elif isinstance(node, tuple):
        for item in cast("tuple[object, ...]", node):
            yield from _parts(item)


def _signal(name: str) -> None:
    if name not in SIGNALS:
        raise ValueError(f"unknown signal {name!r}{nearest(name, list(SIGNALS))}")


def _topic(topic: str, where: Mapping[str, Any]) -> None:
    check_topic(topic)
    words = set(re.findall(r"[a-z_]+", TOPICS[topic]))
    for key in where:
        if key not in words:
            raise ValueError(f"{topic} has no key {key!r}{nearest(key, sorted(words))}")
