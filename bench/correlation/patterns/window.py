"""The window of a rule that waits: from `after` to `within`, as numbers or as amounts that a trigger decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ....errors import RuleError
from ...timeline import Interval
from ..condition import Reader
from ..language.rule import Amount, Extension
from ..world.mark import NEVER, Mark, between
from .owed import Owed

__all__ = ["Span", "Window", "shown_unit"]


class Span(NamedTuple):
    """[a, b] in nanoseconds after the trigger: a = `after`; b lies in [lo, hi]."""

    after: float
    lo: float
    hi: float


class Window:
    """`fixed` is the window where nothing of it depends on the trigger or on the station's configuration."""

    def __init__(
        self, reader: Reader, after: Amount | None, within: Amount | None, extend: Extension | None = None
    ) -> None:
        self._reader = reader
        self._after = after
        self._within = within
        self.extend = extend
        self.ends = within is not None
        parts = [part for item in (after, within) if item is not None for part in (item.of, item.plus, item.minus)]
        self.configured = any(part.startswith("config.") for part in parts)
        varies = self.configured or any(part.startswith("$") for part in parts)
        self._by_ns = reader.ns(extend.by) if extend is not None else 0
        self._recent_ns = reader.ns(extend.within) if extend is not None else 0
        self.fixed = None if varies else self._measure({})

    def of(self, params: Mapping[str, Any]) -> Span:
        """The window for a trigger with these data; `hi` is the longest that it may be.

        Raises:
            RuleError: the trigger lacks a number, or the configuration one without which there is no begin.
        """
        return self.fixed if self.fixed is not None else self._measure(params)

    def _measure(self, params: Mapping[str, Any]) -> Span:
        after = 0 if self._after is None else round(self._reader.bound(self._after, "time", params))
        if self._within is None:
            return Span(after, NEVER, NEVER)
        try:
            base = round(self._reader.bound(self._within, "time", params))
        except RuleError:
            if not self.configured:
                raise
            return Span(after, self._least(self._within, params), NEVER)
        return Span(after, base, base + self._by_ns)

    def _least(self, within: Amount, params: Mapping[str, Any]) -> float:
        """What the limit is at least when a setting was not read back; settings are not negative."""
        if within.minus.startswith("config."):
            return 0
        kept = [part for part in (within.of, within.plus) if part and not part.startswith("config.")]
        total = sum(self._reader.bound(Amount(part), "time", params) for part in kept)
        return max(0, round(total - (self._reader.bound(Amount(within.minus), "time", params) if within.minus else 0)))

    def limit(self, owed: Owed) -> Interval:
        """The limit (ns) of an open trigger, as far as it is known now."""
        if self.fixed is None and owed.limit_hi == NEVER and self.ends:
            span = self.of(owed.params)
            owed.limit_lo, owed.limit_hi = span.lo, span.hi
        evse = self._reader.world.facts.evses[0] if owed.where is None else owed.where
        if self.extend is None:
            return Interval(owed.limit_lo, owed.limit_hi)
        return self._extended(owed.limit_lo, owed.limit_hi, evse, owed.place())

    def postponed(self, owed: Owed) -> bool:
        """Whether the limit turned out to be later than was known when the trigger came; sets when it is due."""
        if self.fixed is not None or not self.ends:
            return False
        limit = self.limit(owed)
        due_ns = owed.event.stamp.order_ns + (limit.hi if limit.hi != NEVER else limit.lo)
        if due_ns <= owed.due_ns:
            return False
        owed.due_ns = due_ns
        return True

    def _extended(self, lo_ns: float, hi_ns: float, evse: int, mark: Mark) -> Interval:
        """The limit: longer when the signal changed shortly before the trigger, perhaps if that is not certain."""
        if self.extend is None or hi_ns == NEVER:
            return Interval(lo_ns, hi_ns)
        certain = possible = False
        for change in self._reader.world.track(self.extend.signal, evse).since(mark, int(self._recent_ns)):
            ago = between(change.mark, mark)
            if ago.hi >= 0 and ago.lo < self._recent_ns:
                possible = True
                certain = certain or (ago.lo >= 0 and ago.hi < self._recent_ns)
        return Interval(lo_ns + (self._by_ns if certain else 0), lo_ns + (self._by_ns if possible else 0))


def shown_unit(reader: Reader, within: Amount | None) -> str:
    """The unit in which times of a rule are shown: s from a limit of one second on, else ms."""
    if within is None:
        return "ms"
    if within.of.startswith(("$", "config.")):
        return "s"
    return "s" if reader.quantity(within.of, "time") >= 1e9 else "ms"
