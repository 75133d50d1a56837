"""Rule packs: TOML to rules, strictly, with limits resolved and digests made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from ....errors import RuleError
from ...timeline import parse_quantity
from .limits import Limit, dimension_of, load_limits
from .named import NamedRule
from .place import line_of, nearest, read_toml
from .rule_reader import read_rule
from .signal_reader import read_signals
from .signals import Signal

__all__ = ["SCHEMA", "NamedRule", "Pack", "load_pack"]

SCHEMA = 2
_LIMIT = re.compile(r"\blimit\.[a-z][a-z0-9_]*")
_OTHER_SCHEMA = ". Use the program that the pack was written for, or rewrite its rules as docs/rules.md says"
_PACK_KEYS = ("schema", "title", "ocpp", "signal", "rule")


class Pack:
    """The rules of one evaluation, in order, their limits, and the signals it defines. Immutable once made."""

    def __init__(
        self, rules: Sequence[NamedRule], limits: Mapping[str, Limit], signals: Mapping[str, Signal] | None = None
    ) -> None:
        self.rules = tuple(rules)
        self.limits = dict(limits)
        self.signals = dict(signals or {})

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
        return Pack([rule for rule in self.rules if rule.id in ids], self.limits, self.signals)

    def with_rules(self, rules: Sequence[NamedRule]) -> Pack:
        """This pack and more rules.

        Raises:
            RuleError: a name is taken.
        """
        taken = {rule.id for rule in self.rules}
        signals = dict(self.signals)
        for rule in rules:
            if rule.id in taken:
                raise RuleError("a rule of this name is already in the pack", rule=rule.id)
            taken.add(rule.id)
            for name, signal in rule.signals.items():
                if signals.setdefault(name, signal) != signal:
                    raise RuleError(f"it means another signal {name!r} than the pack", rule=rule.id)
        return Pack([*self.rules, *rules], self.limits, signals)


def load_pack(paths: Sequence[Path], limits: Sequence[Path]) -> Pack:
    """Read rule packs with the limits that they name.

    Raises:
        RuleError: a file cannot be read, or a rule has an unknown key, topic, signal, limit or unit; says
            which pack, line and rule, points at the place, and names the nearest known word.
    """
    known = load_limits(limits)
    rules: list[NamedRule] = []
    signals: dict[str, Signal] = {}
    for path in paths:
        text, content = read_toml(path, "rule pack", _PACK_KEYS, SCHEMA, _OTHER_SCHEMA)
        _all_limits(path, text, known)
        own = read_signals(content.get("signal"), known, (path, text))
        for name, signal in own.items():
            if signals.setdefault(name, signal) != signal:
                what = f"another pack defines the signal {name!r} otherwise; rename one of them"
                raise RuleError(what, pack=f"{path}:{line_of(text, 'signal', name)}")
        for named in _rules(path, text, content, known, own):
            if any(rule.id == named.id for rule in rules):
                raise RuleError("a rule of this name was already read", pack=str(path), rule=named.id)
            rules.append(named)
    return Pack(rules, known, signals)


def _all_limits(path: Path, text: str, known: Mapping[str, Limit]) -> None:
    """Whole files of limits are forgotten more often than one name is mistyped: say which file has what is missing.

    Raises:
        RuleError: a limit that this pack names is not among those read, but a file beside the packs has it.
    """
    missing = {name for name in _LIMIT.findall(text) if name not in known}
    if not missing:
        return
    for beside in sorted((path.parent.parent / "limits").glob("*.toml")):
        has = sorted(missing & load_limits([beside]).keys())
        if has:
            what = f"rests on {', '.join(has[:3])}{' and others' if len(has) > 3 else ''}"
            raise RuleError(f'{what} of the limits "{beside.stem}": add it to [rules] limits', pack=str(path))


def _rules(
    path: Path, text: str, content: Mapping[str, Any], known: Mapping[str, Limit], signals: Mapping[str, Signal]
) -> Iterator[NamedRule]:
    rules = content.get("rule")
    if not isinstance(rules, dict) or not rules:
        raise RuleError('holds no rule; a rule begins with [rule."its.name"]', pack=str(path))
    for rule_id, entry in cast("dict[str, Any]", rules).items():
        if not isinstance(entry, dict):
            raise RuleError('a rule begins with [rule."its.name"]', pack=str(path), rule=rule_id)
        table = cast("dict[str, Any]", entry)
        if "ocpp" in content:
            table.setdefault("ocpp", content["ocpp"])
        yield read_rule(rule_id, table, known, path.stem, (path, text), signals)
