"""A rule with its name and its digest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from .grammar import PATTERNS
from .limits import Limit
from .rule import AnyRule
from .signals import SIGNALS, Signal

__all__ = ["NamedRule", "name_rule"]


class NamedRule(msgspec.Struct, frozen=True):
    """A rule with its name, the pack it stands in, the limits and own signals it names, and the digest of all that."""

    id: str
    pack: str
    rule: AnyRule
    limits: tuple[Limit, ...]
    digest: str
    signals: dict[str, Signal] = {}

    @property
    def verified(self) -> bool:
        """False when one of its limits was not checked against the standard's text."""
        return all(limit.verified for limit in self.limits)

    @property
    def known(self) -> Mapping[str, Signal]:
        """Every signal that it may name: the built-in ones, and those of its pack that it does name."""
        return {**SIGNALS, **self.signals} if self.signals else SIGNALS

    @property
    def pattern(self) -> str:
        """Name of its pattern."""
        return next(name for name, kind in PATTERNS.items() if type(self.rule) is kind)


def name_rule(
    rule_id: str, pack: str, rule: AnyRule, used: Mapping[str, Limit], signals: Mapping[str, Signal] | None = None
) -> NamedRule:
    """A rule with its digest: SHA-256 over its name, its canonical JSON, and the limits and own signals that it names.

    What a signal is called to the reader (`text`) is no part of it.
    """
    limits = tuple(used[name] for name in sorted(used))
    own = {name: (signals or {})[name] for name in sorted(signals or {})}
    parts: list[object] = [rule_id, rule, [(item.name, item.value, item.unit) for item in limits]]
    if own:
        parts.append([(name, signal.dimension, signal.reading) for name, signal in own.items()])
    canonical = msgspec.json.encode(parts, order="sorted")
    return NamedRule(rule_id, pack, rule, limits, hashlib.sha256(canonical).hexdigest(), own)
