"""A rule with its name and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from .grammar import PATTERNS
from .limits import Limit
from .rule import AnyRule

__all__ = ["NamedRule", "name_rule"]


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


def name_rule(rule_id: str, pack: str, rule: AnyRule, used: Mapping[str, Limit]) -> NamedRule:
    """A rule with its digest: SHA-256 over its name, its canonical JSON and the limits that it names."""
    limits = tuple(used[name] for name in sorted(used))
    canonical = msgspec.json.encode(
        [rule_id, rule, [(item.name, item.value, item.unit) for item in limits]], order="sorted"
    )
    return NamedRule(rule_id, pack, rule, limits, hashlib.sha256(canonical).hexdigest())
